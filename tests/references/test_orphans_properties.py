"""The anti-join agrees with the database's own check, for any types, collations and values."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL

from integrity.database.schema import Match, Schema
from integrity.database.session import Session, Target
from integrity.exceptions import NotCheckable
from integrity.references.declared import declared_references
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference
from integrity_project.postgres import PostgresServer
from tests.servers import MakePostgresDatabase, RegisterTarget

quickly = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    database=None,
)

# ---------------------------------------------------------------------------------------- SQLite

SQLITE_TYPES = st.sampled_from(["INTEGER", "TEXT", "REAL", "NUMERIC", "BLOB", "", "VARCHAR(3)", "DECIMAL"])
COLLATIONS = st.sampled_from(["", "COLLATE NOCASE", "COLLATE RTRIM", "COLLATE BINARY"])
SQLITE_VALUES = st.sampled_from(
    [None, 0, 1, -1, 1.0, 1.5, "1", "1.0", " 1", "1 ", "a", "A", "a ", "", b"a", b"1", "é", "É", 2**53,
     2**53 + 1, 9007199254740993.0, "9007199254740993", "0x1", "1e0", "abc", True]
)  # fmt: skip


@st.composite
def sqlite_tables(draw: st.DrawFn) -> tuple[str, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    width = draw(st.integers(1, 2))
    names = [f"k{number}" for number in range(width)]
    parent = ", ".join(f"{name} {draw(SQLITE_TYPES)} {draw(COLLATIONS)}" for name in names)
    child = ", ".join(f"{name} {draw(SQLITE_TYPES)} {draw(COLLATIONS)}" for name in names)
    listed = ", ".join(names)
    sql = (
        f"CREATE TABLE p (id INTEGER PRIMARY KEY, {parent}, UNIQUE ({listed}));"
        f"CREATE TABLE c ({child}, FOREIGN KEY ({listed}) REFERENCES p ({listed}));"
    )
    rows = st.lists(st.tuples(*[SQLITE_VALUES] * width), max_size=6)
    return sql, draw(rows), draw(rows)


@quickly
@given(tables=sqlite_tables())
def test_sqlite_counts_what_foreign_key_check_reports(
    tables: tuple[str, list[tuple[Any, ...]], list[tuple[Any, ...]]],
    sqlite_path: Path,
    register_target: RegisterTarget,
) -> None:
    sql, parents, children = tables
    sqlite_path.unlink(missing_ok=True)
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.executescript(sql)
        for row in parents:
            insert = f"INSERT OR IGNORE INTO p VALUES (NULL{', ?' * len(row)})"
            connection.execute(insert, row)
        for row in children:
            connection.execute(f"INSERT INTO c VALUES ({', '.join('?' * len(row))})", row)
        connection.commit()
        expected = sorted(row[1] for row in connection.execute("PRAGMA foreign_key_check(c)"))
    if "target" not in connections.databases:
        register_target("target", f"sqlite:///{sqlite_path}")

    with Target("target").reading() as session:
        schema = session.schema()
        (reference,) = declared_references(schema)
        where = orphaned(session.engine, schema, reference)
        found = [
            row[0] for row in session.rows(f"SELECT c.rowid FROM c AS c WHERE {where.sql}", where.params)
        ]
    assert sorted(found) == expected


# ------------------------------------------------------------------------------------ PostgreSQL

NUMBERS = ["smallint", "integer", "bigint", "numeric", "real", "double precision"]
TEXTS = ["text", "varchar(4)", "char(4)", 'text COLLATE "C"', "text COLLATE nocase"]
ICU_COLLATION = "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
PAIRS = st.one_of(
    st.tuples(
        st.sampled_from(NUMBERS),
        st.sampled_from(NUMBERS),
        st.just(["0", "1", "2", "-1", "1.5", "0.1", "16777217"]),
    ),
    st.tuples(st.sampled_from(TEXTS), st.sampled_from(TEXTS), st.just(["", "a", "A", "a ", "b", "é"])),
    st.tuples(st.just("uuid"), st.just("uuid"), st.just([str(uuid.UUID(int=n)) for n in range(3)])),
    st.tuples(
        st.sampled_from(["date", "timestamp", "timestamptz"]),
        st.sampled_from(["date", "timestamp", "timestamptz"]),
        st.just(["2026-01-01", "2026-01-02", "2026-01-01 12:00"]),
    ),
)
MATCHES = st.sampled_from([Match.SIMPLE, Match.FULL])


@st.composite
def postgresql_tables(draw: st.DrawFn) -> tuple[list[tuple[str, str]], Match, list[Any], list[Any]]:
    pairs = draw(st.lists(PAIRS, min_size=1, max_size=2))
    values = [st.sampled_from([None, *known]) for _, _, known in pairs]
    rows = st.lists(st.tuples(*values), max_size=6)
    return [(here, there) for here, there, _ in pairs], draw(MATCHES), draw(rows), draw(rows)


@pytest.fixture
def scratch(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
) -> Iterator[psycopg.Connection]:
    url = make_postgres_database(postgres_server)
    register_target("target", url)
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute(ICU_COLLATION)
        except psycopg.errors.FeatureNotSupported:  # a server built without ICU
            connection.execute('CREATE COLLATION nocase FROM "C"')
        yield connection


@settings(quickly, max_examples=20)
@given(tables=postgresql_tables())
def test_postgresql_counts_what_validation_refuses(
    tables: tuple[list[tuple[str, str]], Match, list[Any], list[Any]], scratch: psycopg.Connection
) -> None:
    pairs, match, parents, children = tables
    names = [f"k{number}" for number in range(len(pairs))]
    _make(
        scratch,
        "p",
        [f"{name} {there}" for name, (_, there) in zip(names, pairs, strict=True)],
        parents,
        names,
    )
    _make(
        scratch, "c", [f"{name} {here}" for name, (here, _) in zip(names, pairs, strict=True)], children, []
    )
    listed = ", ".join(names)
    sides = f"FOREIGN KEY ({listed}) REFERENCES p ({listed}) MATCH {match}"
    try:
        scratch.execute(f"ALTER TABLE c ADD CONSTRAINT fk {sides} NOT VALID")
    except psycopg.errors.Error:
        return  # these types cannot be compared by a foreign key: there is nothing to agree with
    with Target("target").reading() as session:
        schema = session.schema()
        (reference,) = declared_references(schema)
        orphans = _orphans(session, schema, reference)
    while orphans:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            scratch.execute("ALTER TABLE c VALIDATE CONSTRAINT fk")
        scratch.execute("DELETE FROM c WHERE ctid = %s::tid", [orphans.pop()])
    scratch.execute("ALTER TABLE c VALIDATE CONSTRAINT fk")


def _orphans(session: Session, schema: Schema, reference: Reference) -> list[str]:
    where = orphaned(session.engine, schema, reference)
    return [row[0] for row in session.rows(f"SELECT c.ctid::text FROM c WHERE {where.sql}", where.params)]


def _make(
    connection: psycopg.Connection, table: str, columns: list[str], rows: list[Any], unique: list[str]
) -> None:
    keys = f", UNIQUE ({', '.join(unique)})" if unique else ""
    connection.execute(
        SQL(f"DROP TABLE IF EXISTS {table} CASCADE; CREATE TABLE {table} ({', '.join(columns)}{keys})")
    )
    for row in rows:
        marks = ", ".join(["%s"] * len(row))
        try:
            connection.execute(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", row)
        except psycopg.errors.DataError:
            continue  # a value that this type does not hold


def test_types_that_cannot_be_compared_are_refused(scratch: psycopg.Connection) -> None:
    scratch.execute("CREATE TABLE p (k text UNIQUE); CREATE TABLE c (k json)")
    with Target("target").reading() as session:
        schema = session.schema()
        tables = {table.name.name: table.name for table in schema}
        reference = Reference(tables["c"], ("k",), tables["p"], ("k",))
        with pytest.raises(NotCheckable, match="json cannot be compared with text"):
            orphaned(session.engine, schema, reference)
