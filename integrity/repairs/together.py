"""Orphans that forbid one another unless they go at once: found as the plan found them, deleted in one batch.

Whatever order batches have, what goes in the end is what the plan foresaw: the largest set of orphans of
which nothing that goes with them is referred to by a row that stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table, TableKind
from integrity.plans.consequences import Consequences
from integrity.plans.foresight import Foresight, Unforeseen
from integrity.plans.plan import Step
from integrity.repairs.closure import Disagreement, TooManyFollow

if TYPE_CHECKING:
    from integrity.repairs.walk import Walk


def delete_together(walk: Walk, step: Step, where: Predicate, most: int) -> bool:
    """Deletes those of the orphans that are left which can only go together.

    Args:
        walk: the run, between two batches.
        step: a step that deletes.
        where: which rows it is about.
        most: how many may still go.

    Returns:
        Whether any of them went. What cannot be told beforehand stays.
    """
    consequences = Consequences(walk.session, walk.schema, walk.references)
    try:
        found = Foresight(walk.session, walk.schema, consequences).look(step.table, where)
    except Unforeseen:
        return False
    if not found.going or len(found.going) > most:
        return False
    rows = _by_leaf(walk.schema, step.table, found.going)
    try:
        return bool(walk.session.retrying(lambda: _batch(walk, step, where, rows)))
    except (Disagreement, TooManyFollow, DatabaseError):
        if not walk.session.connection.is_usable():
            raise
        return False


def _batch(walk: Walk, step: Step, where: Predicate, rows: list[tuple[Table, list[Locator]]]) -> int:
    with walk.changing():
        batch = walk.begin(step, where, None)
        taken = batch.delete_together(rows)
        if taken:
            walk.record(batch)
    walk.committed(batch.counts, batch.number, batch.own)
    return taken


def _by_leaf(schema: Schema, table: TableName, locators: Iterable[Any]) -> list[tuple[Table, list[Locator]]]:
    """Rows by what holds them: a partition's stand with its number before their place."""
    leaves = schema.leaves(table)
    if schema.table(table).kind is not TableKind.PARTITIONED:
        return [(leaves[0], list(locators))]
    found: dict[str, list[Locator]] = defaultdict(list)
    for each in locators:
        number, _, place = each.partition("(")
        found[number].append(f"({place}")
    return [(leaf, found[str(leaf.oid)]) for leaf in leaves if str(leaf.oid) in found]
