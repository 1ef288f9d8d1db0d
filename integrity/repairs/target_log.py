"""Writes into the target's own log table what a repair changed and what a rollback put back.

Entries are written in the transaction of the change, so that none speaks of what did not happen.
They are no part of what a rollback restores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError

from integrity.database.identifiers import Path, TableName, quote_columns, quote_table
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.detectors.orphaned_rows import plain
from integrity.exceptions import CatalogError, UnknownTable
from integrity.references.catalog import Catalog
from integrity.references.log_entry import CatalogLog, default_type, rolled_back_type
from integrity.references.reference import Reference, written
from integrity.repairs.journal import ACTION, BATCH, BEFORE, IMAGE, REASON, SEQ, Images
from integrity.repairs.result import RepairResult

MASKED = "(masked)"
KEYS_OF_A_ROLLBACK = 100
_AT_ONCE = 50
_DONE = {"delete": "deleted", "update": "updated", "insert": "made"}


@dataclass(frozen=True)
class Entry:
    """One entry; ``details`` becomes JSON."""

    type: str
    message: str
    details: dict[str, Any]


@dataclass(frozen=True)
class TargetLog:
    """The log table of a target, as its catalog describes it."""

    session: Session
    schema: Schema
    catalog: Catalog
    log: CatalogLog
    table: TableName
    types: dict[TableName, str]

    @classmethod
    def of(cls, session: Session, schema: Schema, catalog: Catalog) -> TargetLog | None:
        """Returns a target's log, None where the catalog describes none.

        Raises:
            CatalogError: for a table or column that the target does not have.
        """
        log = catalog.log
        if log is None:
            return None
        try:
            table = schema.resolve(log.table)
            for name in (*log.columns.values(), *log.values):
                schema.table(table).column(name)
            types = {schema.resolve(path): type_ for path, type_ in log.types.items()}
        except UnknownTable as error:
            raise CatalogError(error.what, where=_where(catalog, log), hint=error.hint) from error
        return cls(session, schema, catalog, log, table, types)

    @classmethod
    def of_rollback(cls, session: Session, schema: Schema, catalog: Catalog) -> TargetLog | None:
        """The same for a rollback, which goes on without the log where its table is gone."""
        with suppress(UnknownTable):
            if catalog.log is not None:
                schema.resolve(catalog.log.table)
                return cls.of(session, schema, catalog)
        return None

    def try_out(self, tables: Iterable[TableName]) -> None:
        """Writes an entry of each kind about these tables, and takes all back.

        Raises:
            CatalogError: when the target refuses one, with the reason.
        """
        names = [self._type(table) for table in tables]
        samples = [Entry(each, "", {}) for name in names for each in (name, rolled_back_type(name))]
        try:
            with suppress(_TakenBack), self.session.transaction():
                self._write(samples)
                raise _TakenBack
        except DatabaseError as error:
            line = next(iter(str(error).strip().splitlines()), "the database refuses it").rstrip(".")
            raise CatalogError(
                f"Nothing can be written into {written(self.table)}: {line}",
                where=_where(self.catalog, self.log),
                hint="Nothing was changed. Give every column that needs a value one (values = { … }), "
                "or take [log] out.",
            ) from error

    # -- repairs ---------------------------------------------------------------------------

    def changed(
        self,
        run: int,
        batch: int,
        images: Sequence[Images],
        references: Sequence[Reference],
        room: RepairResult,
    ) -> None:
        """Writes what a batch changed, within its transaction.

        Args:
            run: the run.
            batch: the batch, whose images are in the journal already.
            images: the journal's tables of the run.
            references: the references known; the reason of a change is the label of one.
            room: what the run changed before this batch: so many rows have their entries.
        """
        by_label = {(each.table, each.label): each for each in references}
        for each in images:
            before = room.rows[each.table].touched if each.table in room.rows else 0
            reader = _Reader(self, each, by_label, run, batch)
            self._write(reader.entries(max(0, self.log.rows - before)))

    # -- rollbacks -------------------------------------------------------------------------

    def put_back(self, run: int, rollback: int, images: Images, action: str, seqs: Sequence[int]) -> None:
        """Writes that a rollback put rows of one table back, within its transaction."""
        if not seqs:
            return
        reader = _Reader(self, images, {}, run, 0)
        label, rows = written(images.table), len(seqs)
        noun = "row" if rows == 1 else "rows"
        back = "removed again" if action == "insert" else "put back"
        message = f"{rows:,} {noun} of {label} that repair run {run} {_DONE[action]}: {back}"
        details = {"run": run, "rollback": rollback, "table": label, "action": action, "rows": rows}
        keys = [reader.key(row) for row in reader.rows(_among(seqs[:KEYS_OF_A_ROLLBACK]))]
        self._write([Entry(rolled_back_type(self._type(images.table)), message, details | {"keys": keys})])

    # -- writing ---------------------------------------------------------------------------

    def _type(self, table: TableName) -> str:
        return self.types.get(table) or default_type(table.name)

    def _write(self, entries: Sequence[Entry]) -> None:
        columns = {name: self.log.columns[name] for name in self.log.columns}
        names = quote_columns([*columns.values(), *self.log.values])
        for place in range(0, len(entries), _AT_ONCE):
            some = entries[place : place + _AT_ONCE]
            rows = [[*self._values(columns, each), *self.log.values.values()] for each in some]
            marks = ", ".join("(" + ", ".join(["%s"] * len(row)) + ")" for row in rows)
            sql = f"INSERT INTO {quote_table(self.table)} ({names}) VALUES {marks}"
            self.session.execute(sql, [value for row in rows for value in row])

    def _values(self, columns: Iterable[str], entry: Entry) -> list[Any]:
        known = {
            "type": entry.type,
            "message": entry.message,
            "details": json.dumps(entry.details, ensure_ascii=False),
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
            + ("" if self.session.vendor == "sqlite" else "+00"),
        }
        return [known[name] for name in columns]


class _TakenBack(Exception):
    """Ends a trial's transaction."""


@dataclass(frozen=True)
class _Reader:
    """Reads images of one table and says what became of their rows."""

    log: TargetLog
    images: Images
    references: dict[tuple[TableName, str], Reference]
    run: int
    batch: int

    @property
    def table(self) -> Table:
        """The table as it is."""
        return self.log.schema.table(self.images.table)

    @property
    def columns(self) -> list[str]:
        """The columns that are told: of the key and of every reference."""
        key = self.table.primary_key
        told = [*(key.columns if key else ())]
        told += [name for (table, _), each in self.references.items() if table == self.images.table
                 for name in each.columns]  # fmt: skip
        return [name for name in dict.fromkeys(told) if name in self.images.columns]

    def entries(self, room: int) -> list[Entry]:
        """One for each row as long as there is room, and one for each reason where there is none."""
        here = f"{BATCH} = {int(self.batch)} AND {IMAGE} = '{BEFORE}'"
        found = self.rows(f"{here} ORDER BY {SEQ} LIMIT {int(room)}") if room else []
        last = found[-1][SEQ] if found else 0
        return [*map(self._one, found), *self._counted(f"{here} AND {SEQ} > {int(last)}")]

    def rows(self, where: str) -> list[dict[str, Any]]:
        """Images as dictionaries; what the catalog masks is not told."""
        names = self.columns
        heads = ", ".join((SEQ, ACTION, REASON))
        listed = f"{heads}, {quote_columns(names)}" if names else heads
        rows = self.log.session.rows(f"SELECT {listed} FROM {self.images.sql} WHERE {where}")
        hidden = {name for name in names if self._is_masked(name)}
        return [
            {name: MASKED if name in hidden else plain(value)
             for name, value in zip((SEQ, ACTION, REASON, *names), row, strict=True)}
            for row in rows
        ]  # fmt: skip

    def key(self, row: dict[str, Any]) -> dict[str, Any]:
        """The key of a row."""
        key = self.table.primary_key
        return {name: row[name] for name in (key.columns if key else ()) if name in row}

    def _one(self, row: dict[str, Any]) -> Entry:
        label = written(self.images.table)
        reference = self.references.get((self.images.table, row[REASON]))
        values = {name: row.get(name) for name in (reference.columns if reference else ())}
        named = ", ".join(str(value) for value in self.key(row).values()) or "a row"
        referred = ", ".join(f"{name} {value}" for name, value in values.items())
        parent = written(reference.referenced_table) if reference else ""
        why = f" refers to {referred}, which {parent} does not have;" if parent else ""
        message = f"{label} {named}{why} {_DONE[row[ACTION]]} by repair run {self.run}"
        facts = {"run": self.run, "table": label, "reference": row[REASON], "action": row[ACTION]}
        return self._entry(message, facts | {"key": self.key(row), "values": values})

    def _counted(self, where: str) -> Iterator[Entry]:
        what = f"{ACTION}, {REASON}, count(*), min({SEQ}), max({SEQ})"
        sql = f"SELECT {what} FROM {self.images.sql} WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2"
        label = written(self.images.table)
        for action, reason, rows, first, last in self.log.session.rows(sql):
            message = f"{rows:,} more rows of {label} ({reason}) {_DONE[action]} by repair run {self.run}"
            facts = {"run": self.run, "table": label, "reference": reason, "action": action, "rows": rows}
            ends = self.rows(f"{_among([first, last])} ORDER BY {SEQ}")
            keys = {"first_key": self.key(ends[0]), "last_key": self.key(ends[-1])}
            yield self._entry(message, facts | keys)

    def _entry(self, message: str, details: dict[str, Any]) -> Entry:
        return Entry(self.log._type(self.images.table), message, details)

    def _is_masked(self, name: str) -> bool:
        return any(name in path.columns and self._names(path) for path in self.log.catalog.masked)

    def _names(self, path: Path) -> bool:
        table = self.images.table
        return path.table == table.name and path.schema in (None, table.schema)


def _among(seqs: Sequence[int]) -> str:
    return f"{SEQ} IN ({', '.join(str(int(seq)) for seq in seqs)})"


def _where(catalog: Catalog, log: CatalogLog) -> str:
    return f"{catalog.file}, {log.entry}"
