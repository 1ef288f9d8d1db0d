"""Orphans that are kept by decision one by one: by their missing keys, or by their own keys."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import PlanRefused
from integrity.plans.request import Request
from integrity.plans.scope import in_scope
from integrity.plans.steps import Step
from integrity.plans.survey import count_orphans
from integrity.references.reference import Reference, Resolution


def not_kept(session: Session, schema: Schema, reference: Reference, kept: Sequence[Request]) -> int | None:
    """Returns how many orphans of a reference nobody decided to keep.

    Args:
        session: reading the target.
        schema: its structure.
        reference: whose orphans.
        kept: decisions to keep those of some missing keys, or some rows.

    Returns:
        The number, or None where the rows that were decided about cannot be told any more.
    """
    step = Step(
        0, Resolution.KEEP, reference, 0, 0, "",
        spared=tuple(key for each in kept for key in each.keys),
        spared_rows=tuple(row for each in kept for row in each.rows),
    )  # fmt: skip
    try:
        where = in_scope(session.engine, schema, step)
    except PlanRefused:
        return None
    return count_orphans(session, schema, reference, where)[0]


def first_end(kept: Sequence[Request]) -> str:
    """Returns the ISO date on which the first of some decisions ends; empty where none does."""
    return min((each.until for each in kept if each.until), default="")
