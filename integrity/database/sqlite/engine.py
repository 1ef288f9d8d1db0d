"""SQLite as an engine."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity import conf
from integrity.database.access import Access, Work
from integrity.database.conversions import Conversion
from integrity.database.dependents import Dependent
from integrity.database.engine import Digest, Engine, Locator, Predicate, Stretch
from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName, column, quote, quote_table
from integrity.database.json_forms import JsonForms
from integrity.database.locks import StatementLock
from integrity.database.routines import Examined, Routine
from integrity.database.row_order import RowOrder, Shown
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session, Target
from integrity.database.spelling import Form
from integrity.database.sqlite import (
    digests,
    errors,
    field_types,
    given,
    introspection,
    keys,
    lock_file,
    plans,
    routines,
    row_order,
    spelling,
    statement_locks,
    statistics,
    type_names,
)
from integrity.database.sqlite.conversions import SQLiteConversion
from integrity.database.sqlite.dependents import dependents
from integrity.database.sqlite.json_forms import SQLiteJson
from integrity.database.sqlite.table_dependents import table_dependents, table_parts
from integrity.database.statistics import Statistics
from integrity.exceptions import BackupFailed, ReferentialIntegrityError, TargetUnreachable


class SQLiteEngine(Engine):
    """SQLite 3.35 and later."""

    vendor = "sqlite"
    default_schema = introspection.MAIN
    yardstick = plans.YARDSTICK
    names_violated_key = False

    # -- opening ---------------------------------------------------------------------------

    def check_exists(self, target: Target) -> None:
        """SQLite would make an empty file of any name."""
        file = database_file(target)
        if file is not None and not file.is_file():
            raise TargetUnreachable(
                f"There is no file {file}", where=target.alias, hint="Correct NAME of this target."
            )

    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """Values as they are stored (no converters), and our own patience for locks."""
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options["detect_types"] = 0
        options["timeout"] = conf.lock_timeout_ms() / 1000

    def opened(self, session: Session) -> None:
        """Nothing acts on rows but our own statements."""
        self.adapt(session, session.connection.connection)
        session.execute("PRAGMA foreign_keys = OFF")
        session.rows("SELECT name FROM sqlite_master LIMIT 1")

    def adapt(self, session: Session, raw: Any) -> None:
        """Text that is not UTF-8 is kept, statements have a clock, and rows can be digested."""
        raw.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        raw.set_progress_handler(lambda: overdue(session), plans.CLOCK)
        digests.register(raw)

    def begin_reading(self, session: Session) -> None:
        """In WAL one transaction; with a rollback journal, where a reader would block every
        writer, one for each look (SQLite manual, "Isolation In SQLite")."""
        if session.value("PRAGMA journal_mode") == "wal":
            session.execute("BEGIN")
            session.rows("SELECT name FROM sqlite_master LIMIT 1")
        else:
            session.moment = session.value("PRAGMA data_version")

    @contextmanager
    def look(self, session: Session) -> Iterator[None]:
        """Nothing more in WAL: a failed query leaves the transaction as it was."""
        if session.moment is None:
            yield
            return
        session.execute("BEGIN")
        try:
            yield
        finally:
            self.rollback(session)

    def one_moment(self, session: Session) -> bool:
        """``data_version`` changes whenever another connection commits."""
        return session.moment is None or session.value("PRAGMA data_version") == session.moment

    def begin_changing(self, session: Session) -> None:
        """BEGIN IMMEDIATE: the only writer until the end."""
        session.execute("BEGIN IMMEDIATE")

    def rollback(self, session: Session) -> None:
        """ROLLBACK where a transaction is open."""
        raw = session.connection.connection
        if raw is not None and raw.in_transaction:
            try:
                raw.rollback()
            except sqlite3.Error:
                session.connection.close()

    @contextmanager
    def streaming_cursor(self, session: Session) -> Iterator[Any]:
        """SQLite's cursors stream by nature."""
        with session.connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def errors(self, session: Session) -> Iterator[None]:
        """Starts the statement's clock: SQLite has no statement timeout of its own."""
        limit = session.statement_timeout_ms
        session.deadline = time.monotonic() + limit / 1000 if limit else None
        with super().errors(session):
            yield

    def translate(self, error: DatabaseError, session: Session) -> ReferentialIntegrityError | None:
        """By SQLite's words: its result codes are not passed on."""
        return errors.meaning(str(error), session.target.alias)

    def opening_error(self, error: Exception, target: Target) -> ReferentialIntegrityError:
        """By SQLite's words."""
        known = errors.meaning(str(error), target.alias)
        return known or TargetUnreachable(
            f"The file cannot be opened: {error}", where=target.alias, hint="Correct NAME of this target."
        )

    @contextmanager
    def hold_target(
        self, target: Target, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
    ) -> Iterator[bool]:
        """A lock of the operating system on a file beside it: it ends with the process."""
        with lock_file.held(database_file(target), name, wait, on_wait) as held:
            yield held

    def statement_locks(self, statements: Sequence[str]) -> list[StatementLock]:
        """Of the file, for writers."""
        return list(statement_locks.statement_locks(statements))

    # -- structure and comparison ----------------------------------------------------------

    def introspect(self, session: Session) -> Schema:
        """Six queries."""
        return introspection.introspect(session)

    def statistics(self, session: Session) -> Statistics:
        """By ANALYZE, counts that end early, and rowids."""
        return statistics.statistics(session)

    def routines(self, session: Session) -> list[Routine]:
        """One query."""
        return routines.routines(session)

    def function_names(self, session: Session) -> frozenset[str]:
        """SQLite's own and those that the connection brings; an application may bring others."""
        return frozenset(name for (name,) in session.rows(routines.FUNCTIONS))

    def examine_routines(
        self, session: Session, known: Sequence[Routine], chosen: Sequence[Routine]
    ) -> Examined:
        """Compiled alone, on a copy of the structure."""
        return routines.examine(session, chosen)

    def routine_differs(self, session: Session, routine: Routine, create: str) -> bool:
        """By its text, which is kept as it was written."""
        return routines.differs(routine, create)

    def replacing(self, create: str) -> str:
        """SQLite replaces nothing."""
        return create

    def field_types(self, session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
        """By type, as far as the values keep to it."""
        return field_types.field_types(session, schema)

    def dependents(
        self,
        session: Session,
        schema: Schema,
        table: Table,
        column: str,
        *,
        besides: Sequence[TableName] = (),
    ) -> list[Dependent]:
        """Asked of SQLite itself, on a copy of the structure."""
        return dependents(session, schema, table, column, besides)

    def table_dependents(self, session: Session, schema: Schema, table: Table) -> list[Dependent]:
        """Asked of SQLite itself, too."""
        return table_dependents(session, schema, table)

    def table_parts(self, session: Session, table: Table) -> list[Dependent]:
        """By their texts."""
        return table_parts(session, table)

    def same_type(self, written: str, column: Column) -> bool:
        """By affinity: SQLite knows no other types."""
        return type_names.affinity(written) == type_names.affinity(column.type)

    def conversion(self, name: str, written: str, to: str) -> Conversion:
        """By the families of the types."""
        return SQLiteConversion(name, written, to)

    def numbers_rows(self, written: str) -> bool:
        """INTEGER PRIMARY KEY."""
        return type_names.numbers_rows(written)

    def equal(self, parent: Column, parent_sql: str, child: Column, child_sql: str) -> str:
        """With the parent's collation and affinity, as a foreign key compares (SQLite manual,
        "Foreign Key Support" 3): the parent stands left, and ``+`` takes the child's affinity off."""
        return f"{parent_sql} = +{child_sql}"

    def understood(self, session: Session, table: Table, expressions: Sequence[str]) -> list[str]:
        """The programs that they compile to."""
        return plans.understood(session, self.source(table), expressions)

    def source(self, table: Table) -> str:
        """Its name."""
        return quote_table(table.name)

    def parent_source(self, table: Table) -> str:
        """Its name."""
        return quote_table(table.name)

    # -- keys ------------------------------------------------------------------------------

    def key_text(self, columns: Sequence[str], alias: str = "c") -> str:
        """Byte by byte."""
        return keys.key_text(columns, alias)

    def key_value(self, sql: str) -> str:
        """As it is stored."""
        return keys.key_value(sql)

    def among(self, sql: str, texts: Sequence[str]) -> Predicate:
        """In one parameter."""
        return keys.among(sql, texts)

    def having_key(self, columns: Sequence[Column], texts: Sequence[str]) -> Predicate:
        """By its values, too, where the texts can be nothing else."""
        return keys.having_key(columns, texts)

    def looked_up(self, into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """In one parameter."""
        return keys.looked_up(into, key, values)

    def spelled(self, sql: str, form: Form) -> str:
        """By storage class."""
        return spelling.form(sql, form)

    def json_forms(self, column: Column) -> JsonForms:
        """By the JSON functions, behind json_valid."""
        return SQLiteJson(column)

    def epoch(self, sql: str) -> str:
        """By storage class."""
        return spelling.epoch(sql)

    def last_given(self, session: Session, table: Table, column: str) -> int | None:
        """AUTOINCREMENT's."""
        return spelling.last_given(session, table, column)

    # -- verification ----------------------------------------------------------------------

    def begin_trial(self, session: Session) -> None:
        """With enforcement on: the switch works only outside a transaction."""
        session.execute("PRAGMA foreign_keys = ON")
        self.begin_changing(session)

    def violated_key(self, error: BaseException) -> str | None:
        """SQLite says that one was violated, never which."""
        return "" if "FOREIGN KEY constraint failed" in str(error) else None

    def violated_unique(self, error: BaseException) -> str | None:
        """``table.column, …``, or ``index 'name'`` where it indexes expressions."""
        _, found, named = str(error).partition("UNIQUE constraint failed: ")
        return named.strip() if found else None

    def given(self, column: Column) -> str:
        """As it is: the column's affinity does the rest."""
        return "%s"

    def unusable(self, session: Session, key: ForeignKey) -> str:
        """Referenced columns that are not unique make every write fail; only compiling shows it."""
        return errors.mismatch(session, key)

    def accesses(
        self, session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool = False
    ) -> list[Access]:
        """By EXPLAIN QUERY PLAN."""
        return plans.accesses(session, sql, params)

    def begin_measuring(self, session: Session, statement_timeout_ms: int) -> None:
        """``query_only``; rows come in the order of the table or index that is read."""
        session.execute("PRAGMA query_only = ON")
        session.statement_timeout_ms = statement_timeout_ms

    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """By counting the instructions of the virtual machine."""
        return plans.work(session, sql, params, lambda: overdue(session))

    # -- looking through rows --------------------------------------------------------------

    def hasten(self, session: Session, statement_timeout_ms: int) -> None:
        """By our own clock."""
        session.statement_timeout_ms = statement_timeout_ms

    def row_order(self, table: Table, *, by_key: bool = True) -> RowOrder:
        """As it is stored."""
        return row_order.row_order(table, by_key=by_key)

    def shown(self, value: Column, sql: str, letters: int) -> Shown:
        """By storage class."""
        return row_order.shown(sql, letters)

    def written_as(self, value: Column, sql: str, text: str) -> Predicate:
        """In whatever storage class."""
        return row_order.written_as(sql, text)

    def begins(self, value: Column, sql: str, prefix: str) -> Predicate:
        """LIKE."""
        return row_order.begins(sql, prefix)

    # -- rows ------------------------------------------------------------------------------

    def locator(self, table: Table, alias: str = "c") -> str:
        """The rowid; without one, the key's values as SQL literals."""
        if table.rowid:
            return f"{alias}.{table.rowid}" if alias else table.rowid
        return " || ',' || ".join(f"quote({column(name, alias)})" for name in _key(table))

    def located(self, table: Table, locators: Sequence[Locator], alias: str = "c") -> Predicate:
        """A list of rowids as JSON, or of keys as literals that SQLite itself wrote."""
        if table.rowid:
            sql = f"{alias}.{table.rowid} IN (SELECT value FROM json_each(%s))"
            return Predicate(sql, (json.dumps(list(locators)),))
        if not locators:
            return Predicate("0")
        names = ", ".join(column(name, alias) for name in _key(table))
        values = ", ".join(f"({literals})".replace("%", "%%") for literals in locators)
        return Predicate(f"({names}) IN (VALUES {values})")

    def stretches(self, session: Session, table: Table, position: Any, size: int) -> Stretch | None:
        """A range of rowids; a table without them is one stretch."""
        if not table.rowid:
            return None if position else Stretch(Predicate("1"), True)
        start, params = ("", ()) if position is None else (f"WHERE {table.rowid} > %s", (position,))
        inner = (
            f"SELECT {table.rowid} AS r FROM {quote_table(table.name)} {start} ORDER BY 1 LIMIT {int(size)}"
        )
        last = session.value(f"SELECT max(r) FROM ({inner})", params)
        if last is None:
            return None
        upto = Predicate(f"c.{table.rowid} <= %s", (last,))
        return Stretch(upto if position is None else Predicate(f"c.{table.rowid} > %s", params) & upto, last)

    def claim(self, session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
        """Nobody else writes within BEGIN IMMEDIATE."""
        sql = f"SELECT {self.locator(table)} FROM {self.source(table)} AS c WHERE {where.sql} LIMIT %s"
        return [row[0] for row in session.rows(sql, [*where.params, limit])]

    def paired(self, pairs: Sequence[tuple[int, Locator]]) -> tuple[str, list[Any]]:
        """A list of pairs as JSON."""
        pair = "json_extract(value, '$[0]') AS seq, json_extract(value, '$[1]') AS loc"
        item = f"(SELECT {pair} FROM json_each(%s)) AS m"
        return item, [json.dumps([list(pair) for pair in pairs])]

    def readable(self, sql: str, letters: int | None) -> tuple[str, str]:
        """By its storage class."""
        return spelling.readable(sql, letters)

    @contextmanager
    def given_rows(
        self, session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
    ) -> Iterator[tuple[str, list[Any]]]:
        """A temporary table."""
        with given.item(session, columns, rows) as item:
            yield item, []

    def assigned(self, column: Column) -> str:
        """As it is."""
        return "%s"

    def update_located(
        self,
        session: Session,
        table: Table,
        assignments: str,
        values: Sequence[Any],
        pairs: Sequence[tuple[int, Locator]],
        *,
        keyed: bool,
    ) -> dict[int, Locator]:
        """A row keeps its locator, unless its key is changed: then row by row."""
        if keyed:
            return {
                seq: after
                for seq, locator in pairs
                for after in self._update_one(session, table, assignments, values, locator)
            }
        where = self.located(table, [locator for _, locator in pairs])
        sql = f"UPDATE {self.source(table)} AS c SET {assignments} WHERE {where.sql}"
        changed = session.execute(sql, [*values, *where.params])
        return dict(pairs) if changed == len(pairs) else dict(pairs[:changed])

    def _update_one(
        self, session: Session, table: Table, assignments: str, values: Sequence[Any], locator: Locator
    ) -> list[Locator]:
        """RETURNING knows no alias of the updated table, so its columns stand alone."""
        where = self.located(table, [locator])
        returned = self.locator(table, alias="")
        sql = f"UPDATE {self.source(table)} AS c SET {assignments} WHERE {where.sql} RETURNING {returned}"
        return [row[0] for row in session.rows(sql, [*values, *where.params])]

    def lock_referenced(self, session: Session, tables: Sequence[Table], changed: Sequence[Table]) -> None:
        """Nothing: BEGIN IMMEDIATE has locked the file."""

    def digest(self, session: Session, table: Table) -> Digest:
        """By a function of ours, rowid included."""
        return digests.digest(session, table)

    def insert_prefix(self, table: Table) -> str:
        """Nothing: any rowid may be given."""
        return ""

    @contextmanager
    def suppress_triggers(self, session: Session, table: Table) -> Iterator[None]:
        """Dropped and made again within the same transaction: SQLite cannot disable one."""
        for trigger in table.triggers:
            session.execute(f"DROP TRIGGER {quote(trigger.name)}")
        yield
        for trigger in table.triggers:
            session.execute(trigger.definition.replace("%", "%%"))

    @contextmanager
    def lifted(self, session: Session, schema: Schema, keys: Sequence[ForeignKey]) -> Iterator[None]:
        """Nothing: our connection has enforcement off, and a key of SQLite never says of old rows
        that they hold."""
        yield

    # -- journal ---------------------------------------------------------------------------

    def journal_table(self, name: str) -> TableName:
        """Beside the others, by its prefix."""
        return TableName(introspection.MAIN, introspection.JOURNAL_PREFIX + name)

    def create_journal(self, session: Session) -> None:
        """Nothing: there are no schemas."""

    def has_table(self, session: Session, table: TableName) -> bool:
        """By the schema table."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %s"
        return session.value(sql, [table.name]) is not None

    def serial(self) -> str:
        """The rowid."""
        return "INTEGER"

    def stored_as(self, column: Column) -> str:
        """No type: a value keeps its own storage class."""
        return ""

    def restored_as(self, column: Column, sql: str) -> str:
        """As it is."""
        return sql

    def same(self, left: str, right: str, column: Column) -> str:
        """The same storage class and bytes, whatever the column's collation."""
        return f"(typeof({left}) = typeof({right}) AND {left} COLLATE BINARY IS {right})"

    def same_key(self, left: str, right: str, column: Column) -> str:
        """IS: a primary key may hold NULLs here (SQLite manual, "Quirks" 5)."""
        return f"{left} IS {right}"

    def hidden_identity(self, table: Table) -> str:
        """The rowid, where no INTEGER PRIMARY KEY is its name (SQLite manual, "ROWIDs")."""
        key = _key(table)
        alias = len(key) == 1 and table.column(key[0]).type.upper() == "INTEGER"
        return "" if alias else table.rowid

    # -- backup ----------------------------------------------------------------------------

    def backup(self, target: Target, folder: Path) -> Path:
        """SQLite's online backup: consistent while others write."""
        file = folder / f"{target.alias}-{time.strftime('%Y%m%d-%H%M%S')}.sqlite3"
        try:
            with target.changing() as session, sqlite3.connect(file) as copy:
                session.connection.connection.backup(copy)
            copy.close()
        except (sqlite3.Error, OSError) as error:
            file.unlink(missing_ok=True)
            raise BackupFailed(
                f"The backup failed: {error}", where=str(file), hint="Is there room?"
            ) from error
        return file


def database_file(target: Target) -> Path | None:
    """The file behind a target, None for one in memory."""
    name = str(target.settings["NAME"])
    if name.startswith("file:"):
        parts = urlsplit(name)
        return None if "mode=memory" in parts.query else Path(unquote(parts.path))
    return None if name == ":memory:" else Path(name).resolve()


def overdue(session: Session) -> bool:
    """Whether a statement's time is over."""
    return session.deadline is not None and time.monotonic() > session.deadline


def _key(table: Table) -> tuple[str, ...]:
    return table.primary_key.columns if table.primary_key else ()
