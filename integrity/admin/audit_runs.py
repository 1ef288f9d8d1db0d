"""Audits that were made, with what they did not look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, told


@admin.register(models.AuditRun)
class AuditRunAdmin(ReadOnlyAdmin):
    """One line an audit; coverage says whether green means green."""

    list_display = [
        "__str__",
        "state_badge",
        "coverage_badge",
        "findings_count",
        "orphans",
        "started_ago",
        "actor",
    ]
    list_filter = ["target", "state", "complete", "started_at"]
    list_select_related = ["target"]
    fields = [
        "target", "state_badge", "started_at", "finished_at", "actor", "error", "findings_count", "orphans",
        "coverage_badge", "checked", "not_checked", "server_version", "schema_fingerprint",
    ]  # fmt: skip

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """An audit as this user may read it."""
        run = super().get_object(request, object_id, from_field)
        if run is not None:
            run.error = told(request, run.error)
        return run

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
        if run.complete is None:
            return "–"
        if not run.complete:
            return cells.badge("warning", _("incomplete"))
        return cells.badge("finished", _("as asked") if run.narrowed else _("complete"))

    @admin.display(description=gettext_lazy("orphans"), ordering="orphans_count")
    def orphans(self, run: models.AuditRun) -> str:
        """How many rows break a reference."""
        return cells.number(run.orphans_count)

    @admin.display(description=gettext_lazy("references checked"))
    def checked(self, run: models.AuditRun) -> str:
        """How many of the known references were checked, and at one moment or not."""
        coverage = run.coverage or {}
        moment = _("at one moment") if coverage.get("snapshot") == "one" else _("each at a moment of its own")
        return _("%(checked)s of %(known)s, %(moment)s") % {
            "checked": coverage.get("checked", 0),
            "known": coverage.get("references", 0),
            "moment": moment,
        }

    @admin.display(description=gettext_lazy("not checked"))
    def not_checked(self, run: models.AuditRun) -> str:
        """What was not looked at, and why."""
        coverage = run.coverage or {}
        missed = [*coverage.get("skipped", []), *coverage.get("timed_out", [])]
        lines = [(each.get("reference", ""), each.get("reason", "")) for each in missed]
        lines += [(each.get("routine", ""), each.get("reason", "")) for each in coverage.get("unread", [])]
        listed = format_html_join("", "<li><code>{}</code> {}</li>", lines)
        return format_html('<ul class="integrity-list">{}</ul>', listed) if lines else _("nothing")
