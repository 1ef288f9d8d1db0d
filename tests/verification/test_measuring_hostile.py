"""Measuring on a live target: without rights, behind locks, beside writers, and with queries that misbehave."""

import sqlite3
import threading
import time
from contextlib import closing

import psycopg
import pytest

from integrity.database.session import Target
from integrity.exceptions import TimedOut
from integrity.verification import QueryMeasurement, measuring
from integrity.verification.measuring import measure
from integrity_project.postgres import PostgresServer
from integrity_project.targets import database_settings
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget, MakePostgresDatabase, RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

ORDERS = """
CREATE TABLE orders (id integer PRIMARY KEY, customer integer);
INSERT INTO orders VALUES (1, 1), (2, 2), (3, NULL);
"""
QUERY = """
[[query]]
name = "orders"
sql = "SELECT * FROM orders WHERE id = :id"
parameters = { id = "SELECT id FROM orders ORDER BY id" }
table = "orders"
"""


@pytest.fixture(autouse=True)
def fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "ROUNDS", 30)


def measured(lend_catalog: LendCatalog, text: str = QUERY, seconds: float = 10.0) -> QueryMeasurement:
    (one,) = measure(Target("target"), lend_catalog(text), seconds=seconds).queries
    return one


def test_a_table_that_may_not_be_read_is_a_gap_with_the_right_that_is_needed(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    lend_catalog: LendCatalog,
) -> None:
    url = make_postgres_database(postgres_server)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ORDERS.encode())
        connection.execute("CREATE ROLE nosy LOGIN")
        try:
            register_target("target", url.replace("://postgres@", "://nosy@"))
            found = measured(lend_catalog)
        finally:
            connection.execute("DROP ROLE nosy")
    assert "orders" in found.error
    assert found.runs == 0


def test_a_locked_table_does_not_hold_measuring_up_for_ever(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    lend_catalog: LendCatalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measuring, "OPENING_SECONDS", 1.0)
    url = make_postgres_database(postgres_server)
    register_target("target", url)
    with psycopg.connect(url) as holder:
        holder.execute(ORDERS.encode())
        holder.commit()
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(TimedOut):
            measured(lend_catalog)
        holder.rollback()
    assert time.monotonic() - began < 60


def test_a_query_cannot_write_by_a_function(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    lend_catalog: LendCatalog,
) -> None:
    url = make_postgres_database(postgres_server)
    register_target("target", url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(ORDERS.encode())
        connection.execute(
            "CREATE FUNCTION gone() RETURNS bigint LANGUAGE sql AS 'DELETE FROM orders; SELECT 1::bigint'"
        )
        found = measured(lend_catalog, QUERY.replace("SELECT * FROM", "SELECT gone(), * FROM"))
        left = connection.execute("SELECT count(*) FROM orders").fetchone()
    assert "read-only" in found.error
    assert left == (3,)


def test_nothing_of_a_measuring_is_left_in_the_target(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    with Target("target").reading() as session:
        before = session.schema().fingerprint()
    assert measured(lend_catalog).error == ""
    with Target("target").reading() as session:
        assert session.schema().fingerprint() == before
    empty_target.execute_script("DROP TABLE orders")


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_writers_go_on_beside_measuring(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, mode: str
) -> None:
    if empty_target.vendor != SQLITE:
        return  # readers never block writers there
    empty_target.execute_script(f"PRAGMA journal_mode = {mode};" + ORDERS)
    written, stop = [], threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database_settings(empty_target.url)["NAME"], timeout=60)) as connection:
            while not stop.is_set():
                connection.execute("UPDATE orders SET customer = 5 WHERE id = 3")
                connection.commit()
                written.append(1)
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = measured(lend_catalog)
    finally:
        stop.set()
        writer.join()
    assert found.error == ""
    assert found.runs == 30
    assert written


def test_a_table_without_statistics_rows_or_keys_is_measured(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script("CREATE TABLE bare (a integer); CREATE TABLE orders (id integer)")
    found = measured(lend_catalog, '[[query]]\nname = "bare"\nsql = "SELECT * FROM bare"\nafter = "scan"')
    assert (found.error, found.rows, found.runs) == ("", 0.0, 30)


def test_any_number_of_seconds_will_do(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(ORDERS)
    assert measured(lend_catalog, seconds=1e12).error == ""
