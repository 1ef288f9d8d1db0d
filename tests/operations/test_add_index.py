"""Indexes are built while others write, adopted where they stand, and built anew where they are broken."""

import pytest

from integrity.exceptions import SchemaFixRefused, UnknownTable
from integrity.operations import AddIndex
from tests.operations.conftest import Shop

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")


def index_names(shop: Shop, table: str = "orders") -> list[str]:
    """Return the indexes that nobody got with a key."""
    keys = {key.name for key in shop.table(table).keys}
    return [index.name for index in shop.table(table).indexes if index.name not in keys]


def test_an_index_is_added_and_taken_away_again(shop: Shop) -> None:
    before = shop.fingerprint()

    shop.apply(INDEX)
    assert index_names(shop) == ["orders_customer_idx"]
    shop.run(to="zero")

    assert shop.fingerprint() == before


def test_one_on_the_same_columns_is_adopted_and_survives_the_reverse(shop: Shop) -> None:
    shop.execute("CREATE INDEX theirs ON orders (customer_id)")

    shop.apply(INDEX)
    shop.run(to="zero")

    assert index_names(shop) == ["theirs"]


def test_one_of_the_same_name_and_columns_is_adopted_too(shop: Shop) -> None:
    shop.execute("CREATE INDEX orders_customer_idx ON orders (customer_id)")

    shop.apply(INDEX)
    shop.run(to="zero")

    assert index_names(shop) == ["orders_customer_idx"]


def test_one_that_holds_only_some_rows_is_not_adopted(shop: Shop) -> None:
    shop.execute("CREATE INDEX theirs ON orders (customer_id) WHERE status = 'open'")

    shop.apply(INDEX)

    assert index_names(shop) == ["orders_customer_idx", "theirs"]


@pytest.mark.parametrize(
    "other", ["orders (status)", "customers (email)", "orders (customer_id) WHERE total > 5"]
)
def test_another_index_of_the_name_stops_the_migration(shop: Shop, other: str) -> None:
    shop.execute(f"CREATE INDEX orders_customer_idx ON {other}")

    with pytest.raises(SchemaFixRefused, match="There is another index orders_customer_idx"):
        shop.apply(INDEX)


def test_a_column_that_is_not_there_is_named_with_the_nearest(shop: Shop) -> None:
    with pytest.raises(UnknownTable, match="Did you mean customer_id"):
        shop.apply(AddIndex(table="orders", columns=("custommer_id",), name="x"))


def test_a_partial_index_may_be_added_again(shop: Shop) -> None:
    shop.apply(
        AddIndex(table="orders", columns=("total",), name="big", where="total > 100 AND status <> '100%s'")
    )
    shop.execute("DELETE FROM django_migrations")

    assert len(shop.run().steps) == 1
    assert index_names(shop) == ["big"]


def test_odd_names_are_no_trouble(empty_shop: Shop) -> None:
    empty_shop.execute('CREATE TABLE "Order %s" ("Select""" integer)')

    empty_shop.apply(AddIndex(table='"Order %s"', columns=('Select"',), name='idx "%s"'))

    assert index_names(empty_shop, '"Order %s"') == ['idx "%s"']


def test_an_invalid_index_is_built_anew(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("CREATE INDEX orders_customer_idx ON orders (customer_id)")
    shop.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_customer_idx'::regclass")

    shop.apply(INDEX)

    assert [index.valid for index in shop.table("orders").indexes if index.name == INDEX.name] == [True]


def test_a_limit_of_the_role_does_not_leave_an_invalid_index_and_stays(postgres_shop: Shop) -> None:
    shop = postgres_shop
    database = shop.value("SELECT current_database()")
    shop.execute(f'ALTER DATABASE "{database}" SET lock_timeout = 77')

    shop.apply(INDEX)

    assert index_names(shop) == ["orders_customer_idx"]
    assert shop.value("SHOW lock_timeout") == "77ms"
