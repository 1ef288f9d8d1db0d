"""Foreign keys bind new rows at once, and leave old ones alone until they are validated."""

import re
import sqlite3

import psycopg
import pytest

from integrity.exceptions import SchemaFixRefused, UnknownTable
from integrity.operations import AddForeignKey, ValidateForeignKey
from tests.operations.conftest import KEY, ORPHANS, Shop

REFUSED = (psycopg.errors.ForeignKeyViolation, sqlite3.IntegrityError)


def insert_orphan(shop: Shop) -> None:
    """Insert an order of a customer who is not there, on a connection that enforces."""
    shop.execute(
        ("PRAGMA foreign_keys = ON;" if shop.sqlite else "")
        + "INSERT INTO orders (id, customer_id) VALUES (99, 999);"
    )


def test_a_foreign_key_refuses_new_orphans_and_keeps_the_old_ones(shop: Shop) -> None:
    shop.execute(ORPHANS)

    shop.apply(AddForeignKey(**KEY))

    with pytest.raises(REFUSED):
        insert_orphan(shop)
    assert shop.value("SELECT count(*) FROM orders WHERE customer_id > 2") == 2
    key = shop.table("orders").foreign_keys[0]
    assert (key.name, str(key.on_delete)) == ("fk_orders_customer", "SET NULL")
    assert key.validated is shop.sqlite


def test_old_orphans_can_still_be_changed_on_postgresql(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute(ORPHANS)
    shop.apply(AddForeignKey(**KEY))

    shop.execute("UPDATE orders SET status = 'late' WHERE id = 10")


def test_a_second_run_does_nothing(shop: Shop) -> None:
    shop.apply(AddForeignKey(**KEY))

    assert shop.run().steps == ()


def test_an_operation_that_ran_without_being_recorded_may_run_again(shop: Shop) -> None:
    shop.apply(AddForeignKey(**KEY))
    shop.execute("DELETE FROM django_migrations")

    assert len(shop.run().steps) == 1
    shop.run(to="zero")
    assert shop.table("orders").foreign_keys == ()


def test_the_reverse_leaves_the_structure_as_it_was(shop: Shop) -> None:
    shop.execute(ORPHANS)
    before = shop.fingerprint()
    definition = shop.table("orders").definition

    shop.apply(AddForeignKey(**KEY))
    assert shop.fingerprint() != before
    shop.run(to="zero")

    assert shop.fingerprint() == before
    assert shop.table("orders").definition == definition


def test_a_foreign_key_that_says_the_same_is_adopted_and_survives_the_reverse(shop: Shop) -> None:
    shop.execute("DROP TABLE orders")
    shop.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, "
        "CONSTRAINT theirs FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL)"
    )

    shop.apply(AddForeignKey(**KEY), ValidateForeignKey(**KEY))
    assert [key.name for key in shop.table("orders").foreign_keys] == ["theirs"]
    shop.run(to="zero")

    assert [key.name for key in shop.table("orders").foreign_keys] == ["theirs"]
    assert shop.table("orders").foreign_keys[0].validated


def test_one_that_bears_the_name_already_is_adopted_too(shop: Shop) -> None:
    shop.execute("DROP TABLE orders")
    shop.execute(
        "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, CONSTRAINT fk_orders_customer "
        "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL)"
    )

    shop.apply(AddForeignKey(**KEY))
    shop.run(to="zero")

    assert len(shop.table("orders").foreign_keys) == 1


@pytest.mark.parametrize("name", ["fk_orders_customer", "theirs"])
def test_another_foreign_key_in_its_place_stops_the_migration_with_the_difference(
    shop: Shop, name: str
) -> None:
    shop.execute("DROP TABLE orders")
    shop.execute(
        f"CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, CONSTRAINT {name} "
        "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE)"
    )

    with pytest.raises(SchemaFixRefused, match="on delete is CASCADE, not SET NULL"):
        shop.apply(AddForeignKey(**KEY))


def test_columns_that_are_no_key_cannot_be_referenced(shop: Shop) -> None:
    with pytest.raises(SchemaFixRefused, match=re.escape("customers.code is no key")):
        shop.apply(AddForeignKey(**{**KEY, "to_columns": ("code",)}))


def test_set_null_on_a_column_that_cannot_be_null_is_refused(shop: Shop) -> None:
    with pytest.raises(SchemaFixRefused, match=re.escape("orders.total is NOT NULL")):
        shop.apply(AddForeignKey(**{**KEY, "columns": ("total",)}))


def test_types_that_cannot_be_compared_are_refused(postgres_shop: Shop) -> None:
    shop = postgres_shop
    with pytest.raises(SchemaFixRefused, match="cannot be implemented"):
        shop.apply(AddForeignKey(**{**KEY, "columns": ("status",)}))


def test_a_table_that_is_not_there_is_named_with_the_nearest(shop: Shop) -> None:
    with pytest.raises(UnknownTable, match=re.escape("Did you mean orders?")):
        shop.apply(AddForeignKey(**{**KEY, "table": "order"}))


def test_a_view_cannot_be_referenced(shop: Shop) -> None:
    shop.execute("CREATE VIEW people AS SELECT id FROM customers")

    with pytest.raises(SchemaFixRefused, match="people is a view"):
        shop.apply(AddForeignKey(**{**KEY, "to": "people"}))


def test_validating_meets_orphans_with_their_number_and_the_command(shop: Shop) -> None:
    shop.execute(ORPHANS)
    shop.migration("0001_key", AddForeignKey(**KEY), phase=2)
    shop.migration("0002_validate", ValidateForeignKey(**KEY), phase=3)

    with pytest.raises(SchemaFixRefused) as refusal:
        shop.run()

    assert "2 rows break orders.customer_id → customers.id" in str(refusal.value)
    assert "integrity_cleanup target --reference 'orders.customer_id'" in str(refusal.value)


def test_validating_binds_all_rows_and_its_reverse_the_new_ones_again(shop: Shop) -> None:
    shop.migration("0001_key", AddForeignKey(**KEY), phase=2)
    shop.migration("0002_validate", ValidateForeignKey(**KEY), phase=3)

    shop.run()
    assert shop.table("orders").foreign_keys[0].validated
    shop.run(to="0001")

    assert shop.table("orders").foreign_keys[0].validated is shop.sqlite
    assert len(shop.table("orders").foreign_keys) == 1


def test_a_validated_foreign_key_can_be_added_at_once(shop: Shop) -> None:
    shop.apply(AddForeignKey(**KEY, validated=True))
    assert shop.table("orders").foreign_keys[0].validated


def test_a_validated_foreign_key_is_not_added_while_there_are_orphans(shop: Shop) -> None:
    shop.execute(ORPHANS)
    with pytest.raises(SchemaFixRefused, match="2 rows break"):
        shop.apply(AddForeignKey(**KEY, validated=True))


def test_a_foreign_key_that_somebody_dropped_is_missed(shop: Shop) -> None:
    shop.migration("0001_key", AddForeignKey(**KEY), phase=2)
    shop.migration("0002_validate", ValidateForeignKey(**KEY), phase=3)
    shop.run(phase=2)
    if shop.sqlite:
        shop.execute("DROP TABLE orders")
        shop.execute("CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer)")
    else:
        shop.execute("ALTER TABLE orders DROP CONSTRAINT fk_orders_customer")

    with pytest.raises(SchemaFixRefused, match="There is no foreign key fk_orders_customer to validate"):
        shop.run(accept_changes=True)


def test_odd_names_composite_keys_and_self_references_are_no_trouble(empty_shop: Shop) -> None:
    empty_shop.execute(
        'CREATE TABLE "Order %s Details" ("Select" integer, "line""no" integer, "parent 100%%" integer, '
        '"Parent.Line" integer, PRIMARY KEY ("Select", "line""no"))'
    )
    before = empty_shop.fingerprint()

    empty_shop.apply(
        AddForeignKey(
            table='"Order %s Details"',
            columns=("parent 100%%", "Parent.Line"),
            to='"Order %s Details"',
            to_columns=("Select", 'line"no'),
            name='fk "%s" details',
            on_delete="CASCADE",
        )
    )

    key = empty_shop.table('"Order %s Details"').foreign_keys[0]
    assert (key.name, key.columns) == ('fk "%s" details', ("parent 100%%", "Parent.Line"))
    empty_shop.run(to="zero")
    assert empty_shop.fingerprint() == before


def test_tables_of_other_schemas_are_named_with_them(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("CREATE SCHEMA auth; CREATE TABLE auth.orders (id int, owner int)")

    shop.apply(
        AddForeignKey(
            table="auth.orders", columns=("owner",), to="customers", to_columns=("id",), name="fk_owner"
        )
    )

    assert shop.table("auth.orders").foreign_keys[0].name == "fk_owner"
    assert shop.table("orders").foreign_keys == ()
