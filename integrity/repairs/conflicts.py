"""Which rows cannot come back as they were, side by side with what stands there now.

A look before a rollback: short, in a reading of its own, and nothing is changed by it. What cannot be
looked at in time is said to be unanswered; the rollback itself looks at every row again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import TableName, column, quote_table
from integrity.database.schema import Key
from integrity.repairs.journal import ACTION, OF, ROW, SEQ, row_key
from integrity.repairs.restoring import Restorer
from integrity.repairs.selection import Chosen
from integrity.repairs.values import IsMasked, Reading, Value, first_columns


class ConflictKind(StrEnum):
    """What became of a row since."""

    MADE_AGAIN = "made_again"
    UNIQUE_TAKEN = "unique_taken"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True)
class Conflict:
    """A row that is refused: as the journal has it, and the live row that is in its way.

    ``before`` would come back; ``left`` is how the repair left a row that it changed. ``columns`` are those
    of the key that is taken, ``differing`` those in which the live row is another than it would be, or than
    the repair left it.
    """

    kind: ConflictKind
    table: TableName
    seq: int
    columns: tuple[str, ...]
    before: dict[str, Value]
    live: dict[str, Value] = field(default_factory=dict)
    left: dict[str, Value] = field(default_factory=dict)
    differing: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Conflicts:
    """Looks for the conflicts of one table of a run."""

    restorer: Restorer
    chosen: Chosen
    is_masked: IsMasked

    def taken(self, most: int) -> list[Conflict]:
        """Deleted rows whose key, or another unique, a live row has by now; each once."""
        found: dict[int, Conflict] = {}
        for key in self._keys():
            for conflict in self._taken_by(key, most):
                found.setdefault(conflict.seq, conflict)
        return list(found.values())[:most]

    def how_many_taken(self, most: int) -> int:
        """How many these are, counted to ``most``."""
        by_key = [f"EXISTS (SELECT 1 FROM {self._live} AS c WHERE {self._same(key)})" for key in self._keys()]
        if not by_key:
            return 0
        where, params = self._where("j", "delete")
        return self._count(f"{self._images} AS j WHERE {where} AND ({' OR '.join(by_key)})", params, most)

    def changed(self, most: int) -> list[Conflict]:
        """Changed rows that are no longer as the repair left them."""
        key = row_key(self.restorer.table)
        reading, sql, params = self._reading, self._changed_since(), self._where("b", "update")
        listed = [f"b.{SEQ}", *reading.sql("b"), *reading.sql("a")]
        listed += [*reading.sql("c"), *self._other("a")] if key else []
        source, (where, values) = self._sides(key), params
        rows = self.restorer.session.rows(
            f"SELECT {', '.join(listed)} FROM {source} WHERE {where} AND {sql} ORDER BY b.{SEQ} LIMIT %s",
            [*values, most],
        )
        return [self._changed(row, key) for row in rows]

    def how_many_changed(self, most: int) -> int:
        """How many these are, counted to ``most``."""
        where, params = self._where("b", "update")
        return self._count(f"{self._sides(())} WHERE {where} AND {self._changed_since()}", params, most)

    # -- deleted rows ----------------------------------------------------------------------

    def _keys(self) -> list[Key]:
        """The keys by which a place can be seen to be taken, the primary one first."""
        columns = set(self.restorer.images.columns)
        usable = [
            key
            for key in self.restorer.table.keys
            if not (key.expressions or key.where) and set(key.columns) <= columns
        ]
        return sorted(usable, key=lambda key: not key.primary)

    def _taken_by(self, key: Key, most: int) -> list[Conflict]:
        reading = self._reading
        where, params = self._where("j", "delete")
        rows = self.restorer.session.rows(
            f"SELECT {', '.join([f'j.{SEQ}', *reading.sql('j'), *reading.sql('c'), *self._other('j')])} "
            f"FROM {self._images} AS j JOIN {self._live} AS c ON {self._same(key)} "
            f"WHERE {where} ORDER BY j.{SEQ} LIMIT %s",
            [*params, most],
        )
        kind = ConflictKind.MADE_AGAIN if key.primary else ConflictKind.UNIQUE_TAKEN
        return [
            Conflict(
                kind,
                self.restorer.images.table,
                seq,
                key.columns,
                reading.values(values[: reading.width]),
                reading.values(values[reading.width : 2 * reading.width]),
                differing=reading.different(values[2 * reading.width :]),
                name=key.name,
            )
            for seq, *values in rows
        ]

    def _same(self, key: Key) -> str:
        """A live row ``c`` has what an image ``j`` has in a key."""
        engine, table = self.restorer.session.engine, self.restorer.table
        equal = "=" if key.nulls_distinct else "IS NOT DISTINCT FROM"
        return " AND ".join(
            f"{column(name, 'c')} {equal} {engine.restored_as(table.column(name), column(name, 'j'))}"
            for name in key.columns
        )

    # -- changed rows ----------------------------------------------------------------------

    def _sides(self, key: Sequence[str]) -> str:
        """Images before and after, and the live row of that key where there is a key."""
        sides = f"{self._images} AS b JOIN {self._images} AS a ON a.{OF} = b.{SEQ}"
        if not key:
            return sides
        engine, table = self.restorer.session.engine, self.restorer.table
        same = [engine.same_key(column(name, "c"), column(name, "a"), table.column(name)) for name in key]
        return f"{sides} LEFT JOIN {self._live} AS c ON {' AND '.join(same)}"

    def _changed_since(self) -> str:
        """No live row is exactly as the repair left it."""
        table, engine = self.restorer.table, self.restorer.session.engine
        hidden = "" if row_key(table) else engine.hidden_identity(table)
        place = f" AND x.{hidden} = a.{ROW}" if hidden else ""
        return f"NOT EXISTS (SELECT 1 FROM {self._live} AS x WHERE {self.restorer.alike('x', 'a')}{place})"

    def _changed(self, row: Sequence[Any], key: Sequence[str]) -> Conflict:
        seq, *values = row
        reading, width = self._reading, self._reading.width
        parts = [reading.values(values[n * width : (n + 1) * width]) for n in range(3 if key else 2)]
        there = bool(key) and not all(parts[2][name].null for name in key)
        return Conflict(
            ConflictKind.CHANGED if there else ConflictKind.GONE,
            self.restorer.images.table,
            seq,
            tuple(key),
            before=parts[0],
            live=parts[2] if there else {},
            left=parts[1],
            differing=reading.different(values[3 * width :]) if there else (),
        )

    def _other(self, image: str) -> list[str]:
        """One expression for each column: 1 where the live row ``c`` is another than an image in it."""
        engine, table = self.restorer.session.engine, self.restorer.table
        same = (
            engine.same(column(name, "c"), column(name, image), table.column(name)) for name in self._columns
        )
        return [f"CASE WHEN {each} THEN 0 ELSE 1 END" for each in same]

    # -- both --------------------------------------------------------------------------------

    @property
    def _images(self) -> str:
        return self.restorer.images.sql

    @property
    def _live(self) -> str:
        return quote_table(self.restorer.table.name)

    @property
    def _reading(self) -> Reading:
        table = self.restorer.images.table
        return Reading(self.restorer.session.engine, table, self._columns, self.is_masked)

    @property
    def _columns(self) -> tuple[str, ...]:
        return first_columns(self.restorer.images.columns, row_key(self.restorer.table))

    def _where(self, alias: str, action: str) -> tuple[str, list[Any]]:
        where, params = self.chosen.condition(self.restorer.images, alias)
        return f"{where} AND {alias}.{ACTION} = '{action}'", params

    def _count(self, source: str, params: Sequence[Any], most: int) -> int:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT %s) AS counted"
        return int(self.restorer.session.value(sql, [*params, most]))
