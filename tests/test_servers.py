"""The databases that tests run on are what they are said to be."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.utils.connection import ConnectionDoesNotExist

from integrity_project.postgres import PostgresServer
from tests.servers import EmptyTarget, MakePostgresDatabase, PostgresServers, RegisterTarget

TABLE = "CREATE TABLE orders (id integer PRIMARY KEY); INSERT INTO orders VALUES (1), (2)"


def count_orders(alias: str) -> int:
    """Count on a connection of one's own, as the product does."""
    own = connections.create_connection(alias)
    try:
        with own.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders")
            return int(cursor.fetchone()[0])
    finally:
        own.close()


def count_orders_through_django(alias: str) -> int:
    """Count on the thread's connection, as migrations do."""
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orders")
            return int(cursor.fetchone()[0])
    finally:
        connections[alias].close()


def test_servers_are_known_newest_first(postgres_servers: PostgresServers) -> None:
    assert list(postgres_servers) == sorted(postgres_servers, reverse=True)


def test_a_server_is_of_the_version_that_it_says(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url()) as session:
        row = session.execute("SHOW server_version_num").fetchone()
    assert row is not None
    assert int(row[0]) // 10_000 == postgres_server.major


def test_a_server_listens_on_its_socket(postgres_server: PostgresServer) -> None:
    with psycopg.connect(
        host=str(postgres_server.socket_dir), port=postgres_server.port, user="postgres"
    ) as session:
        assert session.info.status == psycopg.pq.ConnStatus.OK


@pytest.mark.newest_postgres_only
def test_the_marker_leaves_the_newest_server_alone(
    postgres_server: PostgresServer, newest_postgres: PostgresServer
) -> None:
    assert postgres_server is newest_postgres


def test_each_database_is_a_new_one(
    postgres_server: PostgresServer, make_postgres_database: MakePostgresDatabase
) -> None:
    first, second = make_postgres_database(postgres_server), make_postgres_database(postgres_server)
    assert first != second
    with psycopg.connect(first) as session:
        assert session.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (
            0,
        )


@pytest.mark.parametrize("round_number", [1, 2])
def test_a_database_that_is_used_again_is_empty(
    postgres_server: PostgresServer, make_postgres_database: MakePostgresDatabase, round_number: int
) -> None:
    url = make_postgres_database(postgres_server)
    with psycopg.connect(url, autocommit=True) as session:
        assert session.execute("SELECT to_regnamespace('auth'), to_regclass('orders')").fetchone() == (
            None,
            None,
        )
        session.execute("CREATE SCHEMA auth; CREATE TYPE auth.mood AS ENUM ('sad')")
        session.execute(TABLE)  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [count_orders, count_orders_through_django])
def test_a_target_is_open_without_the_django_db_mark(
    empty_target: EmptyTarget, count: Callable[[str], int]
) -> None:
    empty_target.execute_script(TABLE)
    assert count(empty_target.alias) == 2


@pytest.mark.parametrize("count", [count_orders, count_orders_through_django])
def test_other_threads_see_a_target(empty_target: EmptyTarget, count: Callable[[str], int]) -> None:
    empty_target.execute_script(TABLE)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(count, [empty_target.alias] * 2)) == [2, 2]


def test_a_target_is_empty_at_first(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(TABLE)
    assert empty_target.rows("SELECT id FROM orders ORDER BY id") == [(1,), (2,)]


def test_the_site_stays_closed_to_a_test_of_targets_alone(empty_target: EmptyTarget) -> None:
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()


@pytest.mark.django_db
@pytest.mark.parametrize("count", [count_orders, count_orders_through_django])
def test_target_and_site_can_be_used_together(empty_target: EmptyTarget, count: Callable[[str], int]) -> None:
    empty_target.execute_script(TABLE)
    User.objects.create(username="ada")
    assert count(empty_target.alias) == User.objects.count() + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_number", [1, 2])
def test_committed_site_rows_are_seen_by_threads_and_gone_after_the_test(
    empty_target: EmptyTarget, round_number: int
) -> None:
    empty_target.execute_script(TABLE)
    User.objects.create(username="ada")
    with ThreadPoolExecutor(1) as pool:
        seen = pool.submit(_count_users).result()
    assert (seen, count_orders(empty_target.alias)) == (1, 2)


def test_an_alias_is_gone_after_its_test(sqlite_path: Path, register_target: RegisterTarget) -> None:
    with pytest.raises(ConnectionDoesNotExist):
        connections["target"]
    assert register_target("old", f"sqlite:///{sqlite_path}") == "old"


def test_a_registered_target_has_the_settings_of_the_project(
    empty_target: EmptyTarget,
) -> None:
    settings = connections[empty_target.alias].settings_dict
    assert settings["TEST"]["MIGRATE"] is False
    assert settings["ATOMIC_REQUESTS"] is False
    assert settings["AUTOCOMMIT"] is True
    assert threading.active_count() >= 1


def _count_users() -> int:
    try:
        return User.objects.count()
    finally:
        connection.close()
