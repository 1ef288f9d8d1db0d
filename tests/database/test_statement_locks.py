"""What a statement is said to lock is what the server says that it locks."""

from collections.abc import Iterator

import psycopg
import pytest

from integrity.database.identifiers import TableName
from integrity.database.locks import Doing, StatementLock, Waiting
from integrity.database.session import engine_for
from tests.servers import MakePostgresDatabase, PostgresServer

TABLES = """
CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE SCHEMA "Odd ""one";
CREATE TABLE "Odd ""one"."The rows" (id int, parent_id int, note text);
CREATE UNIQUE INDEX rows_key ON "Odd ""one"."The rows" (id);
ALTER TABLE "Odd ""one"."The rows" ADD CONSTRAINT standing FOREIGN KEY (parent_id) REFERENCES parents (id) NOT VALID;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
"""
ROWS = '"Odd ""one"."The rows"'
STATEMENTS = (
    f'CREATE INDEX "an index" ON {ROWS} (note)',
    f'ALTER TABLE {ROWS} ADD CONSTRAINT "a key" FOREIGN KEY (parent_id) REFERENCES parents (id) NOT VALID',
    f"ALTER TABLE {ROWS} ADD CONSTRAINT another FOREIGN KEY (parent_id) REFERENCES public.parents (id)",
    f"ALTER TABLE {ROWS} VALIDATE CONSTRAINT standing",
    f"ALTER TABLE {ROWS} ADD CONSTRAINT rows_key UNIQUE USING INDEX rows_key",
    f"ALTER TABLE {ROWS} ADD CONSTRAINT one_more UNIQUE (note)",
    f"ALTER TABLE {ROWS} ADD COLUMN more text",
    f"ALTER TABLE {ROWS} ALTER COLUMN id TYPE bigint",
    f"ALTER TABLE {ROWS} ALTER COLUMN note SET DEFAULT 'x'",
    f"ALTER TABLE {ROWS} DROP CONSTRAINT standing",
    f"CREATE TRIGGER t AFTER INSERT ON {ROWS} FOR EACH ROW EXECUTE FUNCTION nothing()",
    f"INSERT INTO {ROWS} VALUES (1, NULL, 'x')",
    f"LOCK TABLE {ROWS} IN SHARE ROW EXCLUSIVE MODE",
    "CREATE TABLE new_one (parent_id int REFERENCES parents (id))",
)
HELD = """
SELECT l.mode FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.granted AND l.relation = %s::regclass
"""


@pytest.fixture
def connection(
    postgres_server: PostgresServer, make_postgres_database: MakePostgresDatabase
) -> Iterator[psycopg.Connection]:
    """A connection to a database with odd names, in a transaction."""
    with psycopg.connect(make_postgres_database(postgres_server)) as opened:
        opened.execute(TABLES)
        opened.commit()
        yield opened
        opened.rollback()


@pytest.mark.newest_postgres_only
def test_the_server_holds_the_lock_that_was_said(connection: psycopg.Connection) -> None:
    wrong = []
    for sql in STATEMENTS:
        (said,) = engine_for("postgresql").statement_locks([sql])
        connection.execute(sql)
        for place, table in enumerate(said.tables):
            named = psycopg.sql.Identifier(table.schema, table.name).as_string(connection)
            modes = {mode for (mode,) in connection.execute(HELD, [named])}
            if said.mode.title().replace(" ", "") + "Lock" not in modes and not (place and modes):
                wrong.append((sql, table, said.mode, modes))
        connection.rollback()
    assert wrong == []


def said(vendor: str, *statements: str) -> list[StatementLock]:
    return engine_for(vendor).statement_locks(statements)


def test_who_waits_and_for_what_is_said_of_each_statement() -> None:
    index, key, check, *others = said(
        "postgresql",
        "CREATE INDEX CONCURRENTLY i ON orders (customer_id);",
        *("BEGIN", "SET LOCAL lock_timeout = 2000"),
        "ALTER TABLE orders ADD CONSTRAINT k FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",
        "COMMIT",
        "-- a remark\nALTER TABLE orders VALIDATE CONSTRAINT k",
        "-- nothing but a remark",
    )
    orders, customers = TableName("public", "orders"), TableName("public", "customers")
    assert (index.mode, index.waiting, index.doing) == (
        "SHARE UPDATE EXCLUSIVE",
        Waiting.NOBODY,
        Doing.BUILDS,
    )
    assert (key.tables, key.waiting, key.doing) == ((orders, customers), Waiting.WRITERS, Doing.MOMENT)
    assert (check.tables, check.waiting, check.doing) == ((orders,), Waiting.NOBODY, Doing.READS)
    assert others == []


def test_a_statement_that_is_not_known_is_said_to_be_so() -> None:
    (odd,) = said("postgresql", "VACUUM FULL orders")
    assert not odd.known


def test_on_sqlite_writers_wait_for_the_file_to_the_end_of_the_transaction() -> None:
    build, edit, look = said(
        "sqlite",
        *("BEGIN IMMEDIATE", 'CREATE INDEX "i" ON "odd ""table" ("x")', "COMMIT"),
        *("BEGIN IMMEDIATE", "PRAGMA writable_schema = ON"),
        "UPDATE sqlite_schema SET sql = '…' WHERE name = 'orders'",
        *("PRAGMA writable_schema = RESET", "COMMIT"),
        'PRAGMA foreign_key_check("orders")',
    )
    assert (build.tables, build.waiting, build.doing) == (
        (TableName("main", 'odd "table'),),
        Waiting.WRITERS,
        Doing.BUILDS,
    )
    assert edit.doing is Doing.MOMENT
    assert (look.waiting, look.doing) == (Waiting.NOBODY, Doing.READS)
