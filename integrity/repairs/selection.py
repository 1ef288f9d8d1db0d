"""Which rows of a run a rollback takes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrity.database.identifiers import TableName, column, literal
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.repairs.journal import (
    ACTION,
    BATCH,
    BEFORE,
    IMAGE,
    ORDER,
    REASON,
    SEQ,
    UNDONE,
    WITNESS,
    Images,
)


@dataclass(frozen=True)
class Selection:
    """Which rows of a run come back: of these tables, through these references, with these keys.

    Empty means all. ``keys`` are primary-key values as text, one tuple a row; ``rows`` name single rows by
    their table and the number of their image in the journal, whether or not they have a key.
    """

    tables: tuple[TableName, ...] = ()
    references: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    rows: tuple[tuple[TableName, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.references or self.keys or self.rows)

    def wants(self, table: TableName) -> bool:
        """Whether rows of a table can be among them."""
        named = not self.rows or any(each == table for each, _ in self.rows)
        return named and (not self.tables or table in self.tables)

    def seqs(self, table: TableName) -> tuple[int, ...]:
        """The numbers of the images of a table that are named one by one."""
        return tuple(seq for each, seq in self.rows if each == table)

    def as_json(self) -> dict[str, Any]:
        """Returns the selection as plain values, from which :meth:`from_json` makes it again."""
        return {
            "tables": [[table.schema, table.name] for table in self.tables],
            "references": list(self.references),
            "keys": [list(key) for key in self.keys],
            "rows": [[table.schema, table.name, seq] for table, seq in self.rows],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Selection:
        """Makes a selection of what :meth:`as_json` returned."""
        return cls(
            tables=tuple(TableName(schema, name) for schema, name in data.get("tables", ())),
            references=tuple(data.get("references", ())),
            keys=tuple(tuple(key) for key in data.get("keys", ())),
            rows=tuple((TableName(schema, name), int(seq)) for schema, name, seq in data.get("rows", ())),
        )


@dataclass(frozen=True)
class Chosen:
    """What is left of a run to take back, as a selection wants it."""

    session: Session
    schema: Schema
    selection: Selection

    def condition(self, images: Images, alias: str) -> tuple[str, list[Any]]:
        """The condition that an image is to be taken back, and its parameters."""
        params: list[Any] = []

        def marked(value: str) -> str:
            params.append(value)
            return "%s"

        return self._written(images, alias, marked), params

    def literal(self, images: Images, alias: str = "c") -> str:
        """The same without parameters."""
        return self._written(images, alias, lambda value: literal(value).replace("%", "%%"))

    def _written(self, images: Images, alias: str, given: Callable[[str], str]) -> str:
        parts, wanted = [f"{alias}.{UNDONE} IS NULL", f"{alias}.{IMAGE} = '{BEFORE}'"], self.selection
        if wanted.tables and images.table not in wanted.tables:
            parts.append("1 = 0")
        if wanted.references:
            parts.append(f"{alias}.{REASON} IN ({', '.join(map(given, wanted.references))})")
        if wanted.rows:
            seqs = ", ".join(map(str, wanted.seqs(images.table)))
            parts.append(f"{alias}.{SEQ} IN ({seqs})" if seqs else "1 = 0")
        if wanted.keys:
            key = self.schema.table(images.table).primary_key
            names = key.columns if key and set(key.columns) <= set(images.columns) else images.columns[:1]
            alike = [
                " AND ".join(
                    f"CAST({column(name, alias)} AS text) = {given(value)}"
                    for name, value in zip(names, each, strict=True)
                )
                for each in wanted.keys
                if len(each) == len(names)
            ]
            parts.append("(" + (" OR ".join(f"({each})" for each in alike) or "1 = 0") + ")")
        return " AND ".join(parts)

    def count(self, images: Images, action: str = "") -> int:
        """How many images there are to take back, of rows to which a repair did this."""
        where, params = self.condition(images, "c")
        where += f" AND c.{ACTION} = '{action}'" if action else ""
        return int(self.session.value(f"SELECT count(*) FROM {images.sql} c WHERE {where}", params))

    def groups(self, images: Images, batch: int, action: str) -> list[tuple[int, list[int]]]:
        """The images of a batch as (order, numbers), the first changed first."""
        where, params = self.condition(images, "c")
        sql = (
            f"SELECT c.{ORDER}, c.{SEQ} FROM {images.sql} c "
            f"WHERE {where} AND c.{BATCH} = %s AND c.{ACTION} = %s ORDER BY c.{ORDER}, c.{SEQ}"
        )
        found: dict[int, list[int]] = {}
        for order, seq in self.session.rows(sql, [*params, batch, action]):
            found.setdefault(order, []).append(seq)
        return list(found.items())

    def batches(self, images: Images) -> list[int]:
        """The numbers of the batches of which something is left."""
        sql = f"SELECT DISTINCT {BATCH} FROM {images.sql} WHERE {UNDONE} IS NULL AND {IMAGE} <> '{WITNESS}'"
        return [row[0] for row in self.session.rows(sql)]

    def made(self, images: Images) -> dict[int, list[int]]:
        """Rows that the repair made, by batch: they go with the whole run alone."""
        if self.selection:
            return {}
        sql = f"SELECT {BATCH}, {SEQ} FROM {images.sql} WHERE {ACTION} = 'insert' AND {UNDONE} IS NULL"
        found: dict[int, list[int]] = {}
        for number, seq in self.session.rows(sql):
            found.setdefault(number, []).append(seq)
        return found

    def made_in(self, images: Images, batch: int) -> list[tuple[int, list[int]]]:
        """Those of one batch, by their order."""
        if self.selection:
            return []
        sql = (
            f"SELECT {ORDER}, {SEQ} FROM {images.sql} "
            f"WHERE {BATCH} = %s AND {ACTION} = 'insert' AND {UNDONE} IS NULL ORDER BY {SEQ}"
        )
        found: dict[int, list[int]] = {}
        for order, seq in self.session.rows(sql, [batch]):
            found.setdefault(order, []).append(seq)
        return list(found.items())

    def anything_left(self, images: Images) -> bool:
        """Whether the run still stands in some row, chosen or not."""
        sql = (
            f"SELECT EXISTS (SELECT 1 FROM {images.sql} WHERE {UNDONE} IS NULL "
            f"AND ({IMAGE} = '{BEFORE}' OR {ACTION} = 'insert'))"
        )
        return bool(self.session.value(sql))
