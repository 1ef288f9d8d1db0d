"""A reviewed file resolves orphans by policy, between the key for new rows and its validation."""

import pytest

from integrity.operations.catalog_migrations import migrations_of
from integrity.operations.writer import WrittenFile
from integrity.tasks.designing import make_migrations
from tests.operations.conftest import ORPHANS, Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]

CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
name = "fk_orders_customer"
on_delete = "SET NULL"
orphans = "{policy}"

[[index]]
table = "orders"
columns = ["customer_id"]
"""


def written(shop: Shop, policy: str = "delete") -> list[WrittenFile]:
    """Give the shop a catalog, and write its migrations with repairs."""
    (shop.root / shop.alias).mkdir(parents=True)
    (shop.root / shop.alias / "catalog.toml").write_text(CATALOG.format(policy=policy))
    return [each for each in make_migrations(shop.alias, with_repairs=True).files if "/0" in str(each.path)]


def test_the_files_heal_a_target_and_can_be_reversed(shop: Shop) -> None:
    shop.execute(ORPHANS)
    orders = "SELECT * FROM orders ORDER BY id"
    before = shop.target.rows(orders)

    files = written(shop)

    assert [file.path.stem for file in files] == [
        "0001_indexes",
        "0002_foreign_keys",
        "0003_repair_orphans",
        "0004_validate",
    ]
    assert "    phase = 3\n    changes_rows = True\n" in files[2].text
    assert "max_rows=2," in files[2].text
    assert 'action="delete",' in files[2].text
    shop.run(phase=2)
    assert len(shop.target.rows(orders)) == 5
    shop.run()
    assert len(shop.target.rows(orders)) == 3
    assert shop.table("orders").foreign_keys[0].validated
    shop.run(to="zero")
    assert shop.target.rows(orders) == before


def test_without_an_orphan_here_any_orphan_elsewhere_stops_it(shop: Shop) -> None:
    files = written(shop)

    assert "max_rows=0," in files[2].text
    assert "0 rows are touched where this was written" in files[2].text


def test_what_is_kept_is_not_repaired(shop: Shop) -> None:
    shop.execute(ORPHANS)

    assert not any("repair" in file.path.stem for file in written(shop, "keep"))


def test_what_is_written_is_not_written_again(shop: Shop) -> None:
    shop.execute(ORPHANS)
    written(shop)

    assert make_migrations(shop.alias, with_repairs=True).files == []
    assert len(migrations_of(shop.alias)) == 4
