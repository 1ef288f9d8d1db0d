"""An order of scripts that cannot work is found, and one that can is not."""

from pathlib import Path

import pytest

from integrity.references.severity import Severity
from integrity.scripts.auditing import audit_scripts
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.statement import Dialect


def found(folder: Path, dialect: Dialect = Dialect.POSTGRESQL, **scripts: str) -> list[ScriptFinding]:
    for name, text in scripts.items():
        (folder / f"{name.lstrip('n')}.sql").write_text(text, encoding="utf-8")
    findings = audit_scripts([folder], dialect=dialect).findings
    return [each for each in findings if each.code == "wrong_order"]


TABLE = "CREATE TABLE IF NOT EXISTS a (id TEXT PRIMARY KEY, b TEXT);"


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("CREATE TABLE IF NOT EXISTS c (a_id TEXT REFERENCES a (id));", "a"),
        ("CREATE INDEX IF NOT EXISTS c ON a (b);", "a"),
        ("ALTER TABLE a ADD COLUMN IF NOT EXISTS c TEXT;", "a"),
        ("INSERT INTO a (id) VALUES ('x') ON CONFLICT DO NOTHING;", "a"),
        ("UPDATE a SET b = 'x';", "a"),
        ("DELETE FROM a WHERE b = 'x';", "a"),
        ("CREATE OR REPLACE VIEW c AS SELECT id FROM a;", "a"),
        ("SELECT 1 FROM c JOIN a ON a.id = c.id;", "a"),
    ],
)
def test_what_a_later_script_makes_is_found_where_it_is_needed_before(
    tmp_path: Path, text: str, needs: str
) -> None:
    (finding,) = found(tmp_path, n002_first=text, n010_later=TABLE)
    assert (finding.object, finding.severity) == (needs, Severity.ERROR)
    assert finding.place.file.endswith("002_first.sql")
    assert finding.related[0].place.file.endswith("010_later.sql")
    assert "010_later.sql" in finding.message


def test_a_later_statement_of_the_same_script_is_later_too(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, n001_a=f"CREATE INDEX IF NOT EXISTS c ON a (b);\n{TABLE}")
    assert "on line 2 only" in finding.message


def test_a_column_that_a_later_script_adds_is_found(tmp_path: Path) -> None:
    (finding,) = found(
        tmp_path,
        n001_a=TABLE,
        n002_b="CREATE INDEX IF NOT EXISTS c ON a (d);",
        n003_c="ALTER TABLE a ADD COLUMN IF NOT EXISTS d TEXT;",
    )
    assert finding.object == "a.d"


def test_a_function_that_a_later_script_makes_is_found_where_a_trigger_needs_it(tmp_path: Path) -> None:
    (finding,) = found(
        tmp_path,
        n001_a=TABLE,
        n002_b="CREATE OR REPLACE TRIGGER c BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();",
        n003_c="CREATE OR REPLACE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql;",
    )
    assert finding.object == "f"


@pytest.mark.parametrize(
    "scripts",
    [
        {"n001_a": TABLE, "n002_b": "INSERT INTO a (id) VALUES ('x') ON CONFLICT DO NOTHING;"},
        {"a": "INSERT INTO a (id) VALUES ('x') ON CONFLICT DO NOTHING;", "b": TABLE},
        {"n001_a": TABLE, "n002_b": "UPDATE a SET b = 'x';", "n003_c": TABLE},
        {"n001_a": "CREATE TABLE IF NOT EXISTS a (id TEXT PRIMARY KEY, up TEXT REFERENCES a (id));"},
        {
            "n001_a": "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ SELECT 1 FROM a $$ LANGUAGE sql;",
            "n002_b": TABLE,
        },
        {"n001_a": "DO $$ BEGIN IF EXISTS (SELECT 1) THEN DELETE FROM a; END IF; END $$;", "n002_b": TABLE},
        {"n001_a": "WITH a AS (SELECT 1 AS id) SELECT id FROM a;", "n002_b": TABLE},
        {"n001_a": "DROP TABLE IF EXISTS a;", "n002_b": TABLE},
        {"n001_a": "ALTER TABLE IF EXISTS a ADD COLUMN IF NOT EXISTS c TEXT;", "n002_b": TABLE},
        {
            "n001_a": "CREATE TABLE IF NOT EXISTS a_old (id TEXT);",
            "n002_b": "ALTER TABLE a_old RENAME TO a;",
            "n003_c": "INSERT INTO a (id) VALUES ('x') ON CONFLICT DO NOTHING;",
        },
    ],
)
def test_an_order_that_works_is_no_finding(tmp_path: Path, scripts: dict[str, str]) -> None:
    assert not found(tmp_path, **scripts)


def test_sqlite_lets_a_key_refer_to_a_later_table(tmp_path: Path) -> None:
    scripts = {"n001_a": "CREATE TABLE IF NOT EXISTS c (a_id TEXT REFERENCES a (id));", "n002_b": TABLE}
    assert not found(tmp_path, Dialect.SQLITE, **scripts)
    assert found(tmp_path, Dialect.SHARED, **scripts)


def test_two_scripts_with_one_number_are_found(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, n036_a=TABLE, n036_b="UPDATE a SET b = 'x';", n037_c="SELECT 1;")
    assert finding.severity is Severity.WARNING
    assert "036_b.sql has the number of 036_a.sql" in finding.message


@pytest.mark.parametrize(
    "names",
    [
        ("001_a.up", "001_a.down"),
        ("001a_a", "001b_b"),
        ("001_a.sqlite", "001_a.postgres"),
        ("V1_1__a", "V1_2__b"),
    ],
)
def test_ways_back_parts_and_pairs_of_engines_may_have_one_number(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1;")
    assert not audit_scripts([tmp_path]).findings
