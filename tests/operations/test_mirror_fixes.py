"""A mirror of the catalog becomes a view, its rewriting and its removal, each a migration of its own."""

import pytest

from integrity.operations import RemoveColumn, RepairMirror
from integrity.operations.fixes import SchemaFix, planned_fixes
from integrity.operations.mirror_fixes import mirror_fixes, mirror_repairs
from integrity.operations.writer import write_migrations
from integrity.references.catalog import load_catalog
from integrity.references.mirror import known_mirrors
from integrity.references.resolve import known_references
from tests.operations.conftest import Shop
from tests.operations.test_mirrors import ROWS, fill, values

pytestmark = pytest.mark.newest_postgres_only

CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"

[[mirror]]
column = "customers.orders"
repeats = "orders.customer_id"
drift = "table"
only_in_json = "journal"
view = "customers_compat"
rationale = "The orders table says which orders a customer has"
"""


@pytest.fixture
def mirrored(empty_shop: Shop) -> Shop:
    fill(empty_shop, ROWS)
    folder = empty_shop.root / "target"
    folder.mkdir(parents=True)
    (folder / "catalog.toml").write_text(CATALOG)
    return empty_shop


def fixes(shop: Shop) -> list[SchemaFix]:
    schema, catalog = shop.schema(), load_catalog("target")
    references = known_references(schema, catalog)
    planned = planned_fixes("target")
    rewritten = mirror_repairs(known_mirrors(schema, catalog, references), {}, planned=planned)
    return [*mirror_fixes(schema, catalog, references, planned=planned), *rewritten]


def test_each_is_a_migration_that_can_be_deployed_alone(mirrored: Shop) -> None:
    before = values(mirrored)
    files = write_migrations("target", fixes(mirrored))
    names = [file.path.stem for file in files if file.path.stem.startswith("0")]
    assert names == ["0001_rewrite_mirrors", "0002_compatibility_views", "0003_remove_columns"]
    assert "# The orders table says which orders a customer has" in files[-1].text

    for name in names:
        (step,) = mirrored.run(to=name).steps
        assert step.name == name
        assert values(mirrored, "customers_compat" if name > "0002" else "customers") == before
    assert fixes(mirrored) == []
    mirrored.run(to="zero")
    assert values(mirrored) == before


def test_what_the_migrations_do_is_not_written_twice_and_what_is_done_not_at_all(mirrored: Shop) -> None:
    write_migrations("target", fixes(mirrored))
    assert fixes(mirrored) == []
    mirrored.run()
    for file in (mirrored.root / "target/migrations").glob("0*.py"):
        file.unlink()
    assert [fix for fix in fixes(mirrored) if isinstance(fix.operation, RemoveColumn)] == []


def test_the_arguments_say_what_the_catalog_says(mirrored: Shop) -> None:
    found = {type(fix.operation).__name__: fix.operation for fix in fixes(mirrored)}
    assert found["RemoveColumn"].arguments() == {
        "view": "customers_compat",
        "acknowledged": (),
        "drift": "table",
        "table": "customers",
        "column": "orders",
        "repeats": "orders.customer_id",
        "to": ("id",),
        "elements": (("id", "id"),),
        "only_in_json": "journal",
    }
    assert isinstance(found["RepairMirror"], RepairMirror)


def test_each_says_what_it_locks_and_shows_its_sql(mirrored: Shop) -> None:
    for fix in fixes(mirrored):
        for vendor in ("postgresql", "sqlite"):
            assert fix.statements(vendor)
            assert fix.locks(vendor)
            assert fix.operation.reverse_statements(vendor)
