"""Migrations are written so that a person can read them, and any name and reason survives it."""

import ast
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.database.identifiers import TableName
from integrity.exceptions import CatalogError
from integrity.operations import AddForeignKey, AddIndex
from integrity.operations.catalog_migrations import migrations_of
from integrity.operations.environments import environments_of
from integrity.operations.fixes import FixKind, SchemaFix
from integrity.operations.writer import migration_text, quoted, start_catalog, write_migrations
from integrity.references.awaited import label_of
from integrity.references.catalog import Catalog, load_catalog
from integrity.references.resolve import known_references
from tests.operations.conftest import KEY, Shop

pytestmark = pytest.mark.newest_postgres_only

TABLE = TableName("main", "orders")


def index_fix(name: str = "orders_idx", phase: int = 1, rationale: str = "") -> SchemaFix:
    """Return an index as a fix."""
    operation = AddIndex(table="orders", columns=("customer_id",), name=name)
    return SchemaFix(phase, FixKind.INDEX, TABLE, ("customer_id",), name, operation, rationale)


def test_a_package_is_made_around_the_first_migrations(sqlite_shop: Shop) -> None:
    files = write_migrations("target", [index_fix(), index_fix("other", phase=2)])

    names = [str(file.path.relative_to(sqlite_shop.root)) for file in files]
    assert names == [
        "__init__.py",
        "target/__init__.py",
        "target/apps.py",
        "target/models.py",
        "target/migrations/__init__.py",
        "target/migrations/0001_indexes.py",
        "target/migrations/0002_foreign_keys.py",
    ]
    assert 'label = "catalog_target"' in (sqlite_shop.root / "target/apps.py").read_text()


def test_numbers_and_dependencies_go_on_from_what_is_there(sqlite_shop: Shop) -> None:
    write_migrations("target", [index_fix(), index_fix("other", phase=2)])
    written = write_migrations("target", [index_fix("third", phase=3)])

    assert [file.path.name for file in written] == ["0003_validate.py"]
    assert migrations_of("target")[-1].dependencies == [("catalog_target", "0002_foreign_keys")]


def test_a_dry_run_writes_nothing(sqlite_shop: Shop) -> None:
    files = write_migrations("target", [index_fix()], dry_run=True)

    assert files[-1].text.startswith('"""target: indexes (phase 1 of 3).')
    assert not sqlite_shop.root.exists()


def test_without_fixes_there_is_nothing_to_write(sqlite_shop: Shop) -> None:
    assert write_migrations("target", []) == []
    assert not sqlite_shop.root.exists()


NASTY = st.text(min_size=1, max_size=20)


@given(name=NASTY, column=NASTY, rationale=st.text(max_size=300))
def test_no_name_and_no_reason_can_become_code(name: str, column: str, rationale: str) -> None:
    operation = AddForeignKey(
        table=name, columns=(column,), to="customers", to_columns=("id", "b"), name=name, on_delete="CASCADE"
    )
    fix = SchemaFix(2, FixKind.FOREIGN_KEY, TABLE, (column,), name, operation, rationale, rationale)

    tree = ast.parse(migration_text("shop", 2, [fix], [("catalog_shop", name)]))

    made = tree.body[-1]
    assert isinstance(made, ast.ClassDef)
    statement = made.body[-1]
    assert isinstance(statement, ast.Assign)
    call = statement.value.elts[0]  # type: ignore[attr-defined]
    assert {word.arg: ast.literal_eval(word.value) for word in call.keywords} == operation.arguments()
    assert [type(each).__name__ for each in tree.body] == ["Expr", "ImportFrom", "ClassDef"]


@pytest.mark.parametrize("value", ["a", 'a"b', "a'b", "a\nb", ("a",), ("a", "b"), (), "a\\", True])
def test_literals_are_what_they_stand_for(value: object) -> None:
    assert ast.literal_eval(quoted(value)) == value


def test_a_new_catalog_says_what_is_declared_and_can_be_read_again(shop: Shop) -> None:
    shop.execute('CREATE TABLE "Order Details" (id integer PRIMARY KEY, "Order" integer)')
    shop.apply(
        AddForeignKey(**KEY),
        AddForeignKey(
            table='"Order Details"', columns=("Order",), to="orders", to_columns=("id",), name='fk "odd"'
        ),
    )
    schema = shop.schema()

    files = start_catalog(
        "target", schema, load_catalog("target"), known_references(schema, load_catalog("target"))
    )

    data = tomllib.loads(files[0].text)
    assert data["target"] == {"vendor": shop.target.vendor}
    assert {entry["name"] for entry in data["reference"]} == {"fk_orders_customer", 'fk "odd"'}
    again = known_references(schema, load_catalog("target"))
    assert {reference.name for reference in again} == {"fk_orders_customer", 'fk "odd"'}
    assert all(reference.declared is not None for reference in again)


def test_what_a_lent_catalog_says_of_uniques_is_written_back_without_loss(
    sqlite_shop: Shop, tmp_path: Path
) -> None:
    lent = tmp_path / "lent.toml"
    lent.write_text(
        '[[unique]]\ntable = "orders"\ncolumns = ["total", "status"]\nname = "uq"\nwhere = "total > 0"\n'
        'nulls = "not distinct"\ncase = "insensitive"\nduplicates = "rename"\nsurvivor = "total desc"\n'
        'rename = "status"\nrationale = "Because"\n\n[[unique]]\ntable = "orders"\ncolumns = ["total"]\n'
    )
    catalog = load_catalog("target", lent)
    start_catalog("target", sqlite_shop.schema(), catalog)

    assert load_catalog("target").uniques == tuple(
        replace(each, entry=again.entry)
        for each, again in zip(catalog.uniques, load_catalog("target").uniques, strict=True)
    )


LENT = """
[target]
vendor = "postgresql"
description = "Another shop"
tables = [2, 9]

[[reference]] # Why it is so
from = "orders.customer_id"
to = "customers.id"

[[reference]]
from = "notes.order_id"
to = "orders.id"

[system_row.customers]
id = 7

[[required_table]]
table = "notes"
columns = [
    "id", # numbers rows
    { name = "order_id", type = { postgresql = "int", sqlite = "INTEGER" } },
]

[system_row.orders]
id = 8

[[column]]
column = "orders.status"
from = "text"
to = "uuid"

[[routine]]
kind = "view"
name = "seen"
create = "CREATE VIEW seen AS SELECT 1 AS one"

[ledger]
table = "schema_migrations"
scripts = "scripts"

[environment.test]
migrations = ["0005_seed"]
rationale = "Rows to look at"

[mask]
columns = ["customers.email"]

[log]
table = "system_logs"
columns = { type = "kind" }

[[query]]
name = "newest"
sql = "SELECT 1"
"""


def test_everything_that_a_lent_catalog_says_is_taken_over_from_its_new_place(
    sqlite_shop: Shop, tmp_path: Path
) -> None:
    (tmp_path / "lent" / "scripts").mkdir(parents=True)
    file = tmp_path / "lent" / "catalog.toml"
    file.write_text(LENT)
    sqlite_shop.execute("CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders)")
    schema, lent = sqlite_shop.schema(), load_catalog("target", file)
    (new, *_) = start_catalog("target", schema, lent, known_references(schema, lent))

    again = load_catalog("target")
    assert [(label_of(each.source), label_of(each.to)) for each in again.references] == [
        ("orders.customer_id", "customers.id"),
        ("notes.order_id", "orders.id"),
        ("lines.order_id", "orders.id"),
    ]
    empty = {"file": None, "vendor": "", "references": (), "environments": ()}
    assert replace(again, **empty) == replace(lent, **empty)
    assert (again.vendor, again.description) == ("sqlite", "Another shop")
    assert "# Why it is so" in new.text
    assert "# numbers rows" in new.text
    assert str(tmp_path) not in new.text


def test_migrations_of_an_environment_that_are_not_there_become_a_comment(
    sqlite_shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "lent.toml"
    file.write_text(LENT)
    write_migrations("target", [index_fix()])
    file.write_text(LENT.replace('["0005_seed"]', '["0001_indexes", "0005_seed"]'))
    (new, *_) = start_catalog("target", sqlite_shop.schema(), load_catalog("target", file))

    (environment,) = load_catalog("target").environments
    assert environment.migrations == ("0001_indexes",)
    assert 'migrations = ["0001_indexes"] # once they are here: 0005_seed' in new.text
    assert environments_of(new.path.parent) == {"0001_indexes": ("test",)}


@pytest.mark.parametrize(
    "text",
    [
        'reference = [{ from = "a.b", to = "c.d" }]\ntarget = { tables = 3 }\n',
        "target.tables = 3\n",
        "",
        "# x",
    ],
)
def test_a_lent_catalog_may_be_written_in_any_way(sqlite_shop: Shop, tmp_path: Path, text: str) -> None:
    file = tmp_path / "lent.toml"
    file.write_text(text)
    sqlite_shop.execute("CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders)")
    schema, lent = sqlite_shop.schema(), load_catalog("target", file)
    start_catalog("target", schema, lent, known_references(schema, Catalog()))

    again = load_catalog("target")
    assert (again.vendor, again.table_count) == ("sqlite", lent.table_count)
    assert [each.source for each in again.references][:-1] == [each.source for each in lent.references]


def test_an_empty_catalog_shows_how_an_entry_looks(sqlite_shop: Shop) -> None:
    files = start_catalog("target", sqlite_shop.schema(), load_catalog("target"))

    assert "# [[reference]]" in files[0].text
    assert load_catalog("target").references == ()


def test_a_catalog_that_is_there_is_not_touched(sqlite_shop: Shop) -> None:
    start_catalog("target", sqlite_shop.schema(), load_catalog("target"))
    with pytest.raises(CatalogError, match="has a target catalog already"):
        start_catalog("target", sqlite_shop.schema(), load_catalog("target"))


def test_the_sites_own_catalog_depends_on_the_apps_whose_tables_it_changes(
    catalog_root: Path,
) -> None:
    operation = AddIndex(table="auth_user", columns=("email",), name="auth_user_email")
    fix = SchemaFix(1, FixKind.INDEX, TableName("main", "auth_user"), ("email",), "x", operation)

    text = write_migrations("default", [fix], dry_run=True)[-1].text

    assert '("auth", "0012_alter_user_first_name_max_length"),' in text
    assert not catalog_root.exists()


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        'a"\nb"',
        '"a\nb',
        'a\n"""b',
        "a\\\nb",
        "a\r\nb",
        "a\n\0b",
        "\n",
        "CREATE VIEW v AS\nSELECT 'x'",
    ],
)
def test_a_text_of_several_lines_is_read_back_as_it_was(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text


def test_sql_of_several_lines_is_written_as_lines() -> None:
    assert quoted({"sqlite": "CREATE VIEW v AS\nSELECT 'x'"}).count("\n") == 1
