"""A plan is run exactly as it was shown, once, by whoever may do all that it does."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, actor, demand, person
from integrity.admin.deciding.planning import address, lead_to, planned_anew
from integrity.admin.deciding.rights import (
    BACK_UP,
    DECIDE,
    TITLES,
    is_decided_keep,
    permissions_for,
    resolving,
)
from integrity.admin.serving import reverse
from integrity.exceptions import AskedTwice, ReferentialIntegrityError
from integrity.plans import Plan, Step
from integrity.plans.plan import AnyStep
from integrity.references import Resolution

MOMENT = 1.0
"""Seconds in which most runs that will not be begun say so."""

_MOVED = ("PlanMismatch", "TooManyRows")

About = dict[str, list[models.Finding]]
"""The findings that a plan is about, by how commands name them."""


def findings_of(plan: Plan) -> About:
    """The findings that a plan's steps are about."""
    codes: dict[str, Sequence[AnyStep]] = {
        models.ORPHANED_ROWS: plan.orphan_steps,
        models.DUPLICATE_ROWS: plan.duplicate_steps,
    }
    found: About = {}
    for code, steps in codes.items():
        if not steps:
            continue
        labels = {step.label for step in steps}
        kind = models.OrphanFinding if code == models.ORPHANED_ROWS else models.Finding
        about = kind.objects.filter(target__alias=plan.target, code=code, label__in=labels)
        for finding in about.select_related("target"):
            found.setdefault(finding.label, []).append(finding)
    return found


def kind_of(plan: Plan) -> models.RunKind:
    """What a run of a plan is for."""
    if plan.duplicate_steps:
        return models.RunKind.DEDUPLICATE
    changes = plan.orphan_changes
    reassigning = bool(changes) and all(step.resolution is Resolution.REASSIGN for step in changes)
    return models.RunKind.REASSIGN if reassigning else models.RunKind.CLEANUP


def run(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About) -> HttpResponse:
    """Starts a run of a plan; the caller saw to it that nothing is in the way."""
    demand(request, *permissions_for(plan))
    after = request.POST.get("after", "")
    last = int(after) if after.isdecimal() and len(after) < 19 else None
    try:
        with store.site_database(atomic=True):
            job = tasks.run_plan(
                plan.target, plan.hash, kind=kind_of(plan), after=last, actor=person(request)
            )
            store.store_decisions(plan, actor=actor(request))
            log_steps(admin, request, plan, about, _run_said(plan))
    except AskedTwice:
        return _once(request, plan)
    tasks.wait_for_job(job.pk, MOMENT)
    if was_stopped(store.load_job(job.pk)):
        return anew(admin, request, plan)
    return admin.started(request, job)


def _run_said(plan: Plan) -> str:
    return ngettext(
        "%(what)s, run by plan %(hash)s: %(rows)s row",
        "%(what)s, run by plan %(hash)s: %(rows)s rows",
        plan.touched,
    )


def was_stopped(job: models.Job | None) -> bool:
    """Whether a job ended before its first change, because the target is not as the plan says any more."""
    if job is None or job.state != models.RunState.FAILED:
        return False
    return (job.result or {}).get("problem") in _MOVED


def anew(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan) -> HttpResponse:
    """Makes a plan of the target as it is now, and shows what is different."""
    try:
        made = planned_anew(request, plan)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(address(plan.target, plan.hash))
    if isinstance(made, Plan) and made.hash == plan.hash:
        messages.info(request, _("The target is as it was: the plan is the same."))
        return lead_to(admin, request, made)
    return lead_to(admin, request, made, instead_of=plan.hash)


def back_up(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan) -> HttpResponse:
    """Takes a backup of the target, and stays with the plan."""
    demand(request, BACK_UP)
    job = tasks.start_job(plan.target, models.JobKind.BACKUP, actor=person(request))
    admin.log(request, [job.target], _("Asked for a backup"))
    url = reverse("admin:integrity_job_change", args=[job.pk])
    said, see = _("A backup is being taken."), _("See how it goes")
    messages.info(request, format_html('{} <a href="{}">{}</a>', said, url, see))
    return HttpResponseRedirect(address(plan.target, plan.hash))


def _once(request: HttpRequest, plan: Plan) -> HttpResponse:
    """Leads whoever asked twice to what came of asking once."""
    stored = models.StoredPlan.objects.get(target__alias=plan.target, hash=plan.hash)
    messages.warning(request, _("This plan was run since you looked at it. It was not started again."))
    here = reverse("admin:integrity_job_change", args=[stored.job_id]) if stored.job_id else request.path
    return HttpResponseRedirect(here)


def remember(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About, back: str) -> HttpResponse:
    """Stores the decisions of a plan, to be run later."""
    demand(request, DECIDE, *resolving(plan))
    store.store_decisions(plan, actor=actor(request))
    log_steps(admin, request, plan, about, _("%(what)s, decided by plan %(hash)s, to be run later"))
    messages.success(request, _("The decision is remembered. Nothing was changed in the target."))
    return HttpResponseRedirect(back)


def scope_of(step: AnyStep) -> str:
    """What of a finding a step is about, in words."""
    keys = len(step.keys) if isinstance(step, Step) else len(step.values)
    rows = len(getattr(step, "chosen_rows", ()))
    if keys:
        said = ngettext("%(n)s missing key", "%(n)s missing keys", keys)
        if not isinstance(step, Step):
            said = ngettext("%(n)s shared value", "%(n)s shared values", keys)
        return said % {"n": cells.grouped(keys)}
    if rows:
        return ngettext("%(n)s chosen row", "%(n)s chosen rows", rows) % {"n": cells.grouped(rows)}
    return ""


def what_of(step: AnyStep) -> str:
    """What a step does to what, in words."""
    title = TITLES[str(step.resolution) if isinstance(step, Step) else "deduplicate"]
    scope = scope_of(step)
    if not scope:
        return str(title)
    return _("%(decision)s (%(scope)s)") % {"decision": title, "scope": scope}


def log_steps(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About, said: str) -> None:
    """An entry for each finding: what, of what part of it, and by which plan; for what has none, one for
    the target."""
    facts = {"hash": plan.hash[:12], "rows": cells.grouped(plan.touched)}
    alone: list[AnyStep] = []
    labels = {step.label: [each for each in plan.steps if each.label == step.label] for step in plan.steps}
    for label, steps in labels.items():
        decided = [step for step in steps if step.change or is_decided_keep(step)]
        if decided and about.get(label):
            admin.log(request, about[label], said % (facts | {"what": _listed(decided)}))
        else:
            alone += decided
    if alone:
        targets = list(models.Target.objects.filter(alias=plan.target))
        admin.log(request, targets, said % (facts | {"what": _listed(alone)}))


def _listed(steps: Sequence[AnyStep]) -> str:
    return "; ".join(dict.fromkeys(map(what_of, steps)))
