"""Uniques are built while others write; duplicates stop them with their number."""

import sqlite3

import psycopg
import pytest

from integrity.exceptions import SchemaFixRefused
from integrity.operations import AddForeignKey, AddUnique
from tests.operations.conftest import KEY, Shop

UNIQUE = AddUnique(table="customers", columns=("code",), name="customers_code_key")
REFUSED = (psycopg.errors.UniqueViolation, sqlite3.IntegrityError)


def test_a_unique_refuses_duplicates_and_can_be_referenced(shop: Shop) -> None:
    before = shop.fingerprint()

    shop.apply(UNIQUE, AddForeignKey(**{**KEY, "to_columns": ("code",)}))
    with pytest.raises(REFUSED):
        shop.execute("INSERT INTO customers (id, code) VALUES (9, 1)")
    shop.run(to="zero")

    assert shop.fingerprint() == before


def test_it_is_a_constraint_on_postgresql(postgres_shop: Shop) -> None:
    postgres_shop.apply(UNIQUE)
    key = postgres_shop.table("customers").key_on(("code",))
    assert key is not None
    assert (key.name, key.constraint) == ("customers_code_key", True)


def test_duplicates_stop_it_with_their_number_and_leave_nothing_behind(shop: Shop) -> None:
    shop.execute("INSERT INTO customers (id, code) VALUES (7, 1), (8, 2), (9, 2)")
    before = shop.fingerprint()

    with pytest.raises(SchemaFixRefused, match=r"2 values of customers\.code stand in 5 rows"):
        shop.apply(UNIQUE)

    assert shop.fingerprint() == before


def test_one_on_the_same_columns_is_adopted_and_survives_the_reverse(shop: Shop) -> None:
    shop.execute("CREATE UNIQUE INDEX theirs ON customers (code)")

    shop.apply(UNIQUE)
    shop.run(to="zero")

    assert shop.table("customers").key_on(("code",)) is not None


def test_a_build_that_ended_before_the_constraint_is_finished(postgres_shop: Shop) -> None:
    postgres_shop.execute("CREATE UNIQUE INDEX customers_code_key ON customers (code)")

    postgres_shop.apply(UNIQUE)

    key = postgres_shop.table("customers").key_on(("code",))
    assert key is not None
    assert key.constraint


def test_another_object_of_the_name_stops_it(shop: Shop) -> None:
    shop.execute("CREATE INDEX customers_code_key ON customers (email)")

    with pytest.raises(SchemaFixRefused, match="There is another index customers_code_key"):
        shop.apply(UNIQUE)


def test_reversing_it_under_a_foreign_key_says_why_not(shop: Shop) -> None:
    shop.apply(UNIQUE)
    shop.execute(
        "CREATE TABLE notes (code integer, "
        "CONSTRAINT fk_notes FOREIGN KEY (code) REFERENCES customers (code))"
    )

    with pytest.raises(SchemaFixRefused, match="fk_notes on notes"):
        shop.run(to="zero")

    assert shop.table("customers").key_on(("code",)) is not None
