"""Migrations that were applied or reversed, and the pages from which that is done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.migrating import all_targets, choosing, one_migration, target_page, words
from integrity.admin.migrating.blocking import obstacles
from integrity.admin.without_values import checked, told
from integrity.operations.check import Moment


@admin.register(models.MigrationRun)
class MigrationRunAdmin(ReadOnlyAdmin):
    """Migrations that were applied or reversed: when, how long, by whom, and what was looked at."""

    list_display = ["called", "target", "direction", "state_badge", "phase", "began", "took", "actor"]
    list_filter = ["target", "direction", "state", "phase", "started_at"]
    search_fields = ["migration", "actor", "error"]
    list_select_related = ["target"]
    change_form_template = "admin/integrity/migration_run.html"
    fields = ["target", "migration", "direction", "state_badge", "phase", "began", "took", "actor"]

    class Media:
        css = {"all": ["integrity/migrating.css"]}

    def get_queryset(self, request: HttpRequest) -> Any:
        """A list needs none of the long texts."""
        found = super().get_queryset(request)
        listing = request.resolver_match is None or "object_id" not in request.resolver_match.kwargs
        return found.defer("sql", "checks", "operations") if listing else found

    def get_urls(self) -> list[URLPattern]:
        """Adds the pages of all targets, of one, of one migration, and of what becomes one."""
        view = self.admin_site.admin_view
        return [
            path("targets/", view(self.all_view), name="integrity_migrations"),
            path("targets/<int:pk>/", view(self.target_view), name="integrity_target_migrations"),
            path(
                "targets/<int:pk>/<path:name>/", view(self.migration_view), name="integrity_target_migration"
            ),
            path("fixes/<path:alias>/", view(self.fixes_view), name="integrity_schema_fixes"),
            *super().get_urls(),
        ]

    def all_view(self, request: HttpRequest) -> HttpResponse:
        """All targets, phase by phase."""
        return all_targets.page(self, request)

    def target_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A target's migrations; applies and reverses them."""
        return target_page.page(self, request, pk)

    def migration_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """One migration of a target."""
        return one_migration.page(self, request, pk, name)

    def fixes_view(self, request: HttpRequest, alias: str) -> HttpResponse:
        """What a target needs, and the files that it becomes."""
        return choosing.page(self, request, alias)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows a run whole: operations with their times, checks before and after, SQL, error."""
        run = self.get_object(request, object_id) if object_id.isdecimal() else None
        shown = _shown(request, run) | {"subtitle": _title(run)} if run is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @admin.display(description=_("migration"), ordering="migration")
    def called(self, run: models.MigrationRun) -> str:
        """Its name."""
        return cells.code(run.migration)

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, run: models.MigrationRun) -> str:
        """Where it stands."""
        return cells.badge(run.state, run.get_state_display())

    @admin.display(description=_("started"), ordering="started_at")
    def began(self, run: models.MigrationRun) -> str:
        """When it began."""
        return cells.ago(run.started_at)

    @admin.display(description=_("took"), ordering="seconds")
    def took(self, run: models.MigrationRun) -> str:
        """How long it took."""
        return words.took(run.seconds)


def _title(run: models.MigrationRun) -> str:
    """What became of it, in a line."""
    backwards, failed = run.direction == models.Direction.BACKWARD, run.state == models.RunState.FAILED
    texts = {
        (False, False): _("%(migration)s was applied"),
        (True, False): _("%(migration)s was reversed"),
        (False, True): _("%(migration)s could not be applied"),
        (True, True): _("%(migration)s could not be reversed"),
    }
    return str(texts[backwards, failed]) % {"migration": run.migration}


def _shown(request: HttpRequest, run: models.MigrationRun) -> dict[str, Any]:
    longest = max((each["seconds"] for each in run.operations), default=0.0)
    return {
        "run": run,
        "error": told(request, run.error),
        "badge": cells.badge(run.state, run.get_state_display()),
        "took": words.took(run.seconds),
        "started": cells.ago(run.started_at),
        "phase": words.phase_title(run.phase or 0),
        "operations": [
            each
            | {"took": words.took(each["seconds"]), "longest": longest, "error": told(request, each["error"])}
            for each in run.operations
        ],
        "moments": [
            (title, checks)
            for title, moment in ((_("Before"), Moment.BEFORE), (_("Afterwards"), Moment.AFTER))
            if (checks := [_check(request, each) for each in run.checks if each["moment"] == moment])
        ],
        "obstacles": obstacles(request, run.target, run.checks),
        "may_view_target": may(request, "view_target"),
    }


def _check(request: HttpRequest, check: dict[str, Any]) -> dict[str, Any]:
    return checked(request, check) | {"badge": cells.badge(check["verdict"], words.verdict(check["verdict"]))}
