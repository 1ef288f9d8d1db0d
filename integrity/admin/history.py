"""What was decided, planned and saved."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.serving import reverse


@admin.register(models.Resolution)
class ResolutionAdmin(ReadOnlyAdmin):
    """Who decided what, and why."""

    list_display = ["decided_at", "decision", "finding", "target", "reason", "until", "decided_by"]
    list_filter = ["decision", "finding__target", "decided_at"]
    search_fields = ["finding__label", "reason", "decided_by"]
    list_select_related = ["finding__target"]
    fields = ["finding", "decision", "to_key", "reason", "until", "decided_by", "decided_at"]

    @admin.display(description=_("target"), ordering="finding__target__alias")
    def target(self, resolution: models.Resolution) -> str:
        """Whose finding it is about."""
        return resolution.finding.target.alias


@admin.register(models.StoredPlan)
class StoredPlanAdmin(ReadOnlyAdmin):
    """Plans that were shown to somebody."""

    list_display = ["short", "target", "steps", "created_at", "created_by"]
    list_filter = ["target", "created_at"]
    search_fields = ["hash", "created_by"]
    list_select_related = ["target"]
    fields = ["target", "hash", "created_by", "created_at", "preview"]

    @admin.display(description=_("hash"), ordering="hash")
    def short(self, plan: models.StoredPlan) -> str:
        """Enough of the hash to name it by."""
        return cells.code(plan.hash[:12])

    @admin.display(description=_("steps"))
    def steps(self, plan: models.StoredPlan) -> int:
        """How many steps it has."""
        return len(plan.plan.get("steps", []))

    @admin.display(description=_("preview"))
    def preview(self, plan: models.StoredPlan) -> str:
        """The page that shows the plan."""
        url = reverse("admin:integrity_orphanfinding_plan", args=[plan.target.alias, plan.hash])
        return format_html('<a href="{}">{}</a>', url, _("Show the plan"))


@admin.register(models.Backup)
class BackupAdmin(ReadOnlyAdmin):
    """Backups that were taken."""

    list_display = ["taken_at", "target", "file", "size_in_words", "actor"]
    list_filter = ["target", "taken_at"]
    list_select_related = ["target"]
    fields = ["target", "file", "size_in_words", "taken_at", "actor"]

    @admin.display(description=_("size"), ordering="size")
    def size_in_words(self, backup: models.Backup) -> str:
        """Its size as people say it."""
        return filesizeformat(backup.size)
