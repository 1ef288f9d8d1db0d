"""Others go on writing while a structure changes; nobody waits long for anybody."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from integrity.exceptions import SchemaFixRefused, TargetBusy
from integrity.operations import AddForeignKey, AddIndex, AddUnique, ValidateForeignKey, add_unique
from tests.operations.conftest import KEY, Shop
from tests.waiting import until

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")
WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
"""


@contextmanager
def held(shop: Shop, statement: str) -> Iterator[psycopg.Connection]:
    """Keep a transaction open that has run a statement."""
    with psycopg.connect(shop.target.url) as connection:
        connection.execute(statement)
        yield connection
        connection.rollback()


@contextmanager
def writers(shop: Shop) -> Iterator[list[str]]:
    """Insert and update all the time; gives the errors that were met."""
    errors: list[str] = []
    done = threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(shop.target.url, autocommit=True) as connection:
            while not done.is_set():
                number += 2
                try:
                    connection.execute("INSERT INTO orders (id, customer_id) VALUES (%s, 1)", [number])
                    connection.execute("UPDATE orders SET total = total + 1 WHERE id = %s", [number])
                except psycopg.Error as error:
                    errors.append(str(error))

    threads = [threading.Thread(target=write, args=[start]) for start in (1000, 1001)]
    for thread in threads:
        thread.start()
    yield errors
    done.set()
    for thread in threads:
        thread.join()


def test_everything_is_added_and_reversed_while_others_write(postgres_shop: Shop) -> None:
    shop = postgres_shop
    before = shop.fingerprint()

    with writers(shop) as errors:
        shop.apply(
            INDEX,
            AddUnique(table="customers", columns=("code",), name="customers_code_key"),
            AddForeignKey(**KEY),
            ValidateForeignKey(**KEY),
        )
        shop.run(to="zero")

    assert errors == []
    assert shop.value("SELECT count(*) FROM orders") > 3
    assert shop.fingerprint() == before


def test_a_foreign_key_gives_up_soon_where_somebody_holds_a_lock(postgres_shop: Shop) -> None:
    shop = postgres_shop
    busy = pytest.raises(TargetBusy, match="A lock was not granted")
    with held(shop, "UPDATE orders SET total = 1 WHERE id = 1"), busy:
        shop.apply(AddForeignKey(**KEY))

    assert shop.table("orders").foreign_keys == ()
    shop.run()
    assert len(shop.table("orders").foreign_keys) == 1


def test_it_is_tried_again_until_the_lock_is_free(postgres_shop: Shop, settings: Any) -> None:
    settings.INTEGRITY |= {"LOCK_TIMEOUT_MS": 100, "LOCK_ATTEMPTS": 500}
    shop = postgres_shop
    with held(shop, "UPDATE orders SET total = 1 WHERE id = 1") as other:
        threading.Timer(0.45, other.commit).start()
        shop.apply(AddForeignKey(**KEY))

    assert len(shop.table("orders").foreign_keys) == 1


def test_while_it_waits_for_a_lock_others_wait_no_longer_than_the_limit(postgres_shop: Shop) -> None:
    shop = postgres_shop

    def give_up() -> None:
        with pytest.raises(TargetBusy):
            shop.apply(AddForeignKey(**KEY))

    with held(shop, "UPDATE orders SET total = 1 WHERE id = 1"):
        runner = threading.Thread(target=give_up)
        runner.start()
        until(lambda: not runner.is_alive() or shop.value(WAITING))
        shop.execute("INSERT INTO orders (id, customer_id) VALUES (500, 1)")
        runner.join()


def test_building_an_index_does_not_hang_behind_an_old_transaction(postgres_shop: Shop) -> None:
    shop = postgres_shop
    with held(shop, "UPDATE orders SET total = 1 WHERE id = 1"):
        time.sleep(2.1)
        with pytest.raises(TargetBusy, match=r"would wait for a transaction open for \d+ s \(process"):
            shop.apply(INDEX)

    assert all(index.valid for index in shop.table("orders").indexes)
    shop.run()
    assert any(index.name == INDEX.name for index in shop.table("orders").indexes)


def test_idle_transactions_that_hold_nothing_are_not_waited_for(postgres_shop: Shop) -> None:
    with held(postgres_shop, "SELECT pg_advisory_xact_lock(1)"):
        time.sleep(2.1)
        postgres_shop.apply(INDEX)


UNIQUE = AddUnique(table="customers", columns=("code",), name="customers_code_key")


@pytest.mark.parametrize("more", [{}, {"where": "code > 0"}], ids=["a constraint", "an index"])
def test_duplicates_that_appear_while_a_unique_is_built_leave_nothing_behind(
    postgres_shop: Shop, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    shop = postgres_shop
    original = add_unique.refuse_duplicates
    calls: list[int] = []

    def duplicate_after(*arguments: object) -> None:
        original(*arguments)  # type: ignore[arg-type]
        if not calls:
            calls.append(1)
            shop.execute("INSERT INTO customers (id, code) VALUES (77, 1)")

    before = shop.fingerprint()
    monkeypatch.setattr(add_unique, "refuse_duplicates", duplicate_after)
    with pytest.raises(SchemaFixRefused, match=r"1 value of customers\.code stands in 2 rows: 1 in 2 rows"):
        shop.apply(AddUnique(table="customers", columns=("code",), name="customers_code_key", **more))
    assert shop.fingerprint() == before

    shop.execute("DELETE FROM customers WHERE id = 77")
    shop.run()
    assert shop.table("customers").index("customers_code_key") is not None


def test_a_unique_stands_in_the_end_whatever_writers_do_meanwhile(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.execute("INSERT INTO customers (id, code) SELECT n, n FROM generate_series(10, 60000) n")
    shop.migration("0001_unique", UNIQUE)

    with duplicating(shop) as (inserted, errors, quiet):
        for times in range(5):
            try:
                shop.run()
                break
            except SchemaFixRefused:
                assert all(index.valid for index in shop.table("customers").indexes)
                if times == 3:  # a slow machine builds no index between two of them
                    with quiet:
                        shop.execute("DELETE FROM customers WHERE id >= 100000")
                        shop.run()
                    break
                shop.execute("DELETE FROM customers WHERE id >= 100000")
        wanted = len(inserted) + len(errors) + 2
        until(lambda: len(inserted) + len(errors) >= wanted)

    key = shop.table("customers").key_on(("code",))
    assert key is not None
    assert key.constraint
    assert errors
    assert all("customers_code_key" in each for each in errors)
    assert shop.value("SELECT count(*) - count(DISTINCT code) FROM customers") == 0


@contextmanager
def duplicating(shop: Shop) -> Iterator[tuple[list[int], list[str], threading.Lock]]:
    """Insert codes that are there already, now and then; gives what was taken, what was refused, and what
    keeps it from that."""
    inserted: list[int] = []
    errors: list[str] = []
    done, quiet = threading.Event(), threading.Lock()

    def write() -> None:
        with psycopg.connect(shop.target.url, autocommit=True) as connection:
            number = 100_000
            while not done.wait(0.4):
                number += 1
                try:
                    with quiet:
                        connection.execute("INSERT INTO customers (id, code) VALUES (%s, 11)", [number])
                    inserted.append(number)
                except psycopg.errors.UniqueViolation as error:
                    errors.append(str(error))

    thread = threading.Thread(target=write)
    thread.start()
    yield inserted, errors, quiet
    done.set()
    thread.join()
