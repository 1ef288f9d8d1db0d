"""What migrations made is not changed behind their back without anybody being told."""

import pytest

from integrity.exceptions import SchemaFixRefused
from integrity.operations import AddForeignKey, AddIndex
from integrity.operations.runner import ZERO
from integrity.tasks import plan_of_migrations
from tests.commands import run
from tests.operations.conftest import KEY, Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")
LATER = AddIndex(table="orders", columns=("status",), name="orders_status_idx")


@pytest.fixture
def migrated(shop: Shop) -> Shop:
    """A shop with an index and a foreign key by migrations, and one more migration to come."""
    shop.apply(INDEX)
    shop.apply(AddForeignKey(**KEY))
    shop.migration("0003_later", LATER)
    return shop


def drop_key(shop: Shop) -> None:
    if shop.sqlite:
        shop.execute(
            "CREATE TABLE new (id integer PRIMARY KEY, customer_id integer, status varchar(20), "
            "total integer NOT NULL DEFAULT 0); INSERT INTO new SELECT * FROM orders; DROP TABLE orders; "
            "ALTER TABLE new RENAME TO orders; CREATE INDEX orders_customer_idx ON orders (customer_id);"
        )
    else:
        shop.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_customer;")


def test_an_index_that_was_dropped_stops_the_next_migration_and_is_named(migrated: Shop) -> None:
    migrated.execute("DROP INDEX orders_customer_idx;")

    with pytest.raises(
        SchemaFixRefused, match="index orders_customer_idx of orders is gone.*--accept-changes"
    ):
        migrated.run()

    assert not migrated.table("orders").index("orders_status_idx")


def test_a_foreign_key_that_was_dropped_is_named(migrated: Shop) -> None:
    drop_key(migrated)

    with pytest.raises(SchemaFixRefused, match="foreign key fk_orders_customer of orders is gone"):
        migrated.run()


def test_an_index_that_is_another_one_is_named(migrated: Shop) -> None:
    migrated.execute("DROP INDEX orders_customer_idx; CREATE INDEX orders_customer_idx ON orders (total);")

    with pytest.raises(SchemaFixRefused, match="index orders_customer_idx of orders is another one"):
        migrated.run()


def test_who_accepts_it_goes_on_and_is_not_asked_again(migrated: Shop) -> None:
    migrated.execute("DROP INDEX orders_customer_idx;")

    assert run("migrate", migrated.alias, "--no-input").code == 2
    assert run("migrate", migrated.alias, "--no-input", "--accept-changes").code == 0

    migrated.apply(AddIndex(table="orders", columns=("total",), name="orders_total_idx"))


def test_a_plan_says_so(migrated: Shop) -> None:
    migrated.execute("DROP INDEX orders_customer_idx;")

    assert "index orders_customer_idx of orders is gone" in plan_of_migrations(migrated.alias).notes[0]
    assert "index orders_customer_idx of orders is gone" in run("migrate", migrated.alias, "--dry-run").out
    assert "index orders_customer_idx of orders is gone" in run("migrate", migrated.alias, "--list").out


def test_what_others_add_change_or_drop_is_theirs(migrated: Shop) -> None:
    migrated.execute(
        "ALTER TABLE orders ADD COLUMN note varchar(10); CREATE INDEX own ON orders (note);"
        "CREATE TABLE extra (id integer); ALTER TABLE customers RENAME COLUMN email TO mail;"
        "CREATE VIEW seen AS SELECT id FROM orders;"
    )

    migrated.run()

    assert migrated.table("orders").index("orders_status_idx")


def test_with_nothing_to_do_nothing_stops_it(migrated: Shop) -> None:
    migrated.run()
    migrated.execute("DROP INDEX orders_customer_idx;")

    assert migrated.run().steps == ()


def test_reversing_is_the_way_out(migrated: Shop) -> None:
    migrated.execute("DROP INDEX orders_customer_idx;")

    migrated.run(to=ZERO)
    migrated.run()

    assert migrated.table("orders").index("orders_customer_idx")


def test_going_back_and_forth_is_no_change_by_others(migrated: Shop) -> None:
    migrated.run(to="0002")
    migrated.run()
    migrated.run(to="0001")
    migrated.run()

    assert migrated.table("orders").index("orders_status_idx")
