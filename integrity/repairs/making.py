"""Journals the rows that a repair makes, and who referred to them when they were made."""

from __future__ import annotations

from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName
from integrity.plans.plan import Step
from integrity.plans.row_paths import following
from integrity.references.reference import Reference
from integrity.repairs.journal import ACTION, AFTER, BATCH, IMAGE, ORDER, REASON, REFERS, STEP, WITNESS
from integrity.repairs.walk import Walk


def capture_made(walk: Walk, step: Step, table: TableName, where: Predicate, number: int, order: int) -> int:
    """Journals rows that were made, as they are now; returns how many.

    Args:
        walk: the run.
        step: what they were made for.
        table: where.
        where: which.
        number: the batch.
        order: their place: a rollback takes them out the other way.
    """
    facts = _facts(AFTER, "insert", step, number, order) | {REASON: step.reference.label}
    images = walk.journal.images(walk.run, walk.schema.table(table))
    leaves = walk.schema.leaves(table)
    return sum(len(walk.journal.capture(images, leaf, where, facts).seqs) for leaf in leaves)


def capture_witnesses(
    walk: Walk, step: Step, reference: Reference, made: Predicate, but: Predicate | None, number: int
) -> None:
    """Journals the rows that refer to made ones, all of them orphans before: a rollback may leave these
    as orphans again, and no others.

    Args:
        walk: the run.
        step: what the rows were made for.
        reference: how they refer.
        made: which rows of the referenced table were made.
        but: which rows of the referencing table were made themselves.
        number: the batch.
    """
    engine = walk.session.engine
    where = following(engine, walk.schema, reference, made)
    if but is not None:
        where = where & Predicate(f"({but.sql}) IS NOT TRUE", but.params)
    facts = _facts(WITNESS, REFERS, step, number, 0) | {REASON: reference.label}
    for leaf in walk.schema.leaves(reference.table):
        if walk.session.value(
            f"SELECT EXISTS (SELECT 1 FROM {engine.source(leaf)} AS c WHERE {where.sql})", where.params
        ):
            images = walk.journal.images(walk.run, walk.schema.table(reference.table))
            walk.journal.capture(images, leaf, where, facts)


def _facts(image: str, action: str, step: Step, number: int, order: int) -> dict[str, Any]:
    return {IMAGE: image, ACTION: action, STEP: step.number, BATCH: number, ORDER: order}
