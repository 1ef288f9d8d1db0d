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
from integrity.admin.base import ReadOnlyAdmin, TabularInline
from integrity.verification.comparing import shown_ms


class QueryTimingInline(TabularInline):
    """One line a query; its plan and single runs are in the JSON of integrity_verify."""

    model = models.QueryTiming
    can_delete = False
    extra = 0
    fields = ("access", "p50", "p95", "p99", "number", "work", "times_as_long", "said")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is added by hand."""
        return False

    @admin.display(description="p50")
    def p50(self, timing: models.QueryTiming) -> str:
        """The median."""
        return shown_ms(timing.p50_ms)

    @admin.display(description="p95")
    def p95(self, timing: models.QueryTiming) -> str:
        """What 95 of 100 runs did not exceed."""
        return shown_ms(timing.p95_ms)

    @admin.display(description="p99")
    def p99(self, timing: models.QueryTiming) -> str:
        """What 99 of 100 runs did not exceed."""
        return shown_ms(timing.p99_ms)

    @admin.display(description=gettext_lazy("runs"))
    def number(self, timing: models.QueryTiming) -> int:
        """How often it was timed."""
        return len(timing.times_ms)

    @admin.display(description=gettext_lazy("work"))
    def work(self, timing: models.QueryTiming) -> str:
        """Pages on PostgreSQL, machine steps on SQLite."""
        if timing.pages is not None:
            return _("%(number)s pages") % {"number": cells.grouped(round(timing.pages))}
        return _("%(number)s steps") % {"number": cells.grouped(round(timing.steps))} if timing.steps else "–"

    @admin.display(description=gettext_lazy("to the baseline"))
    def times_as_long(self, timing: models.QueryTiming) -> str:
        """The ratio of the medians."""
        return "–" if timing.ratio is None else f"× {timing.ratio:.2f}"

    @admin.display(description=gettext_lazy("verdict"))
    def said(self, timing: models.QueryTiming) -> str:
        """Slower or not, and why it was not measured."""
        if timing.error:
            return timing.error
        slower = cells.badge("failed", _("slower")) if timing.regressed else ""
        return cells.two_lines(slower, timing.reason) if slower else timing.reason


@admin.register(models.QueryRun)
class QueryRunAdmin(ReadOnlyAdmin):
    """One line a measurement."""

    list_display = ["__str__", "occasion", "slower", "queries", "measured_ago", "took", "actor"]
    list_filter = ["target", "occasion", "measured_at"]
    list_select_related = ["target"]
    fields = [
        "target", "occasion", "measured_at", "took", "actor", "baseline", "server_version",
        "schema_fingerprint", "applied", "yardstick",
    ]  # fmt: skip
    hidden_when_empty = ("baseline",)
    inlines = [QueryTimingInline]

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
    def queries(self, run: Any) -> int:
        """How many were measured."""
        return int(run.timings_count)

    @admin.display(description=gettext_lazy("measured"), ordering="measured_at")
    def measured_ago(self, run: models.QueryRun) -> str:
        """How long ago."""
        return cells.ago(run.measured_at)

    @admin.display(description=gettext_lazy("took"), ordering="seconds")
    def took(self, run: models.QueryRun) -> str:
        """How long measuring took."""
        return f"{run.seconds:.1f} s"

    @admin.display(description=gettext_lazy("migrations applied"))
    def applied(self, run: models.QueryRun) -> str:
        """Up to which migration."""
        return run.migrations[-1] if run.migrations else _("none")

    @admin.display(description=gettext_lazy("yardstick"))
    def yardstick(self, run: models.QueryRun) -> str:
        """A query that reads no table: how fast the machine was."""
        return shown_ms(run.yardstick_ms)
