"""In which order rows that are merged change, so that nothing refers to what is gone, and no two collide.

Who refers to a row that goes is changed before it goes; who takes over a value changes after the row that
had it is gone. What is left in a circle is changed first and deleted together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrity.database.schema import Table
from integrity.plans.merging import Part
from integrity.plans.row_reading import Place, Row, Rows


@dataclass(frozen=True)
class Turn:
    """Rows of one table that are deleted, or changed, at once and for one reason or several."""

    leaf: Table
    rows: tuple[Row, ...]
    deletes: bool


def turns(rows: Rows, parts: Sequence[Part]) -> Iterator[Turn]:
    """Yields what is done one after another."""
    lost = [row for part in parts for row in part.lost]
    changed = [row for part in parts for row in part.changed]
    gone = {row.place for row in lost}
    waits = _waits(rows, lost, changed, gone)
    left = {row.place: row for row in (*lost, *changed)}
    while left:
        ready = [row for place, row in left.items() if not (waits[place] & left.keys())]
        if not ready:
            ready = [row for place, row in left.items() if place not in gone] or list(left.values())
        yield from _together([row for row in ready if row.place not in gone], deletes=False)
        yield from _together([row for row in ready if row.place in gone], deletes=True)
        for row in ready:
            del left[row.place]


def _waits(
    rows: Rows, lost: Sequence[Row], changed: Sequence[Row], gone: set[Place]
) -> dict[Place, set[Place]]:
    """For which others each row has to wait."""
    waits: dict[Place, set[Place]] = defaultdict(set)
    for row in (*lost, *changed):
        for parents in row.parents.values():
            for parent in parents:
                if parent.place in gone and parent.place != row.place:
                    waits[parent.place].add(row.place)
    for row in lost:
        if row.into is not None and _takes_over(rows, row.into):
            waits[row.into.place].add(row.place)
    return waits


def _takes_over(rows: Rows, row: Row) -> bool:
    """Whether a row gets another value in a unique."""
    return any(set(rule.columns) & set(row.new) for rule in rows.rules(row.leaf))


def _together(rows: Sequence[Row], *, deletes: bool) -> Iterator[Turn]:
    found: dict[object, list[Row]] = {}
    for row in rows:
        found.setdefault(row.leaf.name, []).append(row)
    for some in found.values():
        yield Turn(some[0].leaf, tuple(some), deletes)
