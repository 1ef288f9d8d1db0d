"""Repairs and rollbacks, and taking a repair back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, demand, may, person
from integrity.admin.deciding.rights import permissions_to_go_on
from integrity.admin.quarantine import Chosen, browse, can_be_taken_back, download, put_back, restore
from integrity.admin.repair_runs.changed_rows import changed_rows
from integrity.admin.repair_runs.showing import shown
from integrity.admin.repair_runs.telling import in_short
from integrity.admin.serving import reverse

LONGEST_NUMBER = 19

_STOPPED = (
    models.RunState.PAUSED,
    models.RunState.FAILED,
    models.RunState.CANCELLED,
    models.RunState.INTERRUPTED,
)


@admin.register(models.RepairRun)
class RepairRunAdmin(ReadOnlyAdmin):
    """What was changed, mirrored from the targets' journals."""

    list_display = ["run", "state_badge", "done", "refused_rows", "started_ago", "actor"]
    list_filter = ["target", "kind", "state", "started_at"]
    search_fields = ["plan_hash", "actor", "error"]
    list_select_related = ["target"]
    actions = ["roll_back"]
    permissions_of_actions = {"roll_back": "roll_back_repair"}

    def get_urls(self) -> list[URLPattern]:
        """Adds the quarantine, the page that takes a run back, and the wish to go on with one."""
        view = self.admin_site.admin_view(self.roll_back_view)
        resume = require_POST(self.admin_site.admin_view(self.resume_view))
        rows = self.admin_site.admin_view(partial(changed_rows, self))
        quarantine = self.admin_site.admin_view(partial(browse, self))
        restoring = self.admin_site.admin_view(partial(restore, self))
        csv = self.admin_site.admin_view(partial(download, self))
        return [
            path("quarantine/", quarantine, name="integrity_quarantine"),
            path("quarantine/restore/", restoring, name="integrity_quarantine_restore"),
            path("quarantine/csv/", csv, name="integrity_quarantine_csv"),
            path("<int:pk>/rows/", rows, name="integrity_repairrun_rows"),
            path("<int:pk>/roll-back/", view, name="integrity_repairrun_roll_back"),
            path("<int:pk>/resume/", resume, name="integrity_repairrun_resume"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A page of our own: what was done, the proof, and what can be done about it."""
        if request.method == "POST" or not self.has_view_permission(request):
            raise PermissionDenied
        known = object_id.isdecimal() and len(object_id) < LONGEST_NUMBER
        found = models.RepairRun.objects.select_related("target")
        run = found.filter(pk=object_id).first() if known else None
        if run is None:
            raise Http404(_("There is no such run."))
        context = shown(request, run) | {
            "may_roll_back": may(request, "roll_back_repair") and can_be_taken_back(run),
            "may_resume": can_go_on(run) and may(request, *permissions_to_go_on(run)),
            **(extra_context or {}),
        }
        return self.page(request, "repair_run.html", str(run), **context)

    @admin.action(description=gettext_lazy("Roll back…"))
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Takes one run back, after its page was seen."""
        runs = list(queryset[:2])
        if len(runs) != 1:
            messages.error(request, _("Choose one run: runs are taken back one by one, the newest first."))
            return None
        return HttpResponseRedirect(reverse("admin:integrity_repairrun_roll_back", args=[runs[0].pk]))

    def roll_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows what comes back; a POST takes it back."""
        demand(request, "roll_back_repair")
        run = get_object_or_404(models.RepairRun.objects.select_related("target"), pk=pk)
        return put_back(self, request, Chosen(run), confirmed=request.method == "POST")

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Goes on with a run that was stopped, by the plan that its journal holds."""
        run = get_object_or_404(models.RepairRun.objects.select_related("target"), pk=pk)
        demand(request, *permissions_to_go_on(run))
        if not can_go_on(run):
            messages.error(request, _("There is nothing to go on with: the run is over."))
            return HttpResponseRedirect(reverse("admin:integrity_repairrun_change", args=[pk]))
        arguments = {"resume": run.number}
        for job in store.open_jobs(run.target.alias, models.JobKind.REPAIR):
            if job.arguments == arguments:
                return self.started(request, job)
        job = tasks.start_job(run.target.alias, models.JobKind.REPAIR, arguments, actor=person(request))
        self.log(request, [run], _("Asked to go on"))
        return self.started(request, job)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, run: models.RepairRun) -> str:
        """Where it stands."""
        return cells.badge(run.state, run.get_state_display())

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started_ago(self, run: models.RepairRun) -> str:
        """How long ago it began."""
        return cells.ago(run.started_at)

    @admin.display(description=gettext_lazy("refused"), ordering="rows_refused")
    def refused_rows(self, run: models.RepairRun) -> str:
        """Rows that it left alone."""
        return cells.counted(run.rows_refused, _("refused"))

    @admin.display(description=gettext_lazy("run"), ordering="number")
    def run(self, run: models.RepairRun) -> str:
        """Its number and target, and what it was for."""
        return cells.two_lines(run, run.get_kind_display())

    @admin.display(description=gettext_lazy("what it did"), ordering="rows_changed")
    def done(self, run: models.RepairRun) -> str:
        """In numbers."""
        return in_short(run)


def can_go_on(run: models.RepairRun) -> bool:
    """Whether a run stopped before its end."""
    return run.kind != models.RunKind.ROLLBACK and run.state in _STOPPED
