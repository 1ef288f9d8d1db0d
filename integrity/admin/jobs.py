"""Long work: how far it is, and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integrity import models, store
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, actor, may

REFRESH_SECONDS = 2

PERMISSIONS = {
    models.JobKind.AUDIT: ("audit_target",),
    models.JobKind.BACKUP: ("audit_target",),
    models.JobKind.REPAIR: ("cleanup_finding", "set_null_finding", "reassign_finding"),
    models.JobKind.ROLLBACK: ("roll_back_repair",),
    models.JobKind.MIGRATE: ("apply_migrations",),
}
"""Who may stop a job: whoever asked for it, and whoever may ask for all of its kind."""


@admin.register(models.Job)
class JobAdmin(ReadOnlyAdmin):
    """Work that a page asked for; its page renews itself until it is over."""

    list_display = ["__str__", "state_badge", "progress", "created_at", "finished_at", "actor"]
    list_filter = ["target", "kind", "state", "created_at"]
    list_select_related = ["target"]
    fields = [
        "target", "kind", "state_badge", "total", "result", "error", "actor", "created_at", "started_at",
        "signs_of_life_at", "finished_at",
    ]  # fmt: skip
    hidden_when_empty = ("error", "total", "result", "started_at", "finished_at")
    shown_as = {"total": "progress", "result": "outcome"}
    change_form_template = "admin/integrity/job.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Shows numbers as a bar, and a result as where it leads."""
        return [self.shown_as.get(name, name) for name in super().get_fields(request, obj)]

    def get_urls(self) -> list[URLPattern]:
        """Adds the wish to stop."""
        stop = require_POST(self.admin_site.admin_view(self.stop_view))
        return [path("<int:pk>/stop/", stop, name="integrity_job_stop"), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Renews itself while something may still happen."""
        job = models.Job.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        waiting = job is not None and not job.is_over
        may_stop = waiting and job is not None and _may_stop(request, job)
        context = {**(extra_context or {}), "job": job, "waiting": waiting, "may_stop": may_stop}
        response = super().change_view(request, object_id, form_url, context)
        if waiting:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks a job to stop between two batches."""
        job = get_object_or_404(models.Job, pk=pk)
        if not _may_stop(request, job):
            raise PermissionDenied
        if store.ask_job(pk, models.Wish.CANCEL):
            self.log(request, [job], _("Asked to stop"))
            messages.info(request, _("It stops after the batch that it is at."))
        return HttpResponseRedirect(reverse("admin:integrity_job_change", args=[pk]))

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, job: models.Job) -> str:
        """Where it stands."""
        return cells.badge(job.state, job.get_state_display())

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, job: models.Job) -> str:
        """How far it is."""
        if not job.total:
            return job.at or "–"
        done = _("%(done)s of %(total)s") % {
            "done": cells.grouped(job.done),
            "total": cells.grouped(job.total),
        }
        bar = '<progress class="integrity-progress" value="{}" max="{}"></progress> {} {}'
        shown = job.total if job.state == models.RunState.FINISHED else job.done
        return format_html(bar, shown, job.total, "" if job.is_over else done, "" if job.is_over else job.at)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, job: models.Job) -> str:
        """Where what came of it can be seen."""
        result = job.result or {}
        if audit := result.get("audit_run"):
            url = reverse("admin:integrity_finding_changelist")
            where = f"{url}?target__id__exact={job.target_id}&last_seen_run__id__exact={audit}"
            return format_html(
                '<a href="{}">{}</a>', where, _("%(n)s findings") % {"n": result.get("findings", 0)}
            )
        if run := result.get("run"):
            known = models.RepairRun.objects.filter(target=job.target_id, number=run).first()
            url = reverse("admin:integrity_repairrun_change", args=[known.pk]) if known else ""
            return format_html('<a href="{}">{}</a>', url, _("Run %(run)s") % {"run": run}) if known else "–"
        if "migrations" in result:
            url = reverse("admin:integrity_target_migrations", args=[job.target_id])
            return format_html(
                '<a href="{}">{}</a>', url, ", ".join(result["migrations"]) or _("nothing to do")
            )
        return str(result.get("file", "–"))


def _may_stop(request: HttpRequest, job: models.Job) -> bool:
    own = job.actor == actor(request)
    return own or may(request, *PERMISSIONS[models.JobKind(job.kind)])
