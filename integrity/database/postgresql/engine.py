"""PostgreSQL as an engine."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity import conf
from integrity.database.access import Access, Work
from integrity.database.conversions import Conversion
from integrity.database.dependents import Dependent
from integrity.database.engine import Digest, Engine, Locator, Predicate, Stretch
from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName, quote, quote_table, shown
from integrity.database.json_forms import JsonForms
from integrity.database.locks import Blocker, Lock, StatementLock
from integrity.database.postgresql import (
    backups,
    comparing,
    ddl,
    errors,
    faults,
    field_types,
    given,
    introspection,
    keys,
    locks,
    plans,
    routines,
    row_order,
    rows,
    sessions,
    spelling,
    statement_locks,
    statistics,
    table_parts,
    type_names,
)
from integrity.database.postgresql.conversions import PostgreSQLConversion
from integrity.database.postgresql.dependents import dependents
from integrity.database.postgresql.json_forms import PostgreSQLJson
from integrity.database.postgresql.table_dependents import table_dependents
from integrity.database.routines import Examined, Routine
from integrity.database.row_order import RowOrder, Shown
from integrity.database.schema import Column, ForeignKey, Schema, Table, TableKind
from integrity.database.session import Session, Target
from integrity.database.spelling import Form
from integrity.database.statistics import Statistics
from integrity.database.usage import Connections
from integrity.exceptions import (
    MissingPrivilege,
    NotCheckable,
    ReferentialIntegrityError,
)

# Whatever a value's text depends on is fixed, so that digests agree between any two sessions.
STEADY_TEXT = (
    "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmloption = 'content'"
)

# Who else was given rights on a schema.
GRANTED = """
SELECT DISTINCT a.grantee::regrole::text FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = %s AND a.grantee NOT IN (0, n.nspowner)
"""

ROLE = "INTEGRITY_ROLE"
"""Where a connection's settings keep Django's ``assume_role``."""

DEFAULT_COLLATION = 'pg_catalog."default"'

# Types whose equal values are the same values.
_EXACT = {
    "smallint", "integer", "bigint", "oid", "uuid", "boolean", "date", "bytea", "timestamp without time zone",
    "timestamp with time zone",
}  # fmt: skip

_COMPARABLE = (
    {"smallint", "integer", "bigint", "numeric", "real", "double precision", "oid"},
    {"text", "character varying", "character", "name", '"char"'},
    {"date", "timestamp without time zone", "timestamp with time zone"},
    {"inet", "cidr"},
    {"bit", "bit varying"},
)

_CAST = {"character": "bpchar", "character varying": "text"}


class PostgreSQLEngine(Engine):
    """PostgreSQL 14 to 18."""

    vendor = "postgresql"
    default_schema = "public"
    yardstick = plans.YARDSTICK
    names_violated_key = True

    # -- opening ---------------------------------------------------------------------------

    def check_exists(self, target: Target) -> None:
        """Nothing: a server never makes a database because somebody connects."""

    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """No prepared statements, cursors or settings outlive a transaction (poolers): a role that Django
        would set for the session is set for each transaction instead."""
        connection.settings_dict["CONN_MAX_AGE"] = 0
        options = connection.settings_dict.setdefault("OPTIONS", {})
        connection.settings_dict[ROLE] = options.pop("assume_role", None)
        options["prepare_threshold"] = None
        options.setdefault("connect_timeout", 10)
        options.setdefault("application_name", "integrity")
        options.pop("pool", None)

    def opened(self, session: Session) -> None:
        """Nothing: settings are local to each transaction."""

    def begin_reading(self, session: Session) -> None:
        """One moment for everything; row-level security refuses instead of hiding rows."""
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._settle(session)

    def begin_changing(self, session: Session) -> None:
        """READ COMMITTED, so that each statement sees what was committed before its locks."""
        session.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        self._settle(session)
        self.wait_briefly(session)

    def wait_briefly(self, session: Session) -> None:
        """``lock_timeout``: even reading a table's structure waits for who holds it alone."""
        session.execute(f"SET LOCAL lock_timeout = {conf.lock_timeout_ms()}")

    def _settle(self, session: Session) -> None:
        if role := session.connection.settings_dict.get(ROLE):
            session.execute(f"SET LOCAL ROLE {quote(role)}")
        session.execute(STEADY_TEXT)
        session.execute("SET LOCAL row_security = off")
        session.execute(f"SET LOCAL statement_timeout = {int(session.statement_timeout_ms)}")

    @contextmanager
    def look(self, session: Session) -> Iterator[None]:
        """A savepoint, so that a refused or timed-out check does not end the reading."""
        session.execute("SAVEPOINT integrity_look")
        try:
            yield
        except (ReferentialIntegrityError, DatabaseError):
            session.execute("ROLLBACK TO SAVEPOINT integrity_look")
            raise
        finally:
            if session.connection.connection is not None and not session.connection.connection.closed:
                session.execute("RELEASE SAVEPOINT integrity_look")

    def one_moment(self, session: Session) -> bool:
        """Always: REPEATABLE READ."""
        return True

    def rollback(self, session: Session) -> None:
        """ROLLBACK, on a connection that may be gone."""
        try:
            with session.connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        except (DatabaseError, InterfaceError):
            session.connection.close()

    @contextmanager
    def streaming_cursor(self, session: Session) -> Iterator[Any]:
        """A server-side cursor, which lives as long as our transaction."""
        cursor = session.connection.connection.cursor(name="integrity_stream")
        try:
            with session.connection.wrap_database_errors:
                yield cursor
        finally:
            cursor.close()

    def translate(self, error: DatabaseError, session: Session) -> ReferentialIntegrityError | None:
        """By SQLSTATE."""
        return errors.translate(error, session.target.alias)

    def check_session(self, target: Target) -> None:
        """A role that Django assumes and statements that psycopg prepares are the session's."""
        options = target.settings.get("OPTIONS", {})
        kept = [name for name in ("assume_role", "prepare_threshold") if options.get(name) is not None]
        if not kept:
            return
        with target.reading() as session:
            if self.pooled(session):
                raise errors.needs_direct(f"{kept[0]} in OPTIONS holds for a session", target.alias)

    def pooled(self, session: Session) -> bool:
        """A pooler makes up the process that it names when a connection is opened."""
        named = session.connection.connection.info.backend_pid
        return bool(named != session.value("SELECT pg_backend_pid()"))

    def opening_error(self, error: Exception, target: Target) -> ReferentialIntegrityError:
        """By the server's words."""
        return errors.opening_error(error, target.alias)

    @contextmanager
    def hold_target(
        self, target: Target, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
    ) -> Iterator[bool]:
        """A transaction-level advisory lock on a connection of its own: it ends with the
        process, and holds through a pooler in transaction mode."""
        number = int.from_bytes(hashlib.sha256(f"integrity {name}".encode()).digest()[:8], signed=True)
        with target.changing() as holder:
            held, until = self._try_to_hold(holder, number), time.monotonic() + wait
            if not held and wait and on_wait is not None:
                on_wait()
            while not held and time.monotonic() < until:
                time.sleep(0.2)
                held = self._try_to_hold(holder, number)
            try:
                yield held
            finally:
                self.rollback(holder)

    def _try_to_hold(self, holder: Session, number: int) -> bool:
        """Whoever waits has no transaction open: in a small pool the one who holds needs its connection."""
        holder.execute("BEGIN")
        holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        held = bool(holder.value("SELECT pg_try_advisory_xact_lock(%s)", [number]))
        if not held:
            self.rollback(holder)
        return held

    def hurry(self, connection: BaseDatabaseWrapper, seconds: int) -> None:
        """By libpq's connect_timeout, which counts for each address that it tries."""
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options["connect_timeout"] = min(int(options.get("connect_timeout") or seconds), seconds)

    def connections_in_use(self, session: Session) -> Connections | None:
        """From the server's list of sessions."""
        return sessions.connections_in_use(session)

    def blockers(self, session: Session, tables: Sequence[Table], lock: Lock) -> list[Blocker]:
        """From the server's list of locks."""
        return locks.blockers(session, [table.oid for table in tables if table.oid], lock)

    def statement_locks(self, statements: Sequence[str]) -> list[StatementLock]:
        """By table, in the manual's words."""
        return list(statement_locks.statement_locks(statements, self.default_schema))

    # -- structure and comparison ----------------------------------------------------------

    def introspect(self, session: Session) -> Schema:
        """Seven queries."""
        return introspection.introspect(session)

    def statistics(self, session: Session) -> Statistics:
        """Three queries of what the server keeps."""
        return statistics.statistics(session)

    def routines(self, session: Session) -> list[Routine]:
        """Three queries."""
        return routines.routines(session)

    def function_names(self, session: Session) -> frozenset[str]:
        """Of the server, of extensions and of the users, whatever schema they are in."""
        return frozenset(name for (name,) in session.rows(routines.FUNCTION_NAMES))

    def examine_routines(
        self, session: Session, known: Sequence[Routine], chosen: Sequence[Routine]
    ) -> Examined:
        """By the server's own parser, statement by statement."""
        return faults.examine(session, known, chosen)

    def routine_differs(self, session: Session, routine: Routine, create: str) -> bool:
        """A body by its words, a view by its plan."""
        return comparing.differs(session, routine, create)

    def replacing(self, create: str) -> str:
        """CREATE OR REPLACE, but for triggers."""
        return routines.replacing(create)

    def field_types(self, session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
        """By type, in two queries."""
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
        """By the record that the server keeps, and by name in functions."""
        return dependents(session, schema, table, column, besides)

    def table_dependents(self, session: Session, schema: Schema, table: Table) -> list[Dependent]:
        """By the server's record."""
        return table_dependents(session, schema, table)

    def table_parts(self, session: Session, table: Table) -> list[Dependent]:
        """As the server writes them."""
        return table_parts.table_parts(session, table)

    def carried_over(self, session: Session, table: Table) -> list[str]:
        """Rights, comment, owner."""
        return table_parts.carried_over(session, table)

    def type_name(self, written: str) -> str:
        """As ``format_type`` gives it."""
        return type_names.canonical(written)

    def same_type(self, written: str, column: Column) -> bool:
        """By the server's own name of it."""
        return self.type_name(written) == column.type.lower()

    def conversion(self, name: str, written: str, to: str) -> Conversion:
        """By the families of the types."""
        return PostgreSQLConversion(name, type_names.canonical(written), type_names.canonical(to))

    def numbers_rows(self, written: str) -> bool:
        """SERIAL and identities."""
        return type_names.numbers_rows(written)

    def equal(self, parent: Column, parent_sql: str, child: Column, child_sql: str) -> str:
        """As the equality operator of the referenced column; text forms where none fits.

        The referencing value takes the referenced type where a foreign key would cast it so
        (PostgreSQL manual, CREATE TABLE, REFERENCES; and 10.2): ``character`` and ``text`` differ
        in their padding, ``real`` in its digits.
        """
        here, there = _bare(child), _bare(parent)
        if here == there or any({here, there} <= family for family in _COMPARABLE):
            casts = (there == "real" and here != "double precision") or "character" in (here, there)
            if here != there and casts:
                child_sql = f"({child_sql})::{_CAST.get(there, there)}"
            if parent.collation != child.collation:
                return f"{parent_sql} = {child_sql} COLLATE {parent.collation or DEFAULT_COLLATION}"
            return f"{parent_sql} = {child_sql}"
        if "json" in (here, there) or "xml" in (here, there):
            raise NotCheckable(f"{child.type} cannot be compared with {parent.type}")
        return f"({parent_sql})::text = ({child_sql})::text"

    def understood(self, session: Session, table: Table, expressions: Sequence[str]) -> list[str]:
        """As EXPLAIN writes them down."""
        return plans.understood(session, self.source(table), expressions)

    def source(self, table: Table) -> str:
        """ONLY the table's own rows, all partitions of a partitioned one."""
        return rows.source(table)

    def parent_source(self, table: Table) -> str:
        """With inheritance children: a value that stands in one of them is not missing."""
        return quote_table(table.name)

    # -- keys ------------------------------------------------------------------------------

    def key_text(self, columns: Sequence[str], alias: str = "c") -> str:
        """Byte by byte."""
        return keys.key_text(columns, alias)

    def key_value(self, sql: str) -> str:
        """As text."""
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
        """In the "C" collation."""
        return spelling.form(sql, form)

    def json_forms(self, column: Column) -> JsonForms:
        """By the functions of json and jsonb."""
        return PostgreSQLJson(column)

    def epoch(self, sql: str) -> str:
        """By its type."""
        return spelling.epoch(sql)

    def last_given(self, session: Session, table: Table, column: str) -> int | None:
        """The sequence's."""
        return spelling.last_given(session, table, column)

    # -- verification ----------------------------------------------------------------------

    def begin_trial(self, session: Session) -> None:
        """Deferrable keys are checked at once, too."""
        self.begin_changing(session)
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def violated_key(self, error: BaseException) -> str | None:
        """SQLSTATE 23503 names its constraint."""
        return errors.violated_key(error)

    def violated_unique(self, error: BaseException) -> str | None:
        """SQLSTATE 23505 names its constraint or index; of a partitioned table, the partition's."""
        return errors.violated_unique(error)

    def given(self, column: Column) -> str:
        """By a cast."""
        return f"CAST(%s AS {column.type.replace('%', '%%')})"

    def unusable(self, session: Session, key: ForeignKey) -> str:
        """PostgreSQL makes none that cannot."""
        return ""

    def accesses(
        self, session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool = False
    ) -> list[Access]:
        """By EXPLAIN."""
        return plans.accesses(session, sql, params, prefer_index=prefer_index)

    def begin_measuring(self, session: Session, statement_timeout_ms: int) -> None:
        """A reading refuses writes as it is; a scan must not begin where another one happens to be."""
        session.execute("SET LOCAL synchronize_seqscans = off")
        session.execute(f"SET LOCAL statement_timeout = {int(statement_timeout_ms)}")

    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """By EXPLAIN (ANALYZE, BUFFERS)."""
        return plans.work(session, sql, params)

    # -- looking through rows --------------------------------------------------------------

    def hasten(self, session: Session, statement_timeout_ms: int) -> None:
        """``statement_timeout``."""
        session.execute(f"SET LOCAL statement_timeout = {int(statement_timeout_ms)}")

    def row_order(self, table: Table, *, by_key: bool = True) -> RowOrder:
        """By the primary key, else by ctid."""
        return row_order.row_order(table, by_key=by_key)

    def shown(self, value: Column, sql: str, letters: int) -> Shown:
        """By type."""
        return row_order.shown(value, sql, letters)

    def written_as(self, value: Column, sql: str, text: str) -> Predicate:
        """By its type's own operator."""
        return row_order.written_as(value, sql, text)

    def begins(self, value: Column, sql: str, prefix: str) -> Predicate:
        """ILIKE."""
        return row_order.begins(value, sql, prefix)

    # -- rows ------------------------------------------------------------------------------

    def locator(self, table: Table, alias: str = "c") -> str:
        """Its ctid, as text; a table here is never partitioned, but one of the partitions."""
        return f"{alias}.ctid::text"

    def located(self, table: Table, locators: Sequence[Locator], alias: str = "c") -> Predicate:
        """A TID scan."""
        return rows.located(locators, alias)

    def stretches(self, session: Session, table: Table, position: Any, size: int) -> Stretch | None:
        """A range of blocks."""
        return rows.stretch(session, table, position, size)

    def claim(self, session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
        """FOR UPDATE."""
        return rows.claim(session, table, where, limit)

    def paired(self, pairs: Sequence[tuple[int, Locator]]) -> tuple[str, list[Any]]:
        """Two arrays, unnested side by side."""
        columns = [[seq for seq, _ in pairs], [locator for _, locator in pairs]]
        return "unnest(%s::bigint[], %s::text[]) AS m(seq, loc)", columns

    def readable(self, sql: str, letters: int | None) -> tuple[str, str]:
        """As PostgreSQL writes it; by the type that the value has, whoever declared it."""
        return rows.readable(sql, letters)

    @contextmanager
    def given_rows(
        self, session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
    ) -> Iterator[tuple[str, list[Any]]]:
        """Arrays, unnested side by side."""
        yield given.item(columns, rows)

    def assigned(self, column: Column) -> str:
        """By a cast that cuts nothing."""
        return given.cast(column, "%s")

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
        """An updated row has another ctid: RETURNING says which."""
        item, params = self.paired(pairs)
        where = self.located(table, [locator for _, locator in pairs])
        sql = (
            f"UPDATE {self.source(table)} AS c SET {assignments} FROM {item} "
            f"WHERE {where.sql} AND c.ctid::text = m.loc RETURNING m.seq, c.ctid::text"
        )
        return dict(session.rows(sql, [*values, *params, *where.params]))

    def lock_referenced(self, session: Session, tables: Sequence[Table], changed: Sequence[Table]) -> None:
        """SHARE; SHARE ROW EXCLUSIVE where the same table is changed too, against deadlocks."""
        names = {table.name for table in changed}
        views = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW, TableKind.FOREIGN)
        lockable = sorted((table for table in tables if table.kind not in views), key=lambda each: each.name)
        for table in lockable:
            mode = "SHARE ROW EXCLUSIVE" if table.name in names else "SHARE"
            try:
                session.execute(rows.lock_statement([table], mode))
            except MissingPrivilege as error:
                role = shown(quote(session.connection.connection.info.user))
                raise MissingPrivilege(
                    f"This role may not lock {table.name} against new parents appearing meanwhile",
                    where=session.target.alias,
                    hint=rows.grant_to_lock([table], role),
                ) from error

    def digest(self, session: Session, table: Table) -> Digest:
        """On the server."""
        return rows.digest(session, table)

    def insert_prefix(self, table: Table) -> str:
        """Identity values come back as they were."""
        return "OVERRIDING SYSTEM VALUE" if any(each.identity for each in table.columns) else ""

    @contextmanager
    def suppress_triggers(self, session: Session, table: Table) -> Iterator[None]:
        """DISABLE TRIGGER, one by one, each put back to how it fired before."""
        acting = [trigger for trigger in table.triggers if trigger.firing in ("origin", "always")]
        if not acting or not table.owned:
            yield
            return
        name = quote_table(table.name)
        for trigger in acting:
            session.execute(f"ALTER TABLE {name} DISABLE TRIGGER {quote(trigger.name)}")
        yield
        for trigger in acting:
            how = "ENABLE ALWAYS" if trigger.firing == "always" else "ENABLE"
            session.execute(f"ALTER TABLE {name} {how} TRIGGER {quote(trigger.name)}")

    @contextmanager
    def deferring(self, session: Session) -> Iterator[None]:
        """SET CONSTRAINTS, and back before anything is altered: a table with checks still to come
        cannot be (SQLSTATE 55006)."""
        session.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @contextmanager
    def lifted(self, session: Session, schema: Schema, keys: Sequence[ForeignKey]) -> Iterator[None]:
        """Dropped, and added again NOT VALID, in one transaction: no other sees it missing."""
        for key in keys:
            session.execute(ddl.drop_constraint(key.table, key.name).replace("%", "%%"))
        yield
        for key in keys:
            for each in unvalidated(schema, key):
                session.execute(ddl.add_foreign_key(each).replace("%", "%%"))

    # -- journal ---------------------------------------------------------------------------

    def journal_table(self, name: str) -> TableName:
        """In a schema of its own, without rights for PUBLIC."""
        return TableName(introspection.JOURNAL_SCHEMA, name)

    def create_journal(self, session: Session) -> None:
        """The schema, closed to everybody else, default privileges included: what stands in it cannot
        be reached then. Its tables are made by the journal."""
        name = introspection.JOURNAL_SCHEMA
        if session.value("SELECT to_regnamespace(%s)", [name]) is None:
            schema = quote(name)
            session.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            session.execute(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
            for (role,) in session.rows(GRANTED, [name]):
                session.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {role.replace('%', '%%')}")

    def has_table(self, session: Session, table: TableName) -> bool:
        """By the system catalog."""
        return session.value("SELECT to_regclass(%s)", [quote_table(table).replace("%%", "%")]) is not None

    def serial(self) -> str:
        """An identity."""
        return "bigint GENERATED BY DEFAULT AS IDENTITY"

    def stored_as(self, column: Column) -> str:
        """Domains as their base type, enums as text: the journal outlives both."""
        return column.stored_type or column.type

    def restored_as(self, column: Column, sql: str) -> str:
        """Cast back to the column's own type."""
        return f"{sql}::{column.type}" if column.stored_type not in ("", column.type) else sql

    def same(self, left: str, right: str, column: Column) -> str:
        """NULL-safe equality; by text where equal is not the same: ``1.0`` and ``1.00``, ``a`` and ``A``
        in some collations, types without an operator."""
        if _bare(column) in _EXACT and column.stored_type in ("", column.type):
            return f"{left} IS NOT DISTINCT FROM {right}"
        return f"{_text(left)} IS NOT DISTINCT FROM {_text(right)}"

    def same_key(self, left: str, right: str, column: Column) -> str:
        """The operator of the column's own type."""
        return f"{left} = {self.restored_as(column, right)}"

    def row_text(self, columns: Sequence[str]) -> str:
        """A record's text, which a hash join can use."""
        return f"ROW({', '.join(columns)})::text"

    # -- backup ----------------------------------------------------------------------------

    def backup(self, target: Target, folder: Path) -> Path:
        """``pg_dump``."""
        return backups.dump(target, folder)


def unvalidated(schema: Schema, key: ForeignKey) -> list[ForeignKey]:
    """The keys by which ``key`` binds new rows only: before PostgreSQL 18 a partitioned table
    cannot have one that is NOT VALID, but each of its partitions can."""
    table = schema.table(key.table)
    major = int(schema.version.split(".")[0])
    if table.kind is TableKind.PARTITIONED and major < ddl.FIRST_WITH_UNVALIDATED_ON_PARTITIONED:
        return [replace(key, table=leaf.name) for leaf in schema.leaves(key.table)]
    return [key]


def _text(sql: str) -> str:
    return f'({sql})::text COLLATE "C"'


def _bare(column: Column) -> str:
    """A type without its length and time precision: ``character varying(20)`` → ``character varying``."""
    kind = column.stored_type or column.type
    head, _, rest = kind.partition("(")
    return head + rest.partition(")")[2] if rest else head
