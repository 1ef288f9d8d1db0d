"""What was decided, planned and saved."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses
from integrity.admin.records.backups import backup_record
from integrity.admin.records.decisions import decision_record
from integrity.admin.records.page import Record, RecordAdmin
from integrity.admin.records.plans import plan_badge, plan_record
from integrity.admin.triage.history import scope_of


class _History(RecordAdmin):
    """One line each, the newest first."""

    class Media:
        css = {"all": ["integrity/record.css"]}


@admin.register(models.Resolution)
class ResolutionAdmin(_History):
    """Who decided what, and why."""

    list_display = ["decided", "about", "target", "reason", "until", "by"]
    list_filter = ["decision", "finding__target", "decided_at"]
    search_fields = ["finding__label", "reason", "decided_by"]
    list_select_related = ["finding__target"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without what findings rest on, which is long."""
        found = super().get_queryset(request).select_related("finding__target")
        return found.defer("finding__evidence", "finding__suggestion")

    def record(self, request: HttpRequest, found: Any) -> Record:
        """What was decided about what, and what came of it."""
        return decision_record(request, found)

    @admin.display(description=_("decision"), ordering="decision")
    def decided(self, made: models.Resolution) -> str:
        """What was decided, and for what of the finding."""
        return cells.two_lines(capfirst(made.get_decision_display()), scope_of(made))

    @admin.display(description=_("reference"), ordering="finding__label")
    def about(self, made: models.Resolution) -> str:
        """The finding's reference."""
        return cells.code(made.finding.label)

    @admin.display(description=_("target"), ordering="finding__target__alias")
    def target(self, made: models.Resolution) -> str:
        """Whose finding it is about."""
        return made.finding.target.alias

    @admin.display(description=_("decided"), ordering="decided_at")
    def by(self, made: models.Resolution) -> str:
        """When, and by whom."""
        return cells.two_lines(cells.ago(made.decided_at), made.decided_by)


@admin.register(models.StoredPlan)
class StoredPlanAdmin(_History):
    """Plans that were shown to somebody."""

    list_display = ["short", "target", "steps", "ran", "made"]
    list_filter = ["target", "created_at"]
    search_fields = ["hash", "created_by"]
    list_select_related = ["target", "job"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """One query for the page."""
        return super().get_queryset(request).select_related("target", "job")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A plan has a page where it is run; here it is told to those who may not see that one."""
        seen = self.has_view_permission(request) and may(request, "view_orphanfinding")
        if request.method in ("GET", "HEAD") and seen and object_id.isdecimal():
            plans = models.StoredPlan.objects.select_related("target").defer("plan", "notes")
            plan = get_object_or_404(plans, pk=object_id)
            return HttpResponseRedirect(addresses.plan(plan.target, plan.hash))
        return super().change_view(request, object_id, form_url, extra_context)

    def record(self, request: HttpRequest, found: Any) -> Record:
        """What became of it."""
        return plan_record(request, found)

    @admin.display(description=_("hash"), ordering="hash")
    def short(self, plan: models.StoredPlan) -> str:
        """Enough of the hash to name it by."""
        return cells.code(plan.hash[:12])

    @admin.display(description=_("steps"))
    def steps(self, plan: models.StoredPlan) -> str:
        """How many steps it has."""
        return cells.counted(len(plan.plan.get("steps", [])), _("steps"))

    @admin.display(description=_("state"), ordering="job__state")
    def ran(self, plan: models.StoredPlan) -> str:
        """What became of it."""
        return plan_badge(plan)

    @admin.display(description=_("created"), ordering="created_at")
    def made(self, plan: models.StoredPlan) -> str:
        """When, and by whom."""
        return cells.two_lines(cells.ago(plan.created_at), plan.created_by)


@admin.register(models.Backup)
class BackupAdmin(_History):
    """Backups that were taken."""

    list_display = ["taken", "target", "where", "size_in_words", "actor"]
    list_filter = ["target", "taken_at"]
    list_select_related = ["target"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """One query for the page."""
        return super().get_queryset(request).select_related("target")

    def record(self, request: HttpRequest, found: Any) -> Record:
        """What it holds, and what was done since."""
        return backup_record(request, found)

    @admin.display(description=_("taken"), ordering="taken_at")
    def taken(self, backup: models.Backup) -> str:
        """How long ago."""
        return cells.ago(backup.taken_at)

    @admin.display(description=_("file"), ordering="file")
    def where(self, backup: models.Backup) -> str:
        """Its file."""
        return cells.code(backup.file)

    @admin.display(description=_("size"), ordering="size")
    def size_in_words(self, backup: models.Backup) -> str:
        """Its size as people say it."""
        return filesizeformat(backup.size)
