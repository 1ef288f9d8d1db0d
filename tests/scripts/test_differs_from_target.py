"""What scripts define is held against a live database of either engine."""

import pytest

from integrity.scripts.finding import ScriptFinding
from integrity.tasks.scripting import live_target
from tests.scripts.checking import Find, find
from tests.servers import SQLITE, EmptyTarget

__all__ = ["find"]

CODE = "differs_from_target"
pytestmark = pytest.mark.newest_postgres_only

SCHEMA = {
    "1_tables.sql": """
CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, born DATE);
CREATE TABLE "Odd Ones" (a INTEGER NOT NULL, b TEXT NOT NULL, n NUMERIC(8), c CHAR, PRIMARY KEY (a, b));
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, user_id INT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  a INTEGER, b TEXT, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (a, b) REFERENCES "Odd Ones");
CREATE INDEX orders_user ON orders(user_id);
CREATE UNIQUE INDEX users_born ON users(born);
CREATE INDEX users_lower ON users(lower(email)) WHERE born IS NOT NULL;
CREATE VIEW adults AS SELECT id, email FROM users WHERE born IS NOT NULL;
CREATE TABLE scratch (a INTEGER); DROP TABLE scratch;
""",
    "2_more.sql": "ALTER TABLE users ADD COLUMN name TEXT;",
}
ROUTINES = {
    SQLITE: "CREATE TRIGGER touch AFTER UPDATE ON users BEGIN UPDATE users SET name = 'x' WHERE id = NEW.id; END;",
    "postgresql": "CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN NEW.name = 'x'; RETURN NEW; END $$ LANGUAGE plpgsql;\n"
    "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();\n"
    "CREATE TABLE s (id BIGSERIAL PRIMARY KEY, i INT GENERATED ALWAYS AS IDENTITY, t TEXT[], z TIMESTAMPTZ);",
}


def against(find: Find, target: EmptyTarget, files: dict[str, str]) -> list[ScriptFinding]:
    with live_target(target.alias) as live:
        return find(CODE, files, live=live)


@pytest.fixture
def built(empty_target: EmptyTarget) -> EmptyTarget:
    empty_target.execute_script("".join(SCHEMA.values()) + ROUTINES[empty_target.vendor])
    return empty_target


def test_a_database_that_the_scripts_made_does_not_differ(find: Find, built: EmptyTarget) -> None:
    files = SCHEMA | {"3_routines.sql": ROUTINES[built.vendor]}
    assert against(find, built, files) == []
    with live_target(built.alias) as live:
        for code in ("undefined_reference", "key_type_mismatch", "duplicate_definition"):
            assert find(code, files, live=live) == []


def test_tables_differ_column_by_column(find: Find, built: EmptyTarget) -> None:
    text = (
        "CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email VARCHAR(80), wanted INTEGER);\n"
        "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id),"
        " a INTEGER, b TEXT, made TIMESTAMP);\nCREATE TABLE missing (a INTEGER);"
    )
    users, orders, missing = against(find, built, {"a.sql": text})
    live_id = "INTEGER" if built.vendor == SQLITE else "integer"
    assert f"id: TEXT here, {live_id} there" in users.details
    assert "email: NULL here, NOT NULL there" in users.details
    assert "wanted: INTEGER here, missing there" in users.details
    assert "unique (email): only there" in users.details
    assert orders.details[0].startswith(
        "foreign key (user_id) → users(id) here, foreign key (user_id) → users(id) ON DELETE CASCADE"
    )
    assert (str(missing.severity), missing.message) == (
        "warning",
        f"The table missing is not in {built.alias}.",
    )


def test_indexes_and_routines_differ(find: Find, built: EmptyTarget) -> None:
    routines = ROUTINES[built.vendor].replace("'x'", "'y'")
    text = "CREATE INDEX orders_user ON orders(id);\nCREATE INDEX gone ON orders(id);\n"
    found = against(find, built, {"a.sql": text, "3_routines.sql": routines})
    said = {each.object: (str(each.severity), each.details) for each in found}
    assert said["orders_user"] == ("error", ("columns: id here, user_id there",))
    assert said["gone"] == ("warning", ())
    assert said["touch" if built.vendor == SQLITE else "f"][0] == "error"


def test_definitions_of_the_other_engine_do_not_count(find: Find, built: EmptyTarget) -> None:
    other = "postgres" if built.vendor == SQLITE else "sqlite"
    assert against(find, built, {f"{other}/1_a.sql": "CREATE TABLE users (id UUID PRIMARY KEY);"}) == []


def test_the_live_database_decides_between_two_definitions(find: Find, built: EmptyTarget) -> None:
    files = {
        "1_a.sql": "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, born DATE UNIQUE, name TEXT);",
        "2_b.sql": "CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY);",
    }
    with live_target(built.alias) as live:
        (finding,) = find("duplicate_definition", files, live=live)
    assert "he live database" in finding.suggestion
    assert "keep the definition at" in finding.suggestion
    assert "1_a.sql" in finding.suggestion
