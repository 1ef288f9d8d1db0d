"""What differs between engines in a script: transactions, locks, checks, and how a row is told again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from integrity import conf
from integrity.database.engine import Engine
from integrity.database.identifiers import TableName, column, quote, quote_columns, quote_table
from integrity.database.identifiers import literal as text_literal
from integrity.database.schema import Column, Schema, Table, Trigger
from integrity.plans.row_paths import row_locator

ACTION, ROW, NOW = "integrity_action", "integrity_row", "integrity_now"


@dataclass(frozen=True)
class Dialect(ABC):
    """An engine's way of a script. ``mark`` tells the tables of one script from those of another."""

    engine: Engine
    schema: Schema
    mark: str

    how = ""
    place_type = ""
    """The type of a row's place in a table of the script."""

    def table(self, name: str) -> str:
        """A table of the script, beside the journal."""
        return quote_table(self.engine.journal_table(f"script_{self.mark}_{name}"[:60]))

    def backup(self, number: int, table: TableName) -> str:
        """The table that keeps the images of another."""
        short = table.name.encode()[:30].decode(errors="ignore")
        return self.table(f"{number}_{short}")

    def source(self, table: TableName) -> str:
        """The FROM item for a table's rows."""
        return self.engine.source(self.schema.table(table))

    def row(self, table: TableName, alias: str = "c") -> str:
        """The place of a row."""
        return row_locator(self.engine, self.schema, table, alias)

    def columns(self, table: TableName) -> tuple[Column, ...]:
        """The columns that an image holds."""
        return self.schema.table(table).stored_columns

    def alike(self, table: TableName, live: str, image: str) -> str:
        """A live row is exactly an image; by its key first, else by its place, so that it is found fast."""
        found = self.schema.table(table)
        key = found.primary_key.columns if found.primary_key else ()
        places = [f"{column(name, live)} = {column(name, image)}" for name in key]
        same = [self.same(each, live, image) for each in self.columns(table)]
        return " AND ".join([*(places or [f"{self.row(table, live)} = {image}.{NOW}"]), *same])

    def going(self, condition: str) -> str:
        """A condition that holds only while the script's transaction goes on."""
        return condition

    @abstractmethod
    def begin(self) -> list[str]:
        """How the script begins."""

    def end(self) -> list[str]:
        """How it ends."""
        return ["COMMIT"]

    @abstractmethod
    def lock(self, tables: Iterable[TableName]) -> list[str]:
        """Keeps others from changing tables until the end."""

    @abstractmethod
    def require(self, condition: str, message: str) -> list[str]:
        """Stops the script, with nothing changed, where a condition does not hold."""

    @abstractmethod
    def make(self, name: str, columns: str) -> str:
        """Makes a table of the script."""

    @abstractmethod
    def make_backup(self, name: str, table: TableName) -> str:
        """Makes a table for the images of another."""

    @abstractmethod
    def same(self, each: Column, live: str, image: str) -> str:
        """A value is exactly that of an image."""

    @abstractmethod
    def update(self, backup: str, table: TableName, assignments: str, places: str) -> list[str]:
        """Updates the rows at ``places`` and notes in their images where they are then."""

    @abstractmethod
    @contextmanager
    def quiet(self, table: Table, statements: list[str]) -> Iterator[None]:
        """Adds what keeps triggers from acting on what is added within."""

    def literal(self, value: Any) -> str:
        """A value as SQL; percent signs twice, as in every statement here."""
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return str(value).upper() if self.engine.vendor == "postgresql" else str(int(value))
        if isinstance(value, (int, float, Decimal)):
            return str(value)
        moment = isinstance(value, (date, datetime, time))
        return text_literal(value.isoformat() if moment else str(value)).replace("%", "%%")


class PostgreSQLDialect(Dialect):
    """A failure makes the whole transaction fail, whatever runs the script."""

    how = "psql --set ON_ERROR_STOP=1 --file FILE DATABASE"
    place_type = "text"

    def begin(self) -> list[str]:
        """Locks are waited for as long as everywhere; hidden rows are an error."""
        schema = quote(self.engine.journal_table("runs").schema)
        return [
            "BEGIN",
            f"SET LOCAL lock_timeout = {conf.lock_timeout_ms()}",
            "SET LOCAL row_security = off",
            "SET LOCAL client_min_messages = warning",
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC",
        ]

    def lock(self, tables: Iterable[TableName]) -> list[str]:
        """Nobody else writes; everybody reads."""
        names = ", ".join(quote_table(name) for name in sorted(set(tables)))
        return [f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"]

    def require(self, condition: str, message: str) -> list[str]:
        """By an exception."""
        said = text_literal(message).replace("%", "%%")
        body = f"BEGIN IF NOT ({condition}) THEN RAISE EXCEPTION USING MESSAGE = {said}; END IF; END"
        return [f"DO $integrity$ {body} $integrity$"]

    def make(self, name: str, columns: str) -> str:
        """With types."""
        return f"CREATE TABLE {name} ({columns})"

    def make_backup(self, name: str, table: TableName) -> str:
        """With the original's own types."""
        names = quote_columns([each.name for each in self.columns(table)], "c")
        extra = f"''::text AS {ACTION}, ''::text AS {ROW}, ''::text AS {NOW}"
        return f"CREATE TABLE {name} AS SELECT {names}, {extra} FROM {self.source(table)} c WITH NO DATA"

    def same(self, each: Column, live: str, image: str) -> str:
        """NULL-safe; by text where a type knows no equality."""
        here, there = column(each.name, live), column(each.name, image)
        try_text = each.type.split("(")[0] in (
            "json",
            "xml",
            "point",
            "polygon",
            "path",
            "line",
            "box",
            "circle",
        )
        cast = "::text" if try_text or each.type.removesuffix("[]") in ("json", "xml") else ""
        return f"{here}{cast} IS NOT DISTINCT FROM {there}{cast}"

    def update(self, backup: str, table: TableName, assignments: str, places: str) -> list[str]:
        """An updated row is somewhere else afterwards."""
        moved = (
            f"UPDATE {self.source(table)} AS c SET {assignments} FROM ({places}) AS m "
            f"WHERE {self.row(table)} = m.r RETURNING m.r AS was, {self.row(table)} AS now"
        )
        noted = (
            f"UPDATE {backup} AS b SET {NOW} = u.now FROM u WHERE b.{ROW} = u.was AND b.{ACTION} = 'update'"
        )
        return [f"WITH u AS ({moved}) {noted}"]

    @contextmanager
    def quiet(self, table: Table, statements: list[str]) -> Iterator[None]:
        """Each put back to how it fired before."""
        name = quote_table(table.name)
        acting = [each for each in table.triggers if each.firing in ("origin", "always")]
        statements += [f"ALTER TABLE {name} DISABLE TRIGGER {quote(each.name)}" for each in acting]
        yield
        statements += [f"ALTER TABLE {name} {_enable(each)} TRIGGER {quote(each.name)}" for each in acting]


def _enable(trigger: Trigger) -> str:
    return "ENABLE ALWAYS" if trigger.firing == "always" else "ENABLE"


class SQLiteDialect(Dialect):
    """A failed check rolls back; what comes after it then finds no transaction to go on with."""

    how = "sqlite3 -bail FILE.sqlite3 < SCRIPT"

    def begin(self) -> list[str]:
        """The only writer until the end."""
        return ["BEGIN IMMEDIATE", "CREATE TEMP TABLE integrity_going AS SELECT 1 AS yes"]

    def end(self) -> list[str]:
        """The mark goes with the transaction."""
        return ["DROP TABLE temp.integrity_going", "COMMIT"]

    def going(self, condition: str) -> str:
        """After a rollback there is no such table, and the statement fails."""
        return f"{condition} AND EXISTS (SELECT 1 FROM temp.integrity_going)"

    def lock(self, tables: Iterable[TableName]) -> list[str]:
        """BEGIN IMMEDIATE has locked the file."""
        return []

    def require(self, condition: str, message: str) -> list[str]:
        """By a constraint whose name is the message."""
        return [
            f"CREATE TEMP TABLE integrity_check (ok INTEGER, CONSTRAINT {quote(message)} CHECK (ok))",
            f"INSERT OR ROLLBACK INTO temp.integrity_check SELECT {condition}",
            "DROP TABLE temp.integrity_check",
        ]

    def make(self, name: str, columns: str) -> str:
        """Without types: values keep their own."""
        return f"CREATE TABLE {name} ({columns})"

    def make_backup(self, name: str, table: TableName) -> str:
        """Without types, too."""
        names = quote_columns([each.name for each in self.columns(table)])
        return f"CREATE TABLE {name} ({names}, {ACTION}, {ROW}, {NOW})"

    def same(self, each: Column, live: str, image: str) -> str:
        """The same storage class and bytes."""
        return self.engine.same(column(each.name, live), column(each.name, image), each)

    def update(self, backup: str, table: TableName, assignments: str, places: str) -> list[str]:
        """A row stays where it is."""
        where = self.going(f"{self.row(table)} IN ({places})")
        return [
            f"UPDATE {self.source(table)} AS c SET {assignments} WHERE {where}",
            f"UPDATE {backup} SET {NOW} = {ROW} WHERE {self.going(f'{ACTION} = ' + repr('update'))}",
        ]

    @contextmanager
    def quiet(self, table: Table, statements: list[str]) -> Iterator[None]:
        """Dropped, and made again as they were."""
        statements += [f"DROP TRIGGER {quote(each.name)}" for each in table.triggers]
        yield
        statements += [each.definition.replace("%", "%%") for each in table.triggers]
