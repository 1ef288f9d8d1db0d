"""What is called one engine's alone is refused by the other, and what is offered instead both take."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from integrity.scripts.engine_features import features_of
from integrity.scripts.statement import Dialect
from integrity_project.postgres import PostgresServer
from tests.servers import MakePostgresDatabase

TABLES = (
    "CREATE TABLE a (id TEXT PRIMARY KEY, b INTEGER, c TEXT, d TIMESTAMP)",
    "CREATE TABLE x (id TEXT PRIMARY KEY, a_id TEXT, b INTEGER)",
)
POSTGRESQL = [
    ("CREATE UNLOGGED TABLE n (b int)", "UNLOGGED"),
    ("CREATE TABLE n (b int, CHECK (b > 0) NO INHERIT)", "NO INHERIT"),
    ("CREATE TEMP TABLE n (b int) ON COMMIT DROP", "ON COMMIT"),
    ("CREATE TABLE n (b int) WITH (fillfactor = 70)", "WITH (…)"),
    ("CREATE INDEX i ON a (b) WITH (fillfactor = 70)", "WITH (…)"),
    ("CREATE VIEW v WITH (security_barrier) AS SELECT b FROM a", "WITH (…)"),
    ("CREATE VIEW v AS SELECT b FROM a WITH CHECK OPTION", "CHECK OPTION"),
    ("CREATE TABLE n AS SELECT b FROM a WITH NO DATA", "WITH NO DATA"),
    ("CREATE INDEX i ON ONLY a (b)", "ON ONLY"),
    ("ALTER TABLE a DROP COLUMN b CASCADE", "DROP COLUMN … CASCADE"),
    ("DROP TABLE a, x", "DROP a, b"),
    ("MERGE INTO a USING x ON a.id = x.id WHEN MATCHED THEN DELETE", "MERGE"),
    ("INSERT INTO a (id) OVERRIDING USER VALUE VALUES ('1')", "OVERRIDING"),
    ("INSERT INTO a (id, b) VALUES ('1', DEFAULT)", "DEFAULT as a value"),
    ("UPDATE a SET b = DEFAULT", "DEFAULT as a value"),
    ("DELETE FROM ONLY a", "ONLY"),
    ("TABLE a", "TABLE"),
    ("SELECT b INTO n FROM a", "SELECT INTO"),
    ("SELECT b FROM a FETCH FIRST 5 ROWS ONLY", "FETCH FIRST"),
    ("SELECT b FROM a TABLESAMPLE SYSTEM (10)", "TABLESAMPLE"),
    ("SELECT b, c FROM a GROUP BY GROUPING SETS ((b), (c))", "GROUPING SETS"),
    ("SELECT a.b FROM a JOIN x USING (id) AS j", "USING … AS"),
    ("SELECT b FROM a ORDER BY b USING >", "USING <"),
    ("SELECT substring(c FROM 2 FOR 3) FROM a", "SUBSTRING … FROM"),
    ("SELECT position('a' IN c) FROM a", "POSITION"),
    ("SELECT trim(BOTH ' ' FROM c) FROM a", "TRIM … FROM"),
    ("SELECT char_length(c), lpad(c, 3) FROM a", "char_length()"),
    ("SELECT md5(c) FROM a", "md5()"),
]
SQLITE = [
    ("CREATE TABLE n (b INTEGER PRIMARY KEY ON CONFLICT REPLACE)", "ON CONFLICT in a definition"),
    ("UPDATE OR IGNORE a SET b = 1", "UPDATE OR"),
    ("SELECT b FROM a NOT INDEXED", "INDEXED BY"),
    ("SELECT max(b, 1) FROM a", "max(a, b)"),
    ("SELECT b FROM a LIMIT -1", "LIMIT -1"),
    ("EXPLAIN QUERY PLAN SELECT b FROM a", "EXPLAIN QUERY PLAN"),
    ("SELECT total(b) FROM a", "total()"),
]
INSTEAD = [
    ("CREATE TABLE n (id SERIAL)", "CREATE TABLE n (id TEXT PRIMARY KEY)"),
    ("SELECT c::text FROM a", "SELECT CAST(c AS text) FROM a"),
    ("SELECT now()", "SELECT CURRENT_TIMESTAMP"),
    ("CREATE TABLE n (b JSONB)", "CREATE TABLE n (b TEXT)"),
    ("SELECT b FROM a WHERE c ILIKE 'X'", "SELECT b FROM a WHERE lower(c) LIKE lower('X')"),
    ("SELECT ifnull(b, 0) FROM a", "SELECT COALESCE(b, 0) FROM a"),
    ("SELECT iif(b > 1, 2, 3) FROM a", "SELECT CASE WHEN b > 1 THEN 2 ELSE 3 END FROM a"),
    ("SELECT greatest(b, 1) FROM a", "SELECT CASE WHEN b > 1 THEN b ELSE 1 END FROM a"),
    ("INSERT OR IGNORE INTO a (id) VALUES ('1')", "INSERT INTO a (id) VALUES ('1') ON CONFLICT DO NOTHING"),
    ("INSERT OR REPLACE INTO a (id, b) VALUES ('1', 2)",
     "INSERT INTO a (id, b) VALUES ('1', 2) ON CONFLICT (id) DO UPDATE SET b = excluded.b"),
    ("INSERT INTO a (id) VALUES ('1') ON CONFLICT ON CONSTRAINT a_pkey DO NOTHING",
     "INSERT INTO a (id) VALUES ('1') ON CONFLICT (id) DO NOTHING"),
    ("TRUNCATE a", "DELETE FROM a"),
    ("DELETE FROM a USING x WHERE a.id = x.a_id", "DELETE FROM a WHERE id IN (SELECT a_id FROM x)"),
    ("CREATE OR REPLACE VIEW v AS SELECT b FROM a", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT b FROM a"),
    ("SELECT b FROM a LIMIT 1, 2", "SELECT b FROM a LIMIT 2 OFFSET 1"),
    ("SELECT b FROM a WHERE b == 1", "SELECT b FROM a WHERE b = 1"),
    ("SELECT `b` FROM a", 'SELECT "b" FROM a'),
    ("DROP TABLE x CASCADE", "DROP TABLE IF EXISTS x"),
    ("DROP TABLE a, x", "DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS x"),
    ("ALTER TABLE a ADD COLUMN IF NOT EXISTS n TEXT", "ALTER TABLE a ADD COLUMN n TEXT"),
    ("ALTER TABLE a DROP COLUMN b CASCADE", "ALTER TABLE a DROP COLUMN b"),
    ("CREATE INDEX i ON a USING btree (b)", "CREATE INDEX i ON a (b)"),
    ("CREATE INDEX CONCURRENTLY i ON a (b)", "CREATE INDEX i ON a (b)"),
    ("SELECT b INTO n FROM a", "CREATE TABLE n AS SELECT b FROM a"),
    ("SELECT b FROM a FETCH FIRST 5 ROWS ONLY", "SELECT b FROM a LIMIT 5"),
    ("TABLE a", "SELECT * FROM a"),
    ("SELECT b FROM a TABLESAMPLE SYSTEM (10)", "SELECT b FROM a ORDER BY random() LIMIT 10"),
    ("SELECT b FROM a ORDER BY b USING >", "SELECT b FROM a ORDER BY b DESC"),
    ("SELECT substring(c FROM 2 FOR 3) FROM a", "SELECT substr(c, 2, 3) FROM a"),
    ("SELECT trim(BOTH ' ' FROM c) FROM a", "SELECT trim(c) FROM a"),
    ("SELECT char_length(c) FROM a", "SELECT length(c) FROM a"),
    ("EXPLAIN QUERY PLAN SELECT b FROM a", "EXPLAIN SELECT b FROM a"),
    ("BEGIN IMMEDIATE", "BEGIN"),
    ("SELECT E'a'", "SELECT 'a'"),
    ("SELECT max(b, 1) FROM a", "SELECT CASE WHEN b > 1 THEN b ELSE 1 END FROM a"),
]  # fmt: skip


@pytest.fixture
def sqlite() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(";".join(TABLES))
        yield connection


def engines(text: str) -> set[Dialect]:
    return {each.feature.engine for each in features_of(text)}


@pytest.mark.parametrize(("text", "shown"), POSTGRESQL)
def test_sqlite_refuses_what_is_postgresqls_alone(sqlite: sqlite3.Connection, text: str, shown: str) -> None:
    assert shown in [each.shown for each in features_of(text) if each.feature.engine is Dialect.POSTGRESQL]
    with pytest.raises(sqlite3.OperationalError, match=r"syntax error|no such (function|table: c$)"):
        sqlite.execute(text)


@pytest.mark.parametrize(("text", "shown"), SQLITE)
def test_sqlite_takes_what_is_its_own_alone(sqlite: sqlite3.Connection, text: str, shown: str) -> None:
    assert [each.shown for each in features_of(text) if each.feature.engine is Dialect.SQLITE] == [shown]
    sqlite.execute(text)


@pytest.mark.parametrize(("written", "instead"), INSTEAD)
def test_what_is_written_instead_is_nobodys_alone_and_sqlite_takes_it(
    sqlite: sqlite3.Connection, written: str, instead: str
) -> None:
    assert len(engines(written)) == 1
    assert not engines(instead)
    sqlite.executescript(instead)


@pytest.mark.parametrize(("written", "instead"), INSTEAD)
def test_what_is_offered_is_what_both_take(written: str, instead: str) -> None:
    offered = {part for each in features_of(written) for part in re.findall(r"[A-Za-z_]{2,}", each.portable)}
    assert offered <= set(re.findall(r"\w+", instead)) | {"columns"}


def test_postgresql_takes_its_own_and_what_both_take_and_refuses_what_is_sqlites(
    newest_postgres: PostgresServer, make_postgres_database: MakePostgresDatabase
) -> None:
    with psycopg.connect(make_postgres_database(newest_postgres)) as connection:
        for table in TABLES:
            connection.execute(table.encode())
        connection.commit()
        for text in [*(text for text, _ in POSTGRESQL), *(text for _, text in INSTEAD)]:
            connection.execute(text.encode())
            connection.rollback()
        for text, _ in SQLITE:
            with pytest.raises(psycopg.Error):
                connection.execute(text.encode())
            connection.rollback()


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE quote (id TEXT PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS changes (id TEXT REFERENCES age (id))",
        "CREATE INDEX i ON total (id)",
        "INSERT INTO total (id) VALUES ('1')",
        "WITH total (n) AS (SELECT 1) SELECT n FROM total",
        "SELECT max(b), min(c), max(coalesce(b, 0)) FROM a",
        "INSERT INTO a DEFAULT VALUES",
        "SELECT b FROM a WHERE b IN (SELECT max(b) FROM a), 1",
        "CREATE TABLE a (b INT DEFAULT 1, c TEXT)",
    ],
)
def test_tables_and_columns_named_like_functions_are_nobodys_alone(text: str) -> None:
    assert not engines(text)
