"""Which rows would come back without what they refer to, and which belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import NotCheckable
from integrity.references.orphans import refers
from integrity.references.reference import Reference
from integrity.repairs.journal import ACTION, BEFORE, IMAGE, REASON, SEQ, UNDONE, Images
from integrity.repairs.selection import Chosen, Selection
from integrity.repairs.standing import matches

ROWS_AT_MOST = 10_000
"""So many rows are brought along by name; more belong to a whole table or run."""

ROUNDS_AT_MOST = 20


@dataclass(frozen=True)
class Parentless:
    """Rows that come back without what they refer to by ``reference``.

    ``before`` of them were taken out as its orphans, ``lost`` for another reason: these lacked it then, or
    lost it since. Of ``quarantined`` it is in the same quarantine, and would come back if it were chosen.
    """

    reference: Reference
    before: int
    lost: int
    quarantined: int


@dataclass(frozen=True)
class _Pair:
    """A reference within the quarantine of a run; ``same`` holds where the row ``c`` refers to ``p``."""

    reference: Reference
    here: Images
    there: Images
    same: str


@dataclass(frozen=True)
class Family:
    """The rows of a run and what they refer to among one another."""

    session: Session
    schema: Schema
    references: Sequence[Reference]
    images: Mapping[TableName, Images]
    chosen: Chosen

    def parentless(self) -> Iterator[Parentless]:
        """What would come back without its parent, reference by reference."""
        pairs = {pair.reference.sides: pair for pair in self._pairs()}
        for reference, here in self._usable():
            found = self._parentless(reference, here, pairs.get(reference.sides))
            if found is not None and found.before + found.lost + found.quarantined:
                yield found

    def children(self) -> Iterator[tuple[Reference, int]]:
        """Rows in the quarantine that refer to chosen ones and are not chosen, counted by reference."""
        for pair in self._pairs():
            where = f"{_in_quarantine('c')} AND NOT ({self.chosen.literal(pair.here)})"
            rows = int(self.session.value(self._children("count(*)", pair, where)))
            if rows:
                yield pair.reference, rows

    def with_relatives(self) -> Selection:
        """The chosen rows, with all in the quarantine that refers to them or that they refer to."""
        family, selection = self, self.chosen.selection
        for _ in range(ROUNDS_AT_MOST):
            more = family._relatives() - set(selection.rows)
            if not more or len(selection.rows) + len(more) > ROWS_AT_MOST:
                break
            selection = replace(selection, rows=(*selection.rows, *sorted(more)))
            family = replace(family, chosen=replace(family.chosen, selection=selection))
        return selection

    def _usable(self) -> Iterator[tuple[Reference, Images]]:
        for reference in self.references:
            here = self.images.get(reference.table)
            if here is not None and set(reference.columns) <= set(here.columns):
                yield reference, here

    def _pairs(self) -> Iterator[_Pair]:
        """References between rows that are both in the quarantine of the run."""
        for reference, here in self._usable():
            there = self.images.get(reference.referenced_table)
            if there is not None and set(reference.referenced_columns) <= set(there.columns):
                with suppress(NotCheckable):
                    same = matches(self.session, self.schema, reference, there)
                    yield _Pair(reference, here, there, same)

    def _parentless(self, reference: Reference, here: Images, pair: _Pair | None) -> Parentless | None:
        try:
            same = matches(self.session, self.schema, reference)
        except NotCheckable:
            return None
        parents = self.session.engine.parent_source(self.schema.table(reference.referenced_table))
        where = f"{self.chosen.literal(here)} AND {refers(reference)}"
        where += f" AND NOT EXISTS (SELECT 1 FROM {parents} p WHERE {same})"
        waits = "1 = 0"
        if pair is not None:
            comes = f"p.{ACTION} = 'delete' AND {self.chosen.literal(pair.there, 'p')} AND {pair.same}"
            where += f" AND NOT EXISTS (SELECT 1 FROM {pair.there.sql} p WHERE {comes})"
            kept = f"p.{ACTION} = 'delete' AND {_in_quarantine('p')} AND {pair.same}"
            waits = f"EXISTS (SELECT 1 FROM {pair.there.sql} p WHERE {kept})"
        sql = (
            f"SELECT count(*) FILTER (WHERE NOT ({waits}) AND c.{REASON} = %s), "
            f"count(*) FILTER (WHERE NOT ({waits}) AND c.{REASON} <> %s), count(*) FILTER (WHERE {waits}) "
            f"FROM {here.sql} c WHERE {where}"
        )
        before, lost, quarantined = self.session.row(sql, [reference.label, reference.label])
        return Parentless(reference, before, lost, quarantined)

    def _children(self, what: str, pair: _Pair, child: str) -> str:
        """Rows taken out of the table that refers, for which ``child`` holds, to a chosen row."""
        parent = f"p.{ACTION} = 'delete' AND {self.chosen.literal(pair.there, 'p')} AND {pair.same}"
        return (
            f"SELECT {what} FROM {pair.here.sql} c WHERE c.{ACTION} = 'delete' AND {child} "
            f"AND {refers(pair.reference)} AND EXISTS (SELECT 1 FROM {pair.there.sql} p WHERE {parent})"
        )

    def _parents(self, pair: _Pair) -> str:
        """Rows taken out of the table that is referred to, to which a chosen row refers."""
        child = f"{self.chosen.literal(pair.here)} AND {refers(pair.reference)} AND {pair.same}"
        return (
            f"SELECT p.{SEQ} FROM {pair.there.sql} p WHERE p.{ACTION} = 'delete' AND {_in_quarantine('p')} "
            f"AND EXISTS (SELECT 1 FROM {pair.here.sql} c WHERE {child})"
        )

    def _relatives(self) -> set[tuple[TableName, int]]:
        found: set[tuple[TableName, int]] = set()
        bound = f" LIMIT {ROWS_AT_MOST + 1}"
        for pair in self._pairs():
            children = self._children(f"c.{SEQ}", pair, _in_quarantine("c"))
            found |= {(pair.here.table, row[0]) for row in self.session.rows(children + bound)}
            found |= {(pair.there.table, row[0]) for row in self.session.rows(self._parents(pair) + bound)}
        return found


def _in_quarantine(alias: str) -> str:
    return f"{alias}.{IMAGE} = '{BEFORE}' AND {alias}.{UNDONE} IS NULL"
