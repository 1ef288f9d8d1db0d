"""A step of a plan, by whatever way its resolution goes."""

from __future__ import annotations

from integrity.plans.plan import AnyStep, Change, DuplicateStep
from integrity.repairs.deduplicating import deduplicate
from integrity.repairs.restored_parents import restore_parents
from integrity.repairs.system_rows import create_system_rows
from integrity.repairs.walk import Walk


def resolve(walk: Walk, step: AnyStep) -> None:
    """Carries out one step, the rows that it needs first."""
    if isinstance(step, DuplicateStep):
        deduplicate(walk, step, walk.uniques)
        return
    create_system_rows(walk, step)
    if step.change is Change.INSERT:
        restore_parents(walk, step)
    else:
        walk.step(step)
