"""Databases under care: what is known of them, and what to do next."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, person
from integrity.admin.overview import starting, states
from integrity.admin.overview.target_page import target_page
from integrity.admin.serving import reverse
from integrity.store.standings import Standing, standings

_LAST_AUDIT = models.AuditRun.objects.filter(
    target=OuterRef("pk"), state=models.RunState.FINISHED, narrowed=False
).order_by("-id")


class TargetList(ChangeList):
    """A list that says of each target the same as the overview does."""

    def get_results(self, request: HttpRequest) -> None:
        """Those of the page, each with where it stands."""
        super().get_results(request)
        found = {each.target.pk: each for each in standings(each.alias for each in self.result_list)}
        for target in self.result_list:
            target.standing = found.get(target.pk) or Standing(target)


@admin.register(models.Target)
class TargetAdmin(ReadOnlyAdmin):
    """Every database of `DATABASES` that can be looked after."""

    list_display = ["alias", "health", "errors", "warnings", "orphans", "audited", "database", "migrations"]
    search_fields = ["alias"]
    actions = ["audit", "back_up"]
    permissions_of_actions = {"audit": "audit_target", "back_up": "audit_target"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Each with its last audit, in one query."""
        targets = super().get_queryset(request)
        return targets.annotate(last_audit_at=Subquery(_LAST_AUDIT.values("finished_at")[:1]))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """One that knows where targets stand."""
        return TargetList

    def get_urls(self) -> list[URLPattern]:
        """Adds what is asked for from a target's own page."""
        start = require_POST(self.admin_site.admin_view(self.start_view))
        return [
            path("<int:pk>/start/<str:what>/", start, name="integrity_target_start"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Knows a database as soon as it is in `DATABASES`."""
        store.know_targets()
        return super().changelist_view(request, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """How it is, what was found and what happened; only to be read."""
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        shown = target_page(request, object_id)
        return self.page(request, "target.html", str(shown["target"]), **shown, **(extra_context or {}))

    def start_view(self, request: HttpRequest, pk: int, what: str) -> HttpResponse:
        """Asks for an audit, a backup, a verification, or a plan of what was decided."""
        return starting.start(self, request, pk, what)

    @admin.action(description=gettext_lazy("Audit now"))
    def audit(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Starts an audit of each selected target."""
        return self._each(request, queryset, models.JobKind.AUDIT, _("Asked for an audit"))

    @admin.action(description=gettext_lazy("Take a backup now"))
    def back_up(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Starts a backup of each selected target."""
        return self._each(request, queryset, models.JobKind.BACKUP, _("Asked for a backup"))

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Any], kind: models.JobKind, said: str
    ) -> HttpResponse | None:
        targets = list(queryset)
        jobs = [tasks.start_job(target.alias, kind, actor=person(request)) for target in targets]
        self.log(request, targets, said)
        if len(jobs) == 1:
            return self.started(request, jobs[0])
        text = ngettext("%(n)s job was started.", "%(n)s jobs were started.", len(jobs)) % {"n": len(jobs)}
        url = reverse("admin:integrity_job_changelist")
        messages.info(request, format_html('{} <a href="{}">{}</a>', text, url, _("See how they go")))
        return None

    @admin.display(description=gettext_lazy("health"))
    def health(self, target: Any) -> str:
        """The one word that matters."""
        return states.badge(target.standing)

    @admin.display(description=gettext_lazy("errors"), ordering="errors_open")
    def errors(self, target: Any) -> str:
        """Open findings that are errors."""
        return self._findings(target, target.errors_open, models.Severity.ERROR)

    @admin.display(description=gettext_lazy("warnings"), ordering="warnings_open")
    def warnings(self, target: Any) -> str:
        """Open findings that are warnings."""
        return self._findings(target, target.warnings_open, models.Severity.WARNING)

    @admin.display(description=gettext_lazy("orphans"), ordering="orphans_open")
    def orphans(self, target: Any) -> str:
        """Rows that break a reference; leads to where somebody decides."""
        if target.last_audit_at is None:
            return cells.number(None)
        url = reverse("admin:integrity_orphanfinding_changelist") + f"?target__id__exact={target.pk}"
        return format_html('<a href="{}">{}</a>', url, cells.counted(target.orphans_open, _("orphans")))

    @admin.display(description=gettext_lazy("last audit"), ordering="last_audit_at")
    def audited(self, target: Any) -> Any:
        """When it was last looked at."""
        return cells.ago(target.last_audit_at)

    @admin.display(description=gettext_lazy("database"), ordering="vendor")
    def database(self, target: Any) -> str:
        """Its vendor and version."""
        return str(target.server)

    @admin.display(description=gettext_lazy("migrations"))
    def migrations(self, target: Any) -> str:
        """Leads to its migrations."""
        url = reverse("admin:integrity_target_migrations", args=[target.pk])
        return format_html('<a href="{}">{}</a>', url, _("Migrations"))

    def _findings(self, target: Any, how_many: int, severity: models.Severity) -> str:
        if target.last_audit_at is None:
            return cells.number(None)
        url = reverse("admin:integrity_finding_changelist")
        where = f"{url}?target__id__exact={target.pk}&severity__exact={severity.value}"
        return format_html('<a href="{}">{}</a>', where, cells.counted(how_many, severity.label))
