"""Repairs within migrations need a second person like any other: no migration is a way around that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from integrity import store
from integrity.plans import Plan

_waiver: ContextVar[tuple[str, str]] = ContextVar("integrity_waiver", default=("", ""))
"""Who runs migrations without the approval that their repairs need, and why."""


@contextmanager
def waived(reason: str, actor: str) -> Iterator[None]:
    """Within, repairs of migrations are run without approval where there is a reason; each is noted."""
    before = _waiver.set((reason, actor))
    try:
        yield
    finally:
        _waiver.reset(before)


def admit_repair(plan: Plan, by: str, begun: bool) -> None:
    """Sees to it that a migration may carry out a plan; one that needs approval is stored, to be looked at.

    Raises:
        ApprovalNeeded: a second person has to approve it first; then the migration is run again.
    """
    reason, actor = _waiver.get()
    refuse_unapproved(plan, maker=by, begun=begun, waiver=reason, actor=actor)


def refuse_unapproved(
    plan: Plan, *, maker: str = "", begun: bool = False, waiver: str = "", actor: str = ""
) -> None:
    """Sees to it that a plan may be carried out as far as a second person is concerned.

    Args:
        plan: what would be carried out.
        maker: who made it, where it is perhaps not stored yet.
        begun: whether a run of it is gone on with: then what let it begin still counts.
        waiver: why it is done without, from the command line.
        actor: who does so.

    Raises:
        ApprovalNeeded: somebody has to approve it first; it is stored, so that they can look at it.
    """
    if not store.needs_approval(plan):
        return
    store.store_plan(plan, actor=maker)
    if waiver:
        store.waive_approval(plan, actor=actor, reason=waiver)
    else:
        store.demand_approved(plan, begun=begun)
