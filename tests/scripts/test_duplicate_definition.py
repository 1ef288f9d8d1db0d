"""What is defined more than once is found, with how the definitions differ and which one counts."""

from pathlib import Path

import pytest

from integrity.references.catalog import load_catalog
from integrity.references.severity import Severity
from tests.scripts.checking import Find, find

__all__ = ["find"]

CODE = "duplicate_definition"
SERIAL = (
    "CREATE TABLE IF NOT EXISTS c (\n  id SERIAL PRIMARY KEY,\n"
    "  user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,\n  name VARCHAR(255) NOT NULL\n);"
)
TEXT = "CREATE TABLE IF NOT EXISTS c (id TEXT PRIMARY KEY, name VARCHAR(255), label TEXT DEFAULT 'x');"


def test_two_definitions_are_held_against_each_other_column_by_column(find: Find) -> None:
    (finding,) = find(CODE, {"016_a.sql": SERIAL, "route.ts": f"await db.query(`{TEXT}`)"})
    assert finding.severity is Severity.ERROR
    assert finding.place.file.endswith("route.ts")
    assert finding.object == "c"
    assert finding.details == (
        "id: TEXT here, SERIAL there",
        "name: NULL here, NOT NULL there",
        "label: TEXT here, missing there",
        "user_id: missing here, INTEGER NOT NULL there",
        "foreign key (user_id) → users(id) ON DELETE CASCADE: only there",
    )
    assert finding.related[0].place.file.endswith("016_a.sql")
    assert "whichever is run first stays" in finding.message
    assert "Nothing decides" in finding.suggestion


def test_of_numbered_scripts_the_first_definition_stays(find: Find) -> None:
    (finding,) = find(CODE, {"016_a.sql": SERIAL, "055_b.sql": TEXT})
    assert "this one is never made" in finding.message
    (finding,) = find(CODE, {"055_b.sql": TEXT.replace("IF NOT EXISTS ", "")})
    assert "this one fails" in finding.message


def test_the_same_definition_twice_is_less_severe(find: Find) -> None:
    (finding,) = find(CODE, {"1_a.sql": TEXT, "2_b.sql": TEXT.replace("TEXT", "text")})
    assert (finding.severity, finding.details) == (Severity.INFO, ())


def test_the_catalog_decides(find: Find, tmp_path: Path) -> None:
    file = tmp_path / "catalog.toml"
    file.write_text(
        '[target]\nvendor = "postgresql"\n[[required_table]]\ntable = "c"\n'
        'columns = [{ name = "id", type = "text", null = false }]\nprimary_key = ["id"]\n'
    )
    catalog = load_catalog("default", file)
    (finding,) = find(CODE, {"016_a.sql": SERIAL, "route.ts": f"db.query(`{TEXT}`)"}, catalog=catalog)
    assert "The catalog ([[required_table]] 1 (c)) decides: keep the definition at" in finding.suggestion
    assert "route.ts" in finding.suggestion
    assert "other than the catalog" in finding.related[0].message


@pytest.mark.parametrize(
    "second",
    [
        "CREATE INDEX IF NOT EXISTS i ON t(b);",
        "CREATE UNIQUE INDEX IF NOT EXISTS i ON t(a);",
        "CREATE INDEX IF NOT EXISTS i ON u(a);",
    ],
)
def test_an_index_of_the_same_name_and_another_meaning_is_found(find: Find, second: str) -> None:
    files = {"1_a.sql": "CREATE INDEX IF NOT EXISTS i ON t(a);", "2_b.sql": second}
    (finding,) = find(CODE, files)
    assert finding.severity is Severity.ERROR
    assert finding.details


def test_functions_and_triggers_are_found(find: Find) -> None:
    one = (
        "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql;\n"
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();"
    )
    other = one.replace("RETURN NEW", "NEW.a = 1; RETURN NEW").replace("UPDATE ON", "INSERT ON")
    found = find(CODE, {"1_a.sql": one, "2_b.sql": other})
    assert [(each.object, each.severity) for each in found] == [("f", "error"), ("g", "error")]


def test_a_table_made_in_a_block_counts(find: Find) -> None:
    block = "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_class) THEN CREATE TABLE c (id INT); END IF; END $$;"
    (finding,) = find(CODE, {"1_a.sql": "CREATE TABLE c (id TEXT);", "2_b.sql": block})
    assert finding.details == ("id: INT here, TEXT there",)


@pytest.mark.parametrize(
    "files",
    [
        {"postgres/1_a.sql": SERIAL, "sqlite/1_a.sql": TEXT},
        {"a.ts": f"if (isSQLite) {{ db.exec(`{TEXT}`) }} else {{ db.query(`{SERIAL}`) }}"},
        {"1_a.sql": SERIAL, "2_b.sql": f"DROP TABLE IF EXISTS c;\n{TEXT}"},
        {"1_a.sql": SERIAL, "2_b.sql": "DROP TABLE c CASCADE;", "3_c.sql": TEXT},
        {"1_a.sql": SERIAL + "ALTER TABLE c RENAME TO d;", "2_b.sql": TEXT},
        {"1_a.sql": SERIAL, "1_a.down.sql": f"DROP TABLE c; {TEXT}"},
        {"1_a.sql": "CREATE TABLE s1.c (a INT); CREATE TABLE s2.c (b INT);"},
        {"1_a.sql": "CREATE TEMP TABLE c (a INT);", "2_a.sql": "CREATE TEMP TABLE c (b INT);"},
        {"1_a.sql": "CREATE INDEX ON t(a);", "2_a.sql": "CREATE INDEX ON t(b);"},
        {
            "1_a.sql": "CREATE OR REPLACE FUNCTION f() RETURNS int AS 'SELECT 1' LANGUAGE sql;",
            "2_a.sql": "CREATE OR REPLACE FUNCTION f() RETURNS int AS 'SELECT 2' LANGUAGE sql;",
        },
        {"1_a.sql": "CREATE FUNCTION f(a int) RETURNS int AS 'SELECT 1' LANGUAGE sql; CREATE FUNCTION f(a text) RETURNS int AS 'SELECT 2' LANGUAGE sql;"},
        {
            "1_a.sql": "CREATE TRIGGER g BEFORE UPDATE ON t EXECUTE FUNCTION f();"
            "CREATE TRIGGER g BEFORE UPDATE ON u EXECUTE FUNCTION f();",
        },
    ],
)  # fmt: skip
def test_what_replaces_or_is_for_another_engine_is_no_duplicate(find: Find, files: dict[str, str]) -> None:
    assert find(CODE, files) == []


def test_a_schema_file_agrees_with_the_migrations_that_made_it(find: Find) -> None:
    found = find(
        CODE,
        {
            "1_a.sql": "CREATE TABLE c (id INT4 NOT NULL, n numeric(8,2) DEFAULT 0);",
            "2_b.sql": "ALTER TABLE c ADD COLUMN d TIMESTAMPTZ DEFAULT now(); ALTER TABLE c ADD PRIMARY KEY (id);",
            "db/schema.sql": "CREATE TABLE c (id integer PRIMARY KEY, n decimal(8, 2) DEFAULT (0),"
            " d timestamp with time zone DEFAULT CURRENT_TIMESTAMP);",
        },
    )
    assert [each.details for each in found] == [()]
