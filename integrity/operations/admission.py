"""Whether a migration may repair rows now: whoever is in charge says so, wherever it is run from."""

from __future__ import annotations

from collections.abc import Callable

from integrity.plans import Plan

Admission = Callable[[Plan, str, bool], None]
"""Told the plan, by what it is carried out, and whether a run of it is gone on with; raises where that may
not be."""

_in_charge: list[Admission] = []


def put_in_charge(admission: Admission) -> None:
    """Has somebody asked before each repair of a migration, once however often this is called."""
    if admission not in _in_charge:
        _in_charge.append(admission)


def refuse_unadmitted(plan: Plan, by: str, *, begun: bool) -> None:
    """Asks whoever is in charge.

    Args:
        plan: what would be carried out.
        by: the migration.
        begun: whether a run of it is gone on with.

    Raises:
        ReferentialIntegrityError: it may not be; nothing was changed.
    """
    for admission in _in_charge:
        admission(plan, by, begun)
