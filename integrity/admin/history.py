"""What was decided, planned, migrated and saved."""

from __future__ import annotations

from django.contrib import admin
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin

_WORDS = {"passed": _("passed"), "failed": _("failed"), "noted": _("noted"), "skipped": _("not looked at")}


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
        return format_html(
            '<a href="{}">{}</a>', f"../../../orphanfinding/plan/{plan.pk}/", _("Show the plan")
        )


def _stopped_by(*texts: str) -> str:
    said = "\n".join(filter(None, texts))
    return format_html("<pre>{}</pre>", said) if said else ""


@admin.register(models.MigrationRun)
class MigrationRunAdmin(ReadOnlyAdmin):
    """Migrations that were applied or reversed: when, how long, by whom."""

    list_display = ["migration", "target", "direction", "state_badge", "phase", "started_at", "took", "actor"]
    list_filter = ["target", "direction", "state", "phase", "started_at"]
    search_fields = ["migration", "actor", "error"]
    list_select_related = ["target"]
    fields = [
        "target", "migration", "direction", "state_badge", "phase", "started_at", "finished_at", "took",
        "actor", "error", "done", "looked_at",
    ]  # fmt: skip
    hidden_when_empty = ("error",)

    @admin.display(description=_("operations"))
    def done(self, run: models.MigrationRun) -> str:
        """Each of its operations: how long it took, and the whole of what stopped it."""
        line = "<tr><td>{}</td><td class='integrity-word'>{} s</td><td>{}</td></tr>"
        rows = [
            (each["operation"], f"{each['seconds']:.2f}", _stopped_by(each["error"], each["statement"]))
            for each in run.operations
        ]
        if not rows:
            return str(_("none was begun"))
        return format_html('<table class="integrity-checks">{}</table>', format_html_join("", line, rows))

    @admin.display(description=_("checks"))
    def looked_at(self, run: models.MigrationRun) -> str:
        """What was looked at before and after it."""
        rows = [
            (
                cells.badge(each["verdict"], _WORDS.get(each["verdict"], "")),
                each["moment"],
                each["what"],
                each["subject"],
                each["message"],
                each["hint"],
            )
            for each in run.checks
        ]
        if not rows:
            return str(_("none was made"))
        word = "<td class='integrity-word'>{}</td>"
        line = f"<tr>{word * 3}<td>{{}}</td><td>{{}} <span class='help'>{{}}</span></td></tr>"
        return format_html('<table class="integrity-checks">{}</table>', format_html_join("", line, rows))

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, run: models.MigrationRun) -> str:
        """Where it stands."""
        return cells.badge(run.state, run.get_state_display())

    @admin.display(description=_("took"), ordering="seconds")
    def took(self, run: models.MigrationRun) -> str:
        """How long it took."""
        return "–" if run.seconds is None else f"{run.seconds:.2f} s"


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
