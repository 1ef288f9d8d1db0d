"""Hot queries that were measured: how long they took, and whether they got slower."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.records.measurements import measurement_record
from integrity.admin.records.page import Record, RecordAdmin


@admin.register(models.QueryRun)
class QueryRunAdmin(RecordAdmin):
    """One line a measurement."""

    list_display = ["__str__", "occasion", "slower", "queries", "measured_ago", "took", "actor"]
    list_filter = ["target", "occasion", "measured_at"]
    list_select_related = ["target"]

    class Media:
        css = {"all": ["integrity/record.css"]}

    def record(self, request: HttpRequest, found: Any) -> Record:
        """Which got slower."""
        return measurement_record(request, found)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """One query for the page."""
        slower = Count("timings", filter=Q(timings__regressed=True))
        found = super().get_queryset(request).select_related("target", "baseline__target")
        counted: QuerySet[Any] = found.annotate(timings_count=Count("timings"), slower_count=slower)
        return counted

    @admin.display(description=gettext_lazy("verdict"))
    def slower(self, run: Any) -> str:
        """How many queries got slower."""
        if run.slower_count:
            words = ngettext("%(number)s query is slower", "%(number)s queries are slower", run.slower_count)
            return cells.badge("failed", words % {"number": run.slower_count})
        return cells.badge("finished", _("none slower")) if run.baseline_id else "–"

    @admin.display(description=gettext_lazy("queries"))
    def queries(self, run: Any) -> str:
        """How many were measured."""
        return cells.counted(run.timings_count, _("queries"))

    @admin.display(description=gettext_lazy("measured"), ordering="measured_at")
    def measured_ago(self, run: models.QueryRun) -> str:
        """How long ago."""
        return cells.ago(run.measured_at)

    @admin.display(description=gettext_lazy("took"), ordering="seconds")
    def took(self, run: models.QueryRun) -> str:
        """How long measuring took."""
        return f"{run.seconds:.1f} s"
