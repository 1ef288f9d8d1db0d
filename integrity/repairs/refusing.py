"""Rows that a repair left as they were, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName, quote_columns
from integrity.database.schema import Table
from integrity.database.session import Session
from integrity.detectors.orphaned_rows import plain
from integrity.exceptions import ReferentialIntegrityError
from integrity.repairs.batch import Piece
from integrity.repairs.result import Refusal, RepairResult

MOST_REFUSALS = 1_000
"""How many are told one by one; the others are counted."""


@dataclass
class Refusals:
    """The refusals of the pass that is under way; those of an earlier one are tried again in it."""

    session: Session
    result: RepairResult
    places: dict[TableName, list[Locator]] = field(default_factory=dict)
    _pass: Counter[TableName] = field(default_factory=Counter)
    _before: int = 0

    @property
    def count(self) -> int:
        """How many rows were refused in this pass."""
        return self._pass.total()

    def begin_pass(self) -> None:
        """Takes back the refusals of the step's last pass: what forbade a row may be gone."""
        for table, rows in self._pass.items():
            self.result.tally(table).refused -= rows
        del self.result.refusals[self._before :]
        self._pass.clear()
        self.places.clear()

    def end_step(self) -> None:
        """Keeps what was refused."""
        self._pass.clear()
        self.places.clear()
        self._before = len(self.result.refusals)

    def forget_places(self) -> None:
        """At the end of a stretch: its rows do not come up again in this pass."""
        self.places.clear()

    def spared(self, leaf: Table, where: Predicate) -> Predicate:
        """The condition without the rows that were refused."""
        refused = self.places.get(leaf.name)
        if not refused:
            return where
        spared = self.session.engine.located(leaf, refused)
        return where & Predicate(f"NOT ({spared.sql})", spared.params)

    def refuse(self, piece: Piece, locator: Locator, error: Exception | str) -> None:
        """Leaves a row alone, and says why."""
        table = piece.reference.table
        self.places.setdefault(piece.leaf.name, []).append(locator)
        self._pass[table] += 1
        self.result.tally(table).refused += 1
        if len(self.result.refusals) < MOST_REFUSALS:
            self.result.refusals.append(Refusal(table, self._key(piece.leaf, locator), reason(error)))

    def _key(self, leaf: Table, locator: Locator) -> dict[str, Any]:
        """What people call a row: its primary key, or where it stands."""
        names = leaf.primary_key.columns if leaf.primary_key else ()
        where = self.session.engine.located(leaf, [locator])
        source = self.session.engine.source(leaf)
        sql = f"SELECT {quote_columns(names, 'c') or '1'} FROM {source} AS c WHERE {where.sql}"
        rows = self.session.rows(sql, where.params)
        if not names or not rows:
            return {"row": plain(locator)}
        return {name: plain(value) for name, value in zip(names, rows[0], strict=True)}


def reason(error: Exception | str) -> str:
    """An error as the reason of a refusal."""
    if isinstance(error, ReferentialIntegrityError):
        return error.what
    return str(error).strip()
