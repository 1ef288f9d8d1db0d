"""From a decision to a plan, from a plan to a run: what is shown is what runs."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models, store, tasks
from integrity.admin.base import ReadOnlyAdmin, actor, demand, may
from integrity.database.identifiers import parse_path, shown
from integrity.exceptions import PlanMismatch, ReferentialIntegrityError
from integrity.plans import Plan, Request
from integrity.references import Resolution

PERMISSIONS = {
    "delete": "cleanup_finding",
    "set_null": "set_null_finding",
    "reassign": "reassign_finding",
    "keep": "keep_finding",
}
"""The permission that each decision needs."""

TITLES = {
    "delete": gettext_lazy("Delete to quarantine"),
    "set_null": gettext_lazy("Set NULL"),
    "reassign": gettext_lazy("Reassign"),
    "keep": gettext_lazy("Keep"),
}


class KeepForm(forms.Form):
    """Why orphans stay, and until when."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("The last day. Without one, they are kept until somebody decides otherwise."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def clean_until(self) -> date | None:
        """Refuses a day that is over."""
        until: date | None = self.cleaned_data["until"]
        if until and until < timezone.localdate():
            raise forms.ValidationError(_("That day is over."))
        return until


def decide(admin: ReadOnlyAdmin, request: HttpRequest, decision: str) -> HttpResponse:
    """The page of one decision, for the findings that were posted or named in the address."""
    if decision not in PERMISSIONS:
        raise Http404
    demand(request, PERMISSIONS[decision])
    data = request.POST if request.method == "POST" else request.GET
    chosen = [pk for pk in data.getlist(ACTION_CHECKBOX_NAME) if pk.isdecimal()]
    findings = admin.get_queryset(request).filter(pk__in=chosen)
    return preview(admin, request, findings, models.Decision(decision)) or _back()


def preview(
    admin: ReadOnlyAdmin, request: HttpRequest, findings: QuerySet[Any], decision: models.Decision
) -> HttpResponse | None:
    """Shows what a decision would do; None, with a message, where that cannot be said."""
    demand(request, PERMISSIONS[decision])
    standing = list(findings.exclude(state=models.FindingState.RESOLVED).select_related("target"))
    aliases = {finding.target.alias for finding in standing}
    if not standing:
        messages.warning(request, _("These findings are resolved already: there is nothing to decide."))
        return None
    if len(aliases) > 1:
        messages.error(request, _("Choose findings of one target: a plan is for one."))
        return None
    if decision == models.Decision.KEEP:
        return _keep(admin, request, standing)
    try:
        plan = tasks.plan_and_store(
            aliases.pop(), _requests(request, standing, decision), actor=actor(request)
        )
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return None
    return _page(admin, request, plan, standing, decision)


def plan_page(admin: ReadOnlyAdmin, request: HttpRequest, alias: str, plan_hash: str) -> HttpResponse:
    """Shows a stored plan; a POST runs it, or remembers its decisions for later."""
    try:
        plan = store.load_plan(alias, plan_hash)
    except PlanMismatch as error:
        admin.refused(request, error)
        return _back()
    findings = _findings_of(plan)
    if request.method != "POST":
        if not admin.has_view_permission(request):
            raise PermissionDenied
        return _page(admin, request, plan, findings)
    if "decide" in request.POST:
        return _remember(admin, request, plan, findings)
    return _run(admin, request, plan, findings)


def _run(
    admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, findings: list[models.Finding]
) -> HttpResponse:
    demand(request, *permissions_for(plan))
    _store_decisions(request, plan, findings)
    reassigning = bool(plan.orphan_changes) and all(
        step.resolution is Resolution.REASSIGN for step in plan.orphan_changes
    )
    kind = models.RunKind.REASSIGN if reassigning else models.RunKind.CLEANUP
    kind = models.RunKind.DEDUPLICATE if plan.duplicate_steps else kind
    arguments = {"plan": plan.hash, "kind": str(kind)}
    job = tasks.start_job(plan.target, models.JobKind.REPAIR, arguments, actor=actor(request))
    said = ngettext("Plan %(hash)s: %(rows)s row", "Plan %(hash)s: %(rows)s rows", plan.touched)
    admin.log(request, findings, said % {"hash": plan.hash[:12], "rows": plan.touched})
    return admin.started(request, job)


def _remember(
    admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, findings: list[models.Finding]
) -> HttpResponse:
    demand(request, "decide_finding", *permissions_for(plan))
    _store_decisions(request, plan, findings)
    admin.log(request, findings, _("Decided by plan %(hash)s, to be run later") % {"hash": plan.hash[:12]})
    messages.success(request, _("The decision is remembered. Nothing was changed in the target."))
    return _back()


def _keep(admin: ReadOnlyAdmin, request: HttpRequest, findings: list[models.Finding]) -> HttpResponse:
    form = KeepForm(request.POST if "reason" in request.POST else None)
    if form.is_valid():
        reason, until = form.cleaned_data["reason"], form.cleaned_data["until"]
        store.store_decision(findings, models.Decision.KEEP, actor=actor(request), reason=reason, until=until)
        admin.log(request, findings, _("Kept: %(reason)s") % {"reason": reason})
        messages.success(request, _("The orphans are kept. Nothing was changed in the target."))
        return _back()
    rows = sum(finding.rows for finding in findings)
    title = _("Keep orphans of %(target)s") % {"target": findings[0].target}
    return admin.page(request, "keep.html", title, form=form, findings=findings, rows=rows)


def permissions_for(plan: Plan) -> list[str]:
    """Returns the permissions that running a plan needs: those of everything that it does."""
    needed = {PERMISSIONS[str(step.resolution)] for step in plan.orphan_steps}
    return sorted(needed | ({PERMISSIONS["delete"]} if plan.duplicate_steps else set()))


def _page(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    plan: Plan,
    findings: list[models.Finding],
    decision: models.Decision | None = None,
) -> HttpResponse:
    titled = TITLES[decision] if decision else _("Plan")
    radius = sorted(plan.blast_radius().items())
    context = {
        "plan": plan,
        "steps": [(step, shown(step.predicate)) for step in plan.orphan_steps],
        "duplicate_steps": [(step, shown(step.predicate)) for step in plan.duplicate_steps],
        "radius": [(table, tally) for table, tally in radius if tally.touched],
        "blocked": sum(step.blocked for step in plan.steps),
        "triggers": sorted({name for step in plan.steps for name in _triggers(step)}),
        "findings": findings,
        "decision": decision,
        "to": request.POST.get("to", ""),
        "may_run": bool(plan.changing_steps) and may(request, *permissions_for(plan)),
        "may_decide": may(request, "decide_finding"),
        "last_backup": store.last_backup(plan.target),
    }
    title = _("%(decision)s: %(target)s") % {"decision": titled, "target": plan.target}
    return admin.page(request, "plan.html", title, **context)


def _triggers(step: Any) -> list[str]:
    return [*step.triggers, *(name for effect in step.effects for name in effect.triggers)]


def _requests(
    request: HttpRequest, findings: list[models.Finding], decision: models.Decision
) -> list[Request]:
    to = [part.strip() for part in request.POST.get("to", "").split(",") if part.strip()]
    return [
        Request(
            reference=parse_path(finding.label),
            resolution=Resolution(decision),
            to=tuple(to) if to and decision == models.Decision.REASSIGN else None,
        )
        for finding in findings
    ]


def _findings_of(plan: Plan) -> list[models.Finding]:
    """The findings that a plan's steps are about."""
    labels = {step.label for step in plan.orphan_steps}
    found = models.OrphanFinding.objects.filter(target__alias=plan.target, label__in=labels)
    return list(found.select_related("target"))


def _store_decisions(request: HttpRequest, plan: Plan, findings: list[models.Finding]) -> None:
    for step in plan.orphan_steps:
        if step.keys:
            continue  # a decision is about a whole finding
        about = [finding for finding in findings if finding.label == step.reference.label]
        given = [str(value) for _name, value in step.values]
        to = given if step.resolution is Resolution.REASSIGN and step.system_row is None else None
        store.store_decision(about, step.resolution, actor=actor(request), to=to, reason=step.reason)


def _back() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:integrity_orphanfinding_changelist"))
