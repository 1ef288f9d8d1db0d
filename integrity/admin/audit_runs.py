"""Audits that were made, with what they did not look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.admin import cells
from integrity.admin.records.audits import audit_record, coverage_badge
from integrity.admin.records.page import Record, RecordAdmin


@admin.register(models.AuditRun)
class AuditRunAdmin(RecordAdmin):
    """One line an audit; coverage says whether green means green."""

    list_display = [
        "__str__",
        "state_badge",
        "coverage_badge",
        "findings",
        "orphans",
        "started_ago",
        "actor",
    ]
    list_filter = ["target", "state", "complete", "started_at"]
    list_select_related = ["target"]

    class Media:
        css = {"all": ["integrity/record.css"]}

    def record(self, request: HttpRequest, found: Any) -> Record:
        """How it went."""
        return audit_record(request, found)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """One query for the page."""
        return super().get_queryset(request).select_related("target")

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, run: models.AuditRun) -> str:
        """Where it stands."""
        return cells.badge(run.state, run.get_state_display())

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started_ago(self, run: models.AuditRun) -> str:
        """How long ago it began."""
        return cells.ago(run.started_at)

    @admin.display(description=gettext_lazy("coverage"), ordering="complete")
    def coverage_badge(self, run: models.AuditRun) -> str:
        """Whether everything known was looked at."""
        return coverage_badge(run)

    @admin.display(description=gettext_lazy("orphans"), ordering="orphans_count")
    def orphans(self, run: models.AuditRun) -> str:
        """How many rows break a reference."""
        return cells.counted(run.orphans_count, _("orphans"))

    @admin.display(description=gettext_lazy("findings"), ordering="findings_count")
    def findings(self, run: models.AuditRun) -> str:
        """How many things are wrong."""
        return cells.counted(run.findings_count, _("findings"))
