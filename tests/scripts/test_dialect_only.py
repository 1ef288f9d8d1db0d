"""SQL of one engine is found where it is run on the other, and only there."""

from pathlib import Path

import pytest

from integrity.scripts.auditing import ScriptAudit, audit_scripts
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.statement import Dialect


def audited(
    folder: Path, text: str, name: str = "a.sql", dialect: Dialect | None = Dialect.SHARED
) -> ScriptAudit:
    (folder / name).write_text(text, encoding="utf-8")
    return audit_scripts([folder], dialect=dialect)


def found(
    folder: Path, text: str, name: str = "a.sql", dialect: Dialect | None = Dialect.SHARED
) -> list[ScriptFinding]:
    findings = audited(folder, text, name, dialect).findings
    return [each for each in findings if each.code == "dialect_only"]


POSTGRESQL = [
    ("CREATE TABLE a (id TEXT DEFAULT gen_random_uuid())", "gen_random_uuid()"),
    ("CREATE TABLE a (id SERIAL PRIMARY KEY)", "SERIAL"),
    ("CREATE TABLE a (id integer GENERATED ALWAYS AS IDENTITY)", "AS IDENTITY"),
    ("DO $$ BEGIN NULL; END $$", "DO $$"),
    ("SELECT a::text FROM b", "::"),
    ("SELECT now()", "now()"),
    ("CREATE TABLE a (b JSONB)", "JSONB"),
    ("CREATE TABLE a (b TEXT[])", "an array"),
    ("SELECT a FROM b WHERE c ILIKE 'x'", "ILIKE"),
    ("CREATE EXTENSION pgcrypto", "EXTENSION"),
    ("ALTER TABLE a ADD COLUMN IF NOT EXISTS b TEXT", "ADD COLUMN IF NOT EXISTS"),
    ("ALTER TABLE a ALTER COLUMN b SET NOT NULL", "ALTER COLUMN"),
    ("ALTER TABLE a ADD CONSTRAINT c UNIQUE (d)", "ADD CONSTRAINT"),
    ("TRUNCATE a", "TRUNCATE"),
    ("INSERT INTO a VALUES (1) ON CONFLICT ON CONSTRAINT b DO NOTHING", "ON CONFLICT ON CONSTRAINT"),
    ("CREATE TRIGGER a BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION c()", "EXECUTE FUNCTION"),
    ("CREATE INDEX a ON b USING gin (c)", "gin"),
    ("DROP TABLE a CASCADE", "DROP … CASCADE"),
    ("SELECT 1 FROM information_schema.tables", "information_schema.tables"),
    ("SELECT count(*) FROM a WHERE b > now() - INTERVAL '1 day'", "INTERVAL"),
]
SQLITE = [
    ("CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)", "AUTOINCREMENT"),
    ("PRAGMA foreign_keys = ON", "PRAGMA"),
    ("INSERT OR IGNORE INTO a VALUES (1)", "INSERT OR IGNORE"),
    ("INSERT OR REPLACE INTO a VALUES (1)", "INSERT OR REPLACE"),
    ("SELECT datetime('now')", "datetime()"),
    ("SELECT strftime('%s', a) FROM b", "strftime()"),
    ("CREATE TABLE a (id TEXT DEFAULT (lower(hex(randomblob(16)))))", "randomblob()"),
    ("SELECT ifnull(a, 0) FROM b", "ifnull()"),
    ("CREATE TABLE a (b DATETIME)", "DATETIME"),
    ("SELECT name FROM sqlite_master", "sqlite_master"),
    ("CREATE TABLE `a` (id TEXT)", "a name in `…` or […]"),
    ("CREATE TABLE a (b TEXT) WITHOUT ROWID", "WITHOUT ROWID, STRICT"),
    ("CREATE TRIGGER a AFTER INSERT ON b BEGIN DELETE FROM c; END", "a trigger with BEGIN … END"),
    ("SELECT a FROM b LIMIT 1, 2", "LIMIT a, b"),
]


@pytest.mark.parametrize(("text", "shown"), [*POSTGRESQL, *SQLITE])
def test_sql_of_one_engine_is_found_in_a_file_meant_for_both(tmp_path: Path, text: str, shown: str) -> None:
    findings = {each.object: each for each in found(tmp_path, text)}
    assert shown in findings
    assert findings[shown].suggestion


@pytest.mark.parametrize(("text", "shown"), POSTGRESQL)
def test_sql_of_postgresql_is_found_in_a_file_of_sqlite_and_not_in_its_own(
    tmp_path: Path, text: str, shown: str
) -> None:
    assert shown in [each.object for each in found(tmp_path, text, dialect=Dialect.SQLITE)]
    assert not found(tmp_path, text, dialect=Dialect.POSTGRESQL)


@pytest.mark.parametrize(("text", "shown"), SQLITE)
def test_sql_of_sqlite_is_found_in_a_file_of_postgresql_and_not_in_its_own(
    tmp_path: Path, text: str, shown: str
) -> None:
    assert shown in [each.object for each in found(tmp_path, text, dialect=Dialect.POSTGRESQL)]
    assert not found(tmp_path, text, dialect=Dialect.SQLITE)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (serial TEXT, jsonb TEXT, blob TEXT, datetime TEXT)",
        "ALTER TABLE a ADD COLUMN serial TEXT",
        "INSERT INTO a (b) VALUES ('now() :: PRAGMA AUTOINCREMENT $$ ILIKE')",
        "-- SERIAL, now(), `x`\nSELECT 1 /* a::text */",
        'SELECT "now()" FROM "serial"',
        "CREATE TABLE a (id TEXT PRIMARY KEY, b TIMESTAMP DEFAULT CURRENT_TIMESTAMP, c BOOLEAN DEFAULT TRUE)",
        "INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO UPDATE SET c = excluded.c RETURNING b",
        "WITH a AS (SELECT 1 AS b) SELECT coalesce(b, 2), CAST(b AS TEXT) FROM a LIMIT 1 OFFSET 2",
        "CREATE UNIQUE INDEX IF NOT EXISTS a ON b (c, d) WHERE e IS NULL",
        "ALTER TABLE a ADD COLUMN b TEXT NOT NULL DEFAULT ''",
        "DROP TABLE IF EXISTS a",
        "UPDATE a SET total = total + 1, now = 2 WHERE b >= 1 AND c != 3",
    ],
)
def test_what_both_engines_understand_is_no_finding(tmp_path: Path, text: str) -> None:
    assert not found(tmp_path, text)


def test_the_place_is_that_of_the_thing_itself(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, "-- é\n\nCREATE TABLE a (\n  id TEXT,\n  b TIMESTAMP DEFAULT NOW()\n)")
    assert (finding.place.line, finding.place.column, finding.length) == (5, 23, 3)
    assert finding.portable == "CURRENT_TIMESTAMP"


def test_a_cast_says_its_portable_form(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, "SELECT a::text FROM b")
    assert finding.portable == "CAST(… AS text)"


def test_what_a_condition_of_the_program_keeps_for_one_engine_is_no_finding_there(tmp_path: Path) -> None:
    text = (
        "if (isSQLite) { db.exec(`PRAGMA foreign_keys = ON`); }\n"
        "else { db.exec(`CREATE TABLE a (id SERIAL)`); }\n"
        "if (isSQLite) { db.exec(`CREATE TABLE b (id SERIAL)`); }"
    )
    (finding,) = found(tmp_path, text, "a.ts", None)
    assert finding.place.line == 3
    assert "run for SQLite" in finding.message


def test_a_function_that_a_script_defines_is_no_finding(tmp_path: Path) -> None:
    text = "CREATE FUNCTION group_concat(a text) RETURNS text AS $$ SELECT a $$ LANGUAGE sql;\nSELECT group_concat(a) FROM b;"
    assert not found(tmp_path, text, dialect=Dialect.POSTGRESQL)


def test_scripts_that_have_one_engine_alone_are_taken_for_its_own_and_that_is_said(tmp_path: Path) -> None:
    audit = audited(tmp_path, "CREATE TABLE a (id SERIAL)", dialect=None)
    assert not audit.findings
    assert "PostgreSQL" in audit.coverage.assumed
    assert "--dialect shared" in audit.coverage.assumed


def test_where_both_engines_are_met_each_is_found_in_what_is_for_both(tmp_path: Path) -> None:
    (tmp_path / "b.sql").write_text("PRAGMA foreign_keys = ON")
    objects = [each.object for each in found(tmp_path, "CREATE TABLE a (id SERIAL)", dialect=None)]
    assert objects == ["SERIAL", "PRAGMA"]
