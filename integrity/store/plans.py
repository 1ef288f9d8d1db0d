"""Plans under their hashes: what was shown is what runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from integrity import models
from integrity.exceptions import PlanMismatch
from integrity.plans import Plan
from integrity.store.people import Actor, known
from integrity.store.site import site_database
from integrity.store.targets import target_row

SHORTEST_PREFIX = 8


def store_plan(plan: Plan, *, actor: Actor = "") -> models.StoredPlan:
    """Stores a plan under its hash; the same plan is stored once."""
    target, maker = target_row(plan.target), known(actor)
    facts = {"plan": _plain(plan.as_json()), "notes": list(plan.notes)}
    facts |= {"created_by": maker.name, "created_by_key": maker.key}
    with site_database():
        stored, _ = models.StoredPlan.objects.get_or_create(target=target, hash=plan.hash, defaults=facts)
        return stored


def claim_plan(alias: str, plan_hash: str, job: models.Job, *, after: int | None) -> bool:
    """Lets a job run a plan, unless another one was let meanwhile.

    Args:
        alias: the target.
        plan_hash: the whole hash of a stored plan.
        job: who is to run it.
        after: the job that ran it last, as whoever asks was shown (None: nobody).

    Returns:
        Whether the plan is the job's: not while the one before is still under way.
    """
    going = models.Job.objects.filter(state__in=(models.RunState.PLANNED, models.RunState.RUNNING))
    with site_database():
        stored = models.StoredPlan.objects.filter(target__alias=alias, hash=plan_hash, job=after)
        return bool(stored.exclude(job__in=going).update(job=job))


def load_plan(alias: str, hash_prefix: str) -> Plan:
    """Returns the stored plan whose hash begins with ``hash_prefix`` (8 characters or more).

    Raises:
        PlanMismatch: when it is too short, unknown, or begins more than one.
    """
    prefix = hash_prefix.strip().lower()
    if len(prefix) < SHORTEST_PREFIX:
        raise PlanMismatch(
            f"{hash_prefix!r} is too short to say which plan is meant",
            where=alias,
            hint=f"Give at least {SHORTEST_PREFIX} characters of its hash.",
        )
    with site_database():
        stored = models.StoredPlan.objects.filter(target__alias=alias, hash__startswith=prefix)
        found = list(stored.order_by("-id")[:2])
    if len(found) != 1:
        raise _unknown(alias, prefix) if not found else _ambiguous(alias, prefix)
    return _plan(found[0], alias)


def _plan(stored: models.StoredPlan, alias: str) -> Plan:
    try:
        plan = replace(Plan.from_json(stored.plan), notes=tuple(stored.notes))
    except (KeyError, TypeError, ValueError) as error:
        raise _changed(stored, alias) from error
    if plan.hash != stored.hash or plan.target != alias:
        raise _changed(stored, alias)
    return plan


def _plain(data: dict[str, Any]) -> Any:
    """What JSON can hold; dates and the like as the text that the hash was made of."""
    return json.loads(json.dumps(data, default=str))


def _unknown(alias: str, prefix: str) -> PlanMismatch:
    return PlanMismatch(
        f"No plan begins with {prefix}",
        where=alias,
        hint=f"Make one with: manage.py integrity_plan {alias}, and give the hash that it prints.",
    )


def _ambiguous(alias: str, prefix: str) -> PlanMismatch:
    return PlanMismatch(
        f"More than one plan begins with {prefix}", where=alias, hint="Give more characters of the hash."
    )


def _changed(stored: models.StoredPlan, alias: str) -> PlanMismatch:
    return PlanMismatch(
        f"The stored plan {stored.hash[:12]} is not what its hash says",
        where=alias,
        hint=f"It was made by another version, or changed. Make a new one: manage.py integrity_plan {alias}.",
    )
