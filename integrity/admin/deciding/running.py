"""A plan is run exactly as it was shown, once, by whoever may do all that it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, actor, demand
from integrity.admin.deciding.rights import DECIDE, TITLES, is_decided_keep, permissions_for, resolving
from integrity.exceptions import AskedTwice
from integrity.plans import Plan, Step
from integrity.plans.plan import AnyStep
from integrity.references import Resolution

DUPLICATES = "duplicate_rows"
"""The code of findings about rows that share a value."""

About = dict[str, list[models.Finding]]
"""The findings that a plan is about, by how commands name them."""


def findings_of(plan: Plan) -> About:
    """The findings that a plan's steps are about."""
    codes: dict[str, Sequence[AnyStep]] = {
        models.ORPHANED_ROWS: plan.orphan_steps,
        DUPLICATES: plan.duplicate_steps,
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
        job = tasks.run_plan(plan.target, plan.hash, kind=kind_of(plan), after=last, actor=actor(request))
    except AskedTwice:
        return _once(request, plan)
    _store_decisions(request, plan, about)
    said = ngettext(
        "%(what)s, run by plan %(hash)s: %(rows)s row",
        "%(what)s, run by plan %(hash)s: %(rows)s rows",
        plan.touched,
    )
    _log(admin, request, plan, about, said)
    return admin.started(request, job)


def _once(request: HttpRequest, plan: Plan) -> HttpResponse:
    """Leads whoever asked twice to what came of asking once."""
    stored = models.StoredPlan.objects.get(target__alias=plan.target, hash=plan.hash)
    messages.warning(request, _("This plan was run since you looked at it. It was not started again."))
    here = reverse("admin:integrity_job_change", args=[stored.job_id]) if stored.job_id else request.path
    return HttpResponseRedirect(here)


def remember(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About, back: str) -> HttpResponse:
    """Stores the decisions of a plan, to be run later."""
    demand(request, DECIDE, *resolving(plan))
    _store_decisions(request, plan, about)
    _log(admin, request, plan, about, _("%(what)s, decided by plan %(hash)s, to be run later"))
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


def _log(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About, said: str) -> None:
    """An entry for each finding: what, of what part of it, and by which plan."""
    for label, findings in about.items():
        steps = [step for step in plan.steps if step.label == label and _decided(step)]
        if steps:
            facts = {"hash": plan.hash[:12], "rows": cells.grouped(plan.touched)}
            admin.log(request, findings, said % (facts | {"what": "; ".join(map(what_of, steps))}))


def _decided(step: AnyStep) -> bool:
    return bool(step.change) or is_decided_keep(step)


def _store_decisions(request: HttpRequest, plan: Plan, about: About) -> None:
    for step in plan.orphan_steps:
        if not _decided(step):
            continue
        given = [str(value) for _name, value in step.values]
        to = given if step.resolution is Resolution.REASSIGN and step.system_row is None else None
        more: dict[str, Any] = {}
        store.store_decision(
            about.get(step.label, []),
            step.resolution,
            actor=actor(request),
            to=to,
            reason=step.reason,
            **more,
        )
