"""Which rows can be deleted and which stay, because something that stays refers to what would go.

The rows that would go, and those that forbid it, are read as pairs of locators, so many at most as a
setting says; the rest is done in memory. What can go is the largest set of orphans of which nothing that
goes with them is referred to by a row that stays: the largest, because rows that forbid one another go
together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrity import conf
from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError
from integrity.plans.consequences import Consequences
from integrity.plans.following import Spread, spread
from integrity.plans.row_paths import row_locator
from integrity.plans.steps import Change
from integrity.references.orphans import joined
from integrity.references.reference import Reference

Row = tuple[TableName, Any]
"""A row by its table and locator."""

_AT_ONCE = 5_000
_MOST_ROUNDS = 200


class Unforeseen(ReferentialIntegrityError):
    """More rows would have to be looked at than are: what stays is known only by running."""


@dataclass(frozen=True)
class Holding:
    """``rows`` of a reference that stay are in the way; because of them ``holds`` orphans stay."""

    reference: Reference
    rows: int
    holds: int


@dataclass(frozen=True)
class Foreseen:
    """The locators of the orphans that go and of those that stay, and what holds these."""

    going: frozenset[Any]
    staying: frozenset[Any]
    holding: tuple[Holding, ...]


@dataclass
class Foresight:
    """Looks ahead for one step. ``passed`` says of a reference which of its rows do not count any more."""

    session: Session
    schema: Schema
    consequences: Consequences
    passed: Callable[[Reference], Sequence[Predicate]] = lambda reference: ()
    most: int = field(default_factory=conf.foreseen_rows)
    _read: int = 0
    _below: dict[Row, list[Row]] = field(default_factory=lambda: defaultdict(list))
    _above: dict[Row, list[Row]] = field(default_factory=lambda: defaultdict(list))
    _forbidding: list[tuple[Reference, Row, Row]] = field(default_factory=list)

    def look(self, root: TableName, where: Predicate) -> Foreseen:
        """Returns which rows of ``root`` for which ``where`` holds can be deleted, and which stay.

        Raises:
            Unforeseen: more rows than ``most`` would have to be read.
        """
        reach = spread(root, self.consequences.followed, self.consequences.of)
        roots = {(root, each) for each in self._orphans(root, where)}
        doomed = self._followed(roots, reach)
        self._forbid(doomed, reach)
        going = self._going(roots)
        left = self._reached(going)
        return Foreseen(
            frozenset(locator for _, locator in going),
            frozenset(locator for _, locator in roots - going),
            tuple(self._holding(roots - going, left)),
        )

    # -- reading ---------------------------------------------------------------------------

    def _orphans(self, table: TableName, where: Predicate) -> list[Any]:
        row = row_locator(self.session.engine, self.schema, table, "c")
        source = self.session.engine.source(self.schema.table(table))
        sql = f"SELECT {row} FROM {source} c WHERE {where.sql} LIMIT %s"
        return [found for (found,) in self._rows(sql, where.params)]

    def _followed(self, roots: set[Row], reach: Spread) -> set[Row]:
        """Everything that would go, with what leads to it."""
        found, newest = set(roots), set(roots)
        while newest:
            more: set[Row] = set()
            for _, parent, child in self._pairs(newest, reach.cascades):
                self._below[parent].append(child)
                self._above[child].append(parent)
                if child not in found:
                    more.add(child)
            found |= more
            newest = more
        return found

    def _forbid(self, doomed: set[Row], reach: Spread) -> None:
        """Who forbids that which of the doomed rows goes."""
        strict = [each for each in reach.ends if self.consequences.of(each) is Change.RESTRICT]
        for reference, parent, child in self._pairs(doomed, strict):
            self._forbidding.append((reference, child, parent))
            self._above[child].append(parent)

    def _pairs(
        self, parents: Iterable[Row], references: Sequence[Reference]
    ) -> Iterator[tuple[Reference, Row, Row]]:
        """The rows that refer to ``parents``, each with what it refers to."""
        by_table: dict[TableName, list[Any]] = defaultdict(list)
        for table, locator in parents:
            by_table[table].append(locator)
        for reference in references:
            locators = by_table.get(reference.referenced_table, [])
            for first in range(0, len(locators), _AT_ONCE):
                for parent, child in self._referring(reference, locators[first : first + _AT_ONCE]):
                    yield reference, (reference.referenced_table, parent), (reference.table, child)

    def _referring(self, reference: Reference, parents: Sequence[Any]) -> list[tuple[Any, Any]]:
        engine, schema = self.session.engine, self.schema
        there, here = schema.table(reference.referenced_table), schema.table(reference.table)
        row, parent = (
            row_locator(engine, schema, reference.table, "c"),
            row_locator(engine, schema, there.name, "p"),
        )
        where = (
            engine.among(parent, parents)
            if there.kind is TableKind.PARTITIONED
            else engine.located(there, parents, "p")
        )
        for part in self.passed(reference):
            where = where & Predicate(f"({part.sql}) IS NOT TRUE", part.params)
        sql = (
            f"SELECT {parent}, {row} FROM {engine.source(there)} p JOIN {engine.source(here)} c "
            f"ON {joined(engine, schema, reference)} WHERE {where.sql} LIMIT %s"
        )
        return self._rows(sql, where.params)

    def _rows(self, sql: str, params: Sequence[Any]) -> list[Any]:
        found = list(self.session.rows(sql, [*params, self.most - self._read + 1]))
        self._read += len(found)
        if self._read > self.most:
            raise Unforeseen(f"more than {self.most:,} rows would have to be looked at")
        return found

    # -- in memory -------------------------------------------------------------------------

    def _going(self, roots: set[Row]) -> set[Row]:
        """The largest part of the orphans that can go: what is held is left out until nothing is.

        Raises:
            Unforeseen: it takes too many rounds.
        """
        going = set(roots)
        for _ in range(_MOST_ROUNDS):
            reached = self._reached(going)
            held = self._held(
                parent for _, child, parent in self._forbidding if parent in reached and child not in reached
            )
            if not held & going:
                return going
            going -= held
        raise Unforeseen("what holds what is too entangled to be told beforehand")

    def _reached(self, roots: Iterable[Row]) -> set[Row]:
        return _closed(roots, self._below)

    def _held(self, rows: Iterable[Row]) -> set[Row]:
        """Rows that stay with all that would have taken them along, or is referred to by them."""
        return _closed(rows, self._above)

    def _holding(self, staying: set[Row], gone: set[Row]) -> Iterator[Holding]:
        """By reference, how many rows are in the way, and how many orphans stay because of these."""
        found: dict[str, list[tuple[Row, Row]]] = defaultdict(list)
        references = {str(reference.sides): reference for reference, _, _ in self._forbidding}
        for reference, child, parent in self._forbidding:
            if child not in gone and parent not in gone:
                found[str(reference.sides)].append((child, parent))
        for sides, pairs in found.items():
            held = self._held(parent for _, parent in pairs) & staying
            if held:
                yield Holding(references[sides], len({child for child, _ in pairs}), len(held))


def _closed(rows: Iterable[Row], paths: dict[Row, list[Row]]) -> set[Row]:
    """Rows with everything that paths lead to from them."""
    found = set(rows)
    waiting = list(found)
    while waiting:
        for each in paths.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
