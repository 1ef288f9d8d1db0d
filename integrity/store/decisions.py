"""What people decided, as requests for a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrity import models
from integrity.database.identifiers import parse_path
from integrity.plans import Plan, Request
from integrity.references.reference import Reference
from integrity.references.reference import Resolution as Kind
from integrity.store.site import site_database
from integrity.store.targets import count_open


def store_decision(
    findings: Iterable[models.Finding],
    decision: Kind | str,
    *,
    actor: str = "",
    to: Sequence[str] | None = None,
    reason: str = "",
    until: date | None = None,
) -> int:
    """Stores one decision for several findings.

    Args:
        findings: what it is about.
        decision: keep, delete, set_null or reassign.
        actor: who decided.
        to: the referenced key that ``reassign`` points at (None: the system row).
        reason: why.
        until: the last day of a ``keep`` (None: without end).

    Returns:
        For how many findings it was stored.
    """
    chosen = list(findings)
    now = timezone.now()
    with site_database(atomic=True):
        models.Resolution.objects.bulk_create(
            models.Resolution(
                finding_id=finding.pk,
                decision=str(decision),
                to_key=list(to) if to else None,
                reason=reason,
                until=until,
                decided_by=actor,
                decided_at=now,
            )
            for finding in chosen
        )
        kept = models.FindingState.KEPT if decision == Kind.KEEP else models.FindingState.OPEN
        standing = models.Finding.objects.filter(pk__in=[each.pk for each in chosen])
        standing.exclude(state=models.FindingState.RESOLVED).update(state=kept, decided=str(decision))
        count_open({each.target_id for each in chosen})
    return len(chosen)


def decisions_for(alias: str, *, on: date | None = None) -> list[Request]:
    """Returns the decisions that stand for a target's orphans, as requests for a plan.

    The latest of each finding counts. A keep that has expired, and whatever was decided before the
    orphans last came back, does not.
    """
    today = on or timezone.localdate()
    return [
        Request(
            reference=parse_path(each.finding.label),
            resolution=Kind(each.decision),
            to=tuple(each.to_key) if each.to_key else None,
            reason=each.reason,
            until=each.until.isoformat() if each.until else "",
        )
        for each in _standing(Q(finding__target__alias=alias))
        if not _expired(each, today)
    ]


def kept_until(alias: str, *, on: date | None = None) -> dict[str, date | None]:
    """Returns the references of a target whose orphans are kept by decision, each with its last day.

    ``orders.customer_id`` → the day, or None where the decision has no end; ``on`` is today.
    """
    today = on or timezone.localdate()
    kept = [each for each in _standing(Q(finding__target__alias=alias)) if each.decision == Kind.KEEP]
    return {each.finding.label: each.until for each in kept if not _expired(each, today)}


def store_kept(plan: Plan, *, actor: str = "") -> int:
    """Stores what a plan that was carried out keeps for a reason or until a day; returns how many."""
    stored = 0
    for step in plan.orphan_steps:
        if step.resolution is Kind.KEEP and (step.reason or step.until):
            until = date.fromisoformat(step.until) if step.until else None
            findings = _about(plan.target, step.reference)
            stored += store_decision(findings, Kind.KEEP, actor=actor, reason=step.reason, until=until)
    return stored


def reopen_expired(target_id: Any, *, on: date | None = None) -> None:
    """Opens the findings again whose keep has expired."""
    today = on or timezone.localdate()
    expired = [each.finding_id for each in _standing(Q(finding__target=target_id)) if _expired(each, today)]
    if expired:
        kept = models.Finding.objects.filter(pk__in=expired, state=models.FindingState.KEPT)
        kept.update(state=models.FindingState.OPEN, decided="")


def _standing(wanted: Q) -> list[models.Resolution]:
    """The latest decision of each finding that is not resolved, made since it was last opened."""
    with site_database():
        decided = models.Resolution.objects.filter(
            wanted, finding__code=models.ORPHANED_ROWS, decided_at__gte=F("finding__opened_at")
        )
        decided = decided.exclude(finding__state=models.FindingState.RESOLVED)
        latest = {each.finding_id: each for each in decided.select_related("finding").order_by("id")}
        return list(latest.values())


def _expired(resolution: models.Resolution, today: date) -> bool:
    return resolution.decision == Kind.KEEP and bool(resolution.until and resolution.until < today)


def _about(alias: str, reference: Reference) -> QuerySet[models.Finding]:
    with site_database():
        return models.Finding.objects.filter(
            target__alias=alias,
            code=models.ORPHANED_ROWS,
            label=reference.label,
            referenced_schema=reference.referenced_table.schema,
            referenced_table=reference.referenced_table.name,
        )
