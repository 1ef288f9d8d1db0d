"""What a catalog requires is written as migrations, which build it whole where nothing is."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from integrity.audit import audit
from integrity.database.session import Target
from integrity.exceptions import CatalogError
from integrity.operations.fixes import planned_fixes, schema_fixes
from integrity.operations.schema_fix import SchemaFix
from integrity.operations.writer import write_migrations
from integrity.references.catalog import load_catalog
from integrity.references.resolve import known_references
from integrity.verification import verify
from tests.commands import run, run_json
from tests.operations.conftest import Shop

CATALOG = """
[target]
tables = [2, 3]

[[required_table]]
table = "presets"
primary_key = ["id"]
rationale = "Everything trades by them"
columns = [
    { name = "id", type = "text", default = { postgresql = "gen_random_uuid()::text", sqlite = "lower(hex(randomblob(16)))" } },
    { name = "title", type = "varchar(40)", null = false, rationale = "Shown in every list" },
    { name = "state", type = "text", null = false, default = "'new'" },
]

[[required_table]]
table = "trades"
primary_key = ["id"]
columns = [
    { name = "id", type = "integer" },
    { name = "preset_id", type = "text" },
    { name = "side", type = "text", null = false, default = "'buy'", backfill = "CASE WHEN id > 1 THEN 'sell' ELSE 'buy' END" },
]

[[reference]]
from = "trades.preset_id"
to = "presets.id"
on_delete = "CASCADE"

[[index]]
table = "trades"
columns = ["preset_id"]

[[unique]]
table = "presets"
columns = ["title"]
case = "insensitive"
"""
WHOLE = [
    (1, "table", "presets"),
    (1, "table", "trades"),
    (1, "index", "trades_preset_id_idx"),
    (2, "foreign_key", "fk_trades_preset_id"),
    (3, "unique", "presets_title_lower_key"),
    (3, "validate", "fk_trades_preset_id"),
]


pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def catalog(empty_shop: Shop) -> None:
    """The catalog of the target."""
    lend(empty_shop, CATALOG)


def lend(shop: Shop, text: str) -> None:
    file: Path = shop.root / shop.alias / "catalog.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def fixes(shop: Shop, **more: Any) -> list[SchemaFix]:
    schema, catalog = shop.schema(), load_catalog(shop.alias)
    planned = planned_fixes(shop.alias)
    return schema_fixes(schema, catalog, known_references(schema, catalog), planned=planned, **more)


def summary(found: list[SchemaFix]) -> list[tuple[int, str, str]]:
    return [(fix.phase, str(fix.kind), fix.name) for fix in found]


def test_an_empty_database_is_built_whole_and_taken_down_again(empty_shop: Shop) -> None:
    shop = empty_shop
    assert summary(fixes(shop)) == WHOLE
    made = run_json("makemigrations", shop.alias)
    names = [Path(each["path"]).name for each in made["files"]]
    assert [each for each in names if each.startswith("0")] == [
        "0001_tables.py", "0002_indexes.py", "0003_foreign_keys.py", "0004_validate.py",
    ]  # fmt: skip
    assert run("migrate", shop.alias, "--no-input").code == 0

    shop.execute("INSERT INTO presets (title) VALUES ('one')")
    shop.execute("INSERT INTO trades (id, preset_id) SELECT 1, id FROM presets")
    result = audit(Target(shop.alias), load_catalog(shop.alias))
    assert [each.code for each in result.findings] == []
    assert result.coverage.complete
    assert verify(Target(shop.alias), load_catalog(shop.alias)).problems == []
    assert fixes(shop) == []

    assert run("migrate", shop.alias, "zero", "--no-input").code == 0
    assert [each.name for each in shop.schema().tables if each.name != "django_migrations"] == []
    assert run("migrate", shop.alias, "--no-input").code == 0
    assert shop.target.rows("SELECT title, side FROM presets JOIN trades ON preset_id = presets.id") == [
        ("one", "buy")
    ]


def test_the_first_file_makes_tables_and_columns_with_their_reasons(empty_shop: Shop) -> None:
    files = write_migrations(empty_shop.alias, fixes(empty_shop), dry_run=True)
    text = next(each.text for each in files if each.path.name == "0001_tables.py")

    assert "from integrity.operations import CatalogMigration, CreateTable" in text
    assert "# Everything trades by them. title: Shown in every list" in text
    assert '{"name": "title", "type": "varchar(40)", "null": False},' in text
    assert "tables and columns (phase 1 of 3)" in text
    compile(text, "0001_tables.py", "exec")


def test_only_what_is_missing_is_made(empty_shop: Shop) -> None:
    shop = empty_shop
    shop.execute(
        "CREATE TABLE trades (id integer PRIMARY KEY, preset_id text); INSERT INTO trades (id) VALUES (1), (2)"
    )
    assert summary(fixes(shop))[:2] == [(1, "table", "presets"), (1, "column", "side")]
    run_json("makemigrations", shop.alias)
    text = (shop.root / shop.alias / "migrations/0001_tables.py").read_text()
    assert "null=False" in text
    assert "backfill=" in text
    assert run("migrate", shop.alias, "--no-input").code == 0
    assert shop.target.rows("SELECT id, side FROM trades ORDER BY id") == [(1, "buy"), (2, "sell")]


def test_everything_is_written_for_other_copies_and_adopted_here(empty_shop: Shop) -> None:
    shop = empty_shop
    shop.execute("CREATE TABLE trades (id integer PRIMARY KEY, preset_id text)")
    found = fixes(shop, everything=True)
    assert summary(found)[:4] == [
        (1, "table", "presets"), (1, "table", "trades"), (1, "column", "side"),
        (1, "index", "trades_preset_id_idx"),
    ]  # fmt: skip
    write_migrations(shop.alias, found)
    assert run("migrate", shop.alias, "--no-input").code == 0
    assert shop.table("trades").has_columns(("side",))
    assert run("migrate", shop.alias, "zero", "--no-input").code == 0
    assert shop.table("trades").column_names == ("id", "preset_id")


def test_the_same_migrations_build_an_empty_database_after_a_broken_one(
    empty_shop: Shop, register_target: Any, tmp_path: Path
) -> None:
    shop = empty_shop
    shop.execute("CREATE TABLE trades (id integer PRIMARY KEY, preset_id text)")
    run_json("makemigrations", shop.alias, "--everything")
    other = tmp_path / "other.sqlite3"
    sqlite3.connect(other).close()
    register_target("other", f"sqlite:///{other}")
    connections.databases["other"]["CATALOG"] = shop.alias
    assert run("migrate", "other", "--no-input").code == 0
    with sqlite3.connect(other) as connection:
        connection.execute("INSERT INTO trades (id) VALUES (1)")
        assert connection.execute("SELECT side FROM trades").fetchall() == [("buy",)]
    connection.close()


def test_a_table_without_types_is_named_and_what_needs_it_waits(empty_shop: Shop) -> None:
    shop = empty_shop
    lend(
        shop,
        CATALOG.replace(
            '{ name = "title", type = "varchar(40)", null = false, rationale = "Shown in every list" }',
            '"title"',
        ),
    )
    assert summary(fixes(shop)) == [(1, "table", "trades"), (1, "index", "trades_preset_id_idx")]
    (finding,) = (
        each for each in audit(Target(shop.alias), load_catalog(shop.alias)).with_code("missing_table")
        if each.table.name == "presets"
    )  # fmt: skip
    assert finding.suggestion.startswith("Give every column")


def test_a_column_that_somebody_dropped_since_is_found_and_made_again(empty_shop: Shop) -> None:
    shop = empty_shop
    run_json("makemigrations", shop.alias)
    run("migrate", shop.alias, "--no-input")
    shop.execute("ALTER TABLE trades DROP COLUMN side")
    problems = verify(Target(shop.alias), load_catalog(shop.alias)).problems
    assert [(each.code, each.columns) for each in problems] == [("missing_column", ("side",))]
    assert [(fix.kind, fix.name) for fix in fixes(shop)] == [("column", "side")]


ANEW = """
[[required_table]]
table = "orders"
primary_key = ["id"]
recreate = true
copy = { id = { postgresql = "id::text", sqlite = "CAST(id AS text)" }, customer_id = "customer_id" }
columns = [
    { name = "id", type = "text" },
    { name = "customer_id", type = "integer" },
    { name = "state", type = "text", null = false, default = "'new'" },
]

[[index]]
table = "orders"
columns = ["state"]

[[reference]]
from = "lines.order_id"
to = "orders.id"
"""
OLD = """
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer);
CREATE TABLE lines (id integer PRIMARY KEY, order_id text);
INSERT INTO orders VALUES (1, 7); INSERT INTO lines VALUES (1, '1');
"""


def test_a_table_of_another_shape_is_made_anew_before_what_is_about_it(empty_shop: Shop) -> None:
    shop = empty_shop
    lend(shop, ANEW)
    shop.execute(OLD)
    before = shop.fingerprint()
    assert summary(fixes(shop)) == [
        (3, "recreation", "orders"), (3, "index", "orders_state_idx"),
        (3, "foreign_key", "fk_lines_order_id"), (3, "validate", "fk_lines_order_id"),
    ]  # fmt: skip
    made = run_json("makemigrations", shop.alias)
    assert [Path(each["path"]).name for each in made["files"] if "/0" in each["path"]] == [
        "0001_recreate_tables.py", "0002_validate.py",
    ]  # fmt: skip
    assert run("migrate", shop.alias, "--no-input").code == 0
    assert shop.target.rows("SELECT * FROM orders") == [("1", 7, "new")]
    assert fixes(shop) == []
    assert verify(Target(shop.alias), load_catalog(shop.alias)).problems == []

    assert run("migrate", shop.alias, "zero", "--no-input").code == 0
    assert shop.fingerprint() == before
    assert shop.target.rows("SELECT * FROM orders") == [(1, 7)]


def test_a_table_that_is_to_be_made_anew_and_is_missing_is_simply_made(empty_shop: Shop) -> None:
    lend(empty_shop, ANEW)
    empty_shop.execute("CREATE TABLE lines (id integer PRIMARY KEY, order_id text)")
    assert summary(fixes(empty_shop))[:2] == [(1, "table", "orders"), (1, "index", "orders_state_idx")]


def test_everything_builds_a_table_that_others_have_in_an_old_shape(empty_shop: Shop) -> None:
    shop = empty_shop
    lend(shop, ANEW)
    shop.execute("CREATE TABLE lines (id integer PRIMARY KEY, order_id text)")
    found = fixes(shop, everything=True)
    assert (3, "recreation", "orders") in summary(found)
    write_migrations(shop.alias, found)
    assert run("migrate", shop.alias, "--no-input").code == 0
    assert shop.table("orders").column_names == ("id", "customer_id", "state")
    assert run("migrate", shop.alias, "zero", "--no-input").code == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('copy = ["id"]', "copy is for a table that is made anew"),
        ('recreate = true\ncopy = ["idd"]', "copy names 'idd'"),
        ('recreate = "yes"', "recreate must be true or false"),
    ],
)
def test_a_mistake_about_making_anew_is_named(empty_shop: Shop, more: str, said: str) -> None:
    lend(empty_shop, f'[[required_table]]\ntable = "orders"\ncolumns = ["id"]\n{more}\n')
    with pytest.raises(CatalogError, match=said):
        load_catalog(empty_shop.alias)
