"""The list of jobs, and the page of each, live while it goes on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.jobs import rights
from integrity.admin.jobs.running import counted, facts, took
from integrity.admin.jobs.workers import carried_out, workers
from integrity.admin.serving import reverse
from integrity.admin.without_values import told

_TAKING_UP = (
    ("resume", gettext_lazy("Go on")),
    ("retry", gettext_lazy("Try again")),
    ("restart", gettext_lazy("Start again")),
    ("ask", gettext_lazy("Ask for it again")),
)


@admin.register(models.Job)
class JobAdmin(ReadOnlyAdmin):
    """Work that a page asked for; its page renews itself until it is over."""

    list_display = ["named", "standing", "asked", "lasted", "carried_by"]
    list_filter = ["kind", "state", "target", "created_at"]
    list_select_related = ["target"]
    change_list_template = "admin/integrity/job_list.html"

    class Media:
        css = {"all": ["integrity/run.css"]}

    def get_urls(self) -> list[URLPattern]:
        """Adds how far a job is, and the wishes for it."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/state/", view(require_safe(self.state_view)), name="integrity_job_state"),
            path("<int:pk>/stop/", view(require_POST(self.stop_view)), name="integrity_job_stop"),
            path("<int:pk>/pause/", view(require_POST(self.pause_view)), name="integrity_job_pause"),
            path("<int:pk>/resume/", view(require_POST(self.resume_view)), name="integrity_job_resume"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Says also who carries jobs out, and which have lost their process."""
        tasks.see_lost_jobs()
        there = workers(request)
        silent = any(each.is_silent for each in there or ())
        context = {"carried_out": carried_out(), "workers": there, "silent": silent}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows a job; while something may still happen the page renews itself."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if not object_id.isdecimal():
            raise Http404
        job = self._seen(request, int(object_id))
        may_do, can = rights.allowed(request, job), rights.possible(job)
        context = {**facts(job), "may_do": may_do, "can": may_do & can, "original": job}
        context["taking_up"] = [each for each in _TAKING_UP if each[0] in may_do]
        return self.page(request, "job.html", capfirst(str(job)), **context)

    def state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the parts of the page that change, for its script."""
        job = self._seen(request, pk)
        can = rights.allowed(request, job) & rights.possible(job)
        response = render(request, "admin/integrity/job_state.html", {**facts(job), "can": can})
        response["Cache-Control"] = "no-store"
        return response

    def stop_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks a job to end where nothing is half done."""
        return self._asked(request, pk, models.Wish.CANCEL, _("Asked to stop"))

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks a job to stop between two batches, to be gone on with."""
        return self._asked(request, pk, models.Wish.PAUSE, _("Asked to pause"))

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Goes on with a job, or begins it anew."""
        job = get_object_or_404(models.Job.objects.select_related("target"), pk=pk)
        if not rights.may_resume(request, job):
            raise PermissionDenied
        ways = rights.possible(job).intersection(rights.TAKING_UP)
        if ways and tasks.resume_job(pk):
            self.log(request, [job], _("Asked to go on") if "resume" in ways else _("Asked to begin again"))
        else:
            messages.warning(request, _("There is nothing to go on with: it is under way, or over."))
        return self._back(pk)

    def _asked(self, request: HttpRequest, pk: int, wish: models.Wish, said: str) -> HttpResponse:
        job = get_object_or_404(models.Job, pk=pk)
        pausing = wish == models.Wish.PAUSE
        if not rights.may_stop(request, job) or (pausing and job.kind not in rights.PAUSABLE):
            raise PermissionDenied
        if store.ask_job(pk, wish):
            self.log(request, [job], said)
        else:
            messages.warning(request, _("There is nothing to stop: it is over."))
        return self._back(pk)

    def _seen(self, request: HttpRequest, pk: int) -> models.Job:
        """A job for whoever may see it, after a look at whether its process is there."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        tasks.see_lost_jobs()
        job = get_object_or_404(models.Job.objects.select_related("target"), pk=pk)
        job.error = told(request, job.error)  # to be shown; jobs are changed by their number alone
        return job

    def _back(self, pk: int) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:integrity_job_change", args=[pk]))

    @admin.display(description=gettext_lazy("job"), ordering="kind")
    def named(self, job: models.Job) -> str:
        """What it does, and to which target."""
        return cells.two_lines(capfirst(job.get_kind_display()), job.target)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def standing(self, job: models.Job) -> str:
        """Where it stands, and how far it is while it is not over."""
        badge = cells.badge(job.state, job.get_state_display())
        if job.is_over or not job.total:
            return badge
        bar = (
            '{}<br><progress class="integrity-progress" value="{}" max="{}" aria-label="{}"></progress><br>{}'
        )
        return format_html(bar, badge, job.done, job.total, _("progress"), counted(job))

    @admin.display(description=gettext_lazy("asked for"), ordering="created_at")
    def asked(self, job: models.Job) -> str:
        """When, and by whom."""
        return cells.two_lines(cells.ago(job.created_at), job.actor)

    @admin.display(description=gettext_lazy("took"))
    def lasted(self, job: models.Job) -> str:
        """How long it took."""
        return took(job) or "–"

    @admin.display(description=gettext_lazy("carried out by"))
    def carried_by(self, job: models.Job) -> str:
        """Who has it."""
        return cells.two_lines(job.get_carrier_display(), job.worker) if job.carrier else "–"
