"""What is missing is proposed, in phases, once, under the catalog's names."""

import pytest

from integrity.database.schema import Schema
from integrity.exceptions import CatalogError
from integrity.operations import AddForeignKey
from integrity.operations.fixes import FixKind, SchemaFix, planned_fixes, schema_fixes
from integrity.operations.writer import write_migrations
from integrity.references.catalog import Catalog, load_catalog
from integrity.references.reference import Reference
from integrity.references.resolve import known_references
from tests.operations.conftest import KEY, Shop

pytestmark = pytest.mark.newest_postgres_only

CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
name = "fk_orders_customer"
on_delete = "SET NULL"
rationale = "Orders outlive customers"

[[reference]]
from = "orders.total"
to = "customers.code"

[[index]]
table = "orders"
columns = ["customer_id"]
name = "orders_customer_idx"

[[unique]]
table = "customers"
columns = ["code"]

[[unique]]
table = "customers"
columns = ["email"]
"""


@pytest.fixture
def catalog(shop: Shop) -> Catalog:
    """A catalog that wants two references, an index and two uniques."""
    return lend(shop, CATALOG)


def lend(shop: Shop, text: str) -> Catalog:
    """Write a catalog and read it."""
    file = shop.root / shop.alias / "catalog.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return load_catalog(shop.alias)


def known(shop: Shop, catalog: Catalog) -> tuple[Schema, list[Reference]]:
    """Return the structure and the references."""
    schema = shop.schema()
    return schema, known_references(schema, catalog)


def propose(shop: Shop, catalog: Catalog, *, everything: bool = False) -> list[SchemaFix]:
    """Return what is proposed now."""
    schema, references = known(shop, catalog)
    return schema_fixes(schema, catalog, references, planned=planned_fixes(shop.alias), everything=everything)


def summary(fixes: list[SchemaFix]) -> list[tuple[int, str, str]]:
    """Return phase, kind and name of each."""
    return [(fix.phase, str(fix.kind), fix.name) for fix in fixes]


EVERYTHING = [
    (1, "index", "orders_customer_idx"),
    (1, "unique", "customers_code_key"),
    (2, "foreign_key", "fk_orders_customer"),
    (2, "foreign_key", "fk_orders_total"),
    (3, "unique", "customers_email_key"),
    (3, "validate", "fk_orders_customer"),
    (3, "validate", "fk_orders_total"),
]


def test_everything_that_is_missing_is_proposed_in_phases(shop: Shop, catalog: Catalog) -> None:
    assert summary(propose(shop, catalog)) == EVERYTHING


def test_a_unique_that_a_reference_needs_comes_before_its_foreign_key(shop: Shop, catalog: Catalog) -> None:
    phases = {fix.name: fix.phase for fix in propose(shop, catalog) if fix.kind is FixKind.UNIQUE}
    assert phases == {"customers_code_key": 1, "customers_email_key": 3}


def test_what_the_target_has_is_not_proposed(shop: Shop, catalog: Catalog) -> None:
    shop.execute("CREATE INDEX theirs ON orders (customer_id)")
    shop.execute("CREATE UNIQUE INDEX code ON customers (code)")
    shop.apply(AddForeignKey(**KEY, validated=True))
    for file in (shop.root / "target/migrations").glob("0*.py"):
        file.unlink()

    assert summary(propose(shop, catalog)) == [
        (2, "foreign_key", "fk_orders_total"),
        (3, "unique", "customers_email_key"),
        (3, "validate", "fk_orders_total"),
    ]
    assert summary(propose(shop, catalog, everything=True)) == EVERYTHING


def test_what_a_migration_does_already_is_not_proposed_again(shop: Shop, catalog: Catalog) -> None:
    shop.migration("0001_key", AddForeignKey(**KEY))
    names = {(fix.kind, fix.name) for fix in propose(shop, catalog)}
    assert (FixKind.FOREIGN_KEY, "fk_orders_customer") not in names
    assert (FixKind.VALIDATE, "fk_orders_customer") in names


def test_a_key_that_nobody_validated_is_only_validated(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute(
        "ALTER TABLE orders ADD CONSTRAINT theirs FOREIGN KEY (customer_id) REFERENCES customers NOT VALID"
    )

    fixes = propose(shop, Catalog())

    assert summary(fixes) == [(3, "validate", "theirs")]


def test_each_says_why_what_it_locks_and_what_a_deletion_will_do(shop: Shop, catalog: Catalog) -> None:
    fix = next(fix for fix in propose(shop, catalog) if fix.name == "fk_orders_customer")

    assert fix.rationale == "Orders outlive customers"
    assert fix.consequence == (
        "Deleting a row of customers sets customer_id to NULL in the rows of orders that refer to it."
    )
    locked = "the file, briefly" if shop.sqlite else "SHARE ROW EXCLUSIVE on orders and customers, briefly"
    assert fix.locks(shop.target.vendor).startswith(locked)
    assert any("FOREIGN KEY" in statement for statement in fix.statements(shop.target.vendor))


@pytest.mark.parametrize("action", ["CASCADE", "RESTRICT", "NO ACTION", "SET DEFAULT"])
def test_every_delete_action_is_put_into_words(sqlite_shop: Shop, action: str) -> None:
    text = CATALOG.replace('on_delete = "SET NULL"', f'on_delete = "{action}"')
    fix = next(fix for fix in propose(sqlite_shop, lend(sqlite_shop, text)) if fix.consequence)

    words = {"CASCADE": "deletes the rows", "SET DEFAULT": "to its default"}.get(action, "is refused while")
    assert words in fix.consequence


def test_nothing_is_proposed_once_all_is_there(shop: Shop, catalog: Catalog) -> None:

    shop.execute("UPDATE orders SET total = 1")
    write_migrations(shop.alias, propose(shop, catalog))
    assert len(shop.run().steps) == 3

    for file in (shop.root / "target/migrations").glob("0*.py"):
        file.unlink()
    assert propose(shop, catalog) == []


def test_a_column_is_converted_before_its_foreign_key_and_both_come_in_phase_3(postgres_shop: Shop) -> None:
    postgres_shop.execute("ALTER TABLE orders ADD COLUMN reader text")
    toml = CONVERTED.format(column="orders.reader")
    fixes = proposed_by(postgres_shop, toml)
    assert [(fix.phase, fix.kind, fix.name) for fix in fixes] == [
        (3, FixKind.CONVERT, "reader"),
        (3, FixKind.FOREIGN_KEY, "fk_orders_reader"),
        (3, FixKind.VALIDATE, "fk_orders_reader"),
    ]
    postgres_shop.execute("ALTER TABLE orders ALTER COLUMN reader TYPE integer USING reader::integer")
    assert [fix.phase for fix in proposed_by(postgres_shop, toml)] == [2, 3]


def test_a_column_that_does_not_exist_is_an_error_with_its_entry(postgres_shop: Shop) -> None:
    postgres_shop.execute("ALTER TABLE orders ADD COLUMN reader text")
    with pytest.raises(CatalogError, match="has no column 'readr'") as error:
        proposed_by(postgres_shop, CONVERTED.format(column="orders.readr"))
    assert "[[column]] 1 (orders.readr)" in error.value.where


CONVERTED = """
[[reference]]
from = "orders.reader"
to = "customers.id"

[[column]]
column = "{column}"
from = "text"
to = "integer"
"""


def proposed_by(shop: Shop, toml: str) -> list[SchemaFix]:
    folder = shop.root / shop.alias
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.toml").write_text(toml)
    schema, catalog = shop.schema(), load_catalog(shop.alias)
    return schema_fixes(schema, catalog, known_references(schema, catalog))
