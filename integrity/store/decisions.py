"""What people decide is written down: about whole findings, single missing keys, chosen rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from integrity import models
from integrity.plans import DuplicateStep, Plan, Step
from integrity.plans.plan import AnyStep
from integrity.plans.steps import KeyTexts
from integrity.references.reference import Resolution as Kind
from integrity.store.site import site_database
from integrity.store.standing import Standing
from integrity.store.targets import count_open


def store_decision(
    findings: Iterable[models.Finding],
    decision: Kind | str,
    *,
    actor: str = "",
    to: Sequence[str] | None = None,
    reason: str = "",
    until: date | None = None,
    keys: Sequence[KeyTexts] = (),
    rows: Sequence[KeyTexts] = (),
    plan_hash: str = "",
) -> int:
    """Stores one decision for several findings.

    A finding is kept, or decided, by what is decided for the whole of it: a decision about some of its
    missing keys or rows leaves its state as it is.

    Args:
        findings: what it is about.
        decision: a resolution, ``deduplicate``, or ``withdraw`` (see :mod:`integrity.store.withdrawing`).
        actor: who decided.
        to: the referenced key that ``reassign`` points at (None: the system row).
        reason: why.
        until: the last day of a ``keep`` (None: without end).
        keys: the missing keys, or shared values, that it is about, as text.
        rows: the primary keys of the rows that it is about, as text (no keys and no rows: everything).
        plan_hash: the plan by which it was made.

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
                keys=[list(key) for key in keys],
                rows=[list(row) for row in rows],
                plan_hash=plan_hash,
                reason=reason,
                until=until,
                decided_by=actor,
                decided_at=now,
            )
            for finding in chosen
        )
        if not keys and not rows:
            kept = models.FindingState.KEPT if decision == Kind.KEEP else models.FindingState.OPEN
            decided = "" if decision == models.Decision.WITHDRAW else str(decision)
            standing = models.Finding.objects.filter(pk__in=[each.pk for each in chosen])
            standing.exclude(state=models.FindingState.RESOLVED).update(state=kept, decided=decided)
            count_open({each.target_id for each in chosen})
    return len(chosen)


def store_decisions(plan: Plan, *, actor: str = "") -> int:
    """Stores what a plan decides, each with its scope and the plan's hash; returns how many were new.

    What is kept because nobody decided is no decision, and what stands already is not stored again.
    """
    return _stored(plan, [step for step in plan.steps if _decides(step)], actor)


def store_kept(plan: Plan, *, actor: str = "") -> int:
    """Stores what a plan that was carried out keeps for a reason or until a day; returns how many."""
    kept = [step for step in plan.orphan_steps if step.resolution is Kind.KEEP and _decides(step)]
    return _stored(plan, kept, actor)


def findings_about(alias: str, step: AnyStep) -> QuerySet[models.Finding]:
    """Returns the findings of a target that a step of a plan is about."""
    found = models.Finding.objects.filter(target__alias=alias, label=step.label)
    if isinstance(step, DuplicateStep):
        return found.filter(code=models.DUPLICATE_ROWS)
    parent = step.reference.referenced_table
    return found.filter(
        code=models.ORPHANED_ROWS, referenced_schema=parent.schema, referenced_table=parent.name
    )


def _decides(step: AnyStep) -> bool:
    return bool(step.change) or (isinstance(step, Step) and bool(step.reason or step.until))


def _stored(plan: Plan, steps: Sequence[AnyStep], actor: str) -> int:
    stored = 0
    with site_database(atomic=True):
        for step in steps:
            facts = _facts(step)
            open_ones = findings_about(plan.target, step).exclude(state=models.FindingState.RESOLVED)
            new = [finding for finding in open_ones if not _stands(finding, facts)]
            if new:
                stored += store_decision(new, actor=actor, plan_hash=plan.hash, **facts)
    return stored


def _facts(step: AnyStep) -> dict[str, Any]:
    """What a step decides, as it is stored."""
    if isinstance(step, DuplicateStep):
        return {"decision": str(models.Decision.DEDUPLICATE), "keys": step.values}
    given = [str(value) for _, value in step.values]
    return {
        "decision": str(step.resolution),
        "to": given if step.resolution is Kind.REASSIGN and step.system_row is None else None,
        "reason": step.reason,
        "until": date.fromisoformat(step.until) if step.until else None,
        "keys": step.keys,
        "rows": step.chosen_rows,
    }


def _stands(finding: models.Finding, facts: dict[str, Any]) -> bool:
    """Whether the very same stands decided already."""
    if facts["decision"] in (models.Decision.RELINK, models.Decision.DEDUPLICATE):
        return False  # what these mean is in their plan
    standing = Standing(finding)
    for made in finding.resolutions.filter(decided_at__gte=finding.opened_at).order_by("id"):
        standing.add(made)
    latest = [standing.keys.get(key) for key in facts["keys"]]
    latest += [standing.rows.get(row) for row in facts["rows"]]
    return all(made is not None and _says(made, facts) for made in latest or [standing.general])


def _says(made: models.Resolution, facts: dict[str, Any]) -> bool:
    said = {"decision": made.decision, "to": made.to_key, "reason": made.reason, "until": made.until}
    return all(value == facts[name] for name, value in said.items())
