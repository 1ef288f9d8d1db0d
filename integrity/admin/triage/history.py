"""What was decided about a finding: by whom, when, for what of it, why, and by which plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store
from integrity.admin.base import may
from integrity.admin.cells import grouped
from integrity.admin.deciding.withdrawing import may_withdraw
from integrity.admin.serving import reverse

SHOWN_AT_MOST = 20
LOOKED_THROUGH = 10
"""The latest plans of a target that wait for approval: to know what they are about, they are read."""


@dataclass(frozen=True)
class Decided:
    """One decision as the page shows it."""

    resolution: models.Resolution
    title: str
    scope: str
    plan: str
    job: str
    withdraw: str


def decisions(request: HttpRequest, finding: models.Finding) -> list[Decided]:
    """Returns the latest decisions, the latest first."""
    made = models.Resolution.objects.filter(finding=finding.pk).order_by("-pk")
    found = list(made[:SHOWN_AT_MOST])
    for each in found:
        each.finding = finding
    standing = store.stands(store.standing_of(finding)) if found else set()
    plans = _plans(finding, {each.plan_hash for each in found if each.plan_hash})
    return [_decided(request, finding, each, plans, stands=each.pk in standing) for each in found]


def waiting(request: HttpRequest, finding: models.Finding) -> list[tuple[models.Approval, str]]:
    """Returns the plans for this finding that wait for a second person, each with its address."""
    if not may(request, "view_approval"):
        return []
    asked = store.waiting_approvals().filter(plan__target=finding.target_id)
    found = asked.annotate(steps=F("plan__plan__steps")).defer("plan__plan", "plan__notes")[:LOOKED_THROUGH]
    about = [each for each in found if _is_about(each.steps, finding)]
    return [(each, _plan_address(finding, each.plan.hash)) for each in about]


def _is_about(steps: Any, finding: models.Finding) -> bool:
    references = [step.get("reference") or {} for step in steps or []]
    return any(each.get("label") == finding.label for each in references)


def _plans(finding: models.Finding, hashes: set[str]) -> dict[str, int | None]:
    """The job that last ran each of these plans."""
    if not hashes:
        return {}
    stored = models.StoredPlan.objects.filter(target=finding.target_id, hash__in=hashes)
    return dict(stored.values_list("hash", "job"))


def _decided(
    request: HttpRequest,
    finding: models.Finding,
    made: models.Resolution,
    plans: dict[str, int | None],
    *,
    stands: bool,
) -> Decided:
    job = plans.get(made.plan_hash)
    return Decided(
        resolution=made,
        title=str(capfirst(made.get_decision_display())),
        scope=scope_of(made),
        plan=_plan_address(finding, made.plan_hash) if made.plan_hash in plans else "",
        job=reverse("admin:integrity_job_change", args=[job]) if job and may(request, "view_job") else "",
        withdraw=_withdrawal(made) if stands and may_withdraw(request, made.decision) else "",
    )


def _withdrawal(made: models.Resolution) -> str:
    return reverse("admin:integrity_orphanfinding_withdraw", args=[made.pk])


def _plan_address(finding: models.Finding, plan_hash: str) -> str:
    return reverse("admin:integrity_orphanfinding_plan", args=[finding.target.alias, plan_hash])


def scope_of(made: models.Resolution) -> str:
    """What a decision is about."""
    if made.rows:
        said = ngettext("%(number)s chosen row", "%(number)s chosen rows", len(made.rows))
        return said % {"number": grouped(len(made.rows))}
    if made.keys and made.finding.code == models.DUPLICATE_ROWS:
        said = ngettext("%(number)s shared value", "%(number)s shared values", len(made.keys))
        return said % {"number": grouped(len(made.keys))}
    if made.keys:
        said = ngettext("%(number)s missing key", "%(number)s missing keys", len(made.keys))
        return said % {"number": grouped(len(made.keys))}
    return _("the whole finding")
