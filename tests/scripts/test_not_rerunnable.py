"""Statements that cannot be run twice are found where scripts are meant to be, and only there."""

from pathlib import Path

import pytest

from integrity.references.severity import Severity
from integrity.scripts.auditing import audit_scripts
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.statement import Dialect

GUARDED = "CREATE TABLE IF NOT EXISTS other (id TEXT PRIMARY KEY);\n"


def found(
    folder: Path, text: str, name: str = "001_a.sql", dialect: Dialect = Dialect.POSTGRESQL
) -> list[ScriptFinding]:
    (folder / name).write_text(text, encoding="utf-8")
    findings = audit_scripts([folder], dialect=dialect).findings
    return [each for each in findings if each.code == "not_rerunnable"]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("CREATE TABLE a (id TEXT)", "IF NOT EXISTS"),
        ("CREATE INDEX a ON b (c)", "IF NOT EXISTS"),
        ("CREATE INDEX ON b (c)", "Give it a name"),
        ("ALTER TYPE a RENAME TO b", "ledger"),
        ("CREATE VIEW a AS SELECT 1", "DROP VIEW IF EXISTS"),
        ("CREATE TYPE a AS ENUM ('b')", "duplicate_object"),
        ("CREATE FUNCTION a() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql", "OR REPLACE"),
        ("CREATE TRIGGER a BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION c()", "DROP TRIGGER IF EXISTS"),
        ("ALTER TABLE a ADD COLUMN b TEXT", "ADD COLUMN IF NOT EXISTS b"),
        ("ALTER TABLE a DROP COLUMN b", "DROP COLUMN IF EXISTS b"),
        ("ALTER TABLE a ADD CONSTRAINT b UNIQUE (c)", "DROP CONSTRAINT IF EXISTS"),
        ("ALTER TABLE a RENAME COLUMN b TO c", "ledger"),
        ("DROP TABLE a", "DROP TABLE IF EXISTS a"),
        ("INSERT INTO a (id, b) VALUES (1, 'x'), (2, 'y')", "ON CONFLICT DO NOTHING"),
        ("UPDATE a SET b = b + 1", "WHERE"),
    ],
)
def test_what_cannot_be_run_twice_is_found_beside_what_can(tmp_path: Path, text: str, advice: str) -> None:
    (finding,) = found(tmp_path, GUARDED + text)
    assert finding.severity is Severity.WARNING
    assert finding.place.line == 2
    assert advice in finding.suggestion
    assert finding.message.startswith(" ".join(text.split()[:2]))


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE IF EXISTS a; CREATE TABLE a (id TEXT)",
        "CREATE TABLE a_new (id TEXT); INSERT INTO a_new SELECT * FROM a; DROP TABLE IF EXISTS a; ALTER TABLE a_new RENAME TO a",
        "CREATE TEMP TABLE a (id TEXT)",
        "CREATE OR REPLACE FUNCTION a() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql",
        "DROP TRIGGER IF EXISTS a ON b; CREATE TRIGGER a BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION c()",
        "DO $$ BEGIN CREATE TYPE a AS ENUM ('b'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1) THEN ALTER TABLE a ADD COLUMN b TEXT; END IF; END $$",
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS b TEXT",
        "ALTER TABLE a DROP CONSTRAINT IF EXISTS b; ALTER TABLE a ADD CONSTRAINT b UNIQUE (c)",
        "ALTER TABLE a ALTER COLUMN b SET NOT NULL",
        "INSERT INTO a (id) VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO a (id) SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM a)",
        "DELETE FROM a; INSERT INTO a (id) VALUES (1)",
        "UPDATE a SET b = 1 WHERE b IS NULL",
        "DELETE FROM a WHERE b = 1",
        "SELECT 1",
    ],
)
def test_what_can_be_run_twice_is_no_finding(tmp_path: Path, text: str) -> None:
    assert not found(tmp_path, GUARDED + text)


def test_a_numbered_script_without_any_guard_is_told_once_for_its_runner_may_keep_a_ledger(
    tmp_path: Path,
) -> None:
    (finding,) = found(
        tmp_path, "CREATE TABLE a (id TEXT);\nCREATE INDEX b ON a (id);\nINSERT INTO a VALUES ('x');"
    )
    assert finding.severity is Severity.INFO
    assert "CREATE TABLE a, CREATE INDEX b" in finding.message


def test_another_script_of_the_folder_says_that_scripts_are_run_again(tmp_path: Path) -> None:
    (tmp_path / "000_other.sql").write_text(GUARDED)
    (finding,) = found(tmp_path, "ALTER TABLE other ADD COLUMN a TEXT")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("schema.sql", "CREATE TABLE a (id TEXT);"),
        ("001_a.down.sql", "DROP TABLE a;"),
        ("001_a.sql", "-- PostgreSQL database dump\nCREATE TABLE a (id TEXT);"),
        (
            "a.ts",
            "db.query(`INSERT INTO a (b) VALUES (1)`); db.query(`CREATE TABLE IF NOT EXISTS c (d TEXT)`);",
        ),
    ],
)
def test_schemas_dumps_ways_back_and_rows_of_programs_are_no_findings(
    tmp_path: Path, name: str, text: str
) -> None:
    assert not found(tmp_path, text, name)


def test_sqlite_has_no_condition_for_columns_and_is_not_told_to_use_one(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, GUARDED + "ALTER TABLE other ADD COLUMN b TEXT", dialect=Dialect.SQLITE)
    assert "IF NOT EXISTS" not in finding.suggestion
