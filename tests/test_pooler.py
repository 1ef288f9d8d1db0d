"""Everything works through a PgBouncer in transaction mode, and nothing stays behind in its connections."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from integrity.audit import audit
from integrity.database.session import Target
from integrity.exceptions import RepairRunning, SchemaFixRefused, TargetBusy, TargetUnreachable
from integrity.operations import AddForeignKey, AddIndex, ValidateForeignKey
from integrity.repairs import State
from integrity.verification.measuring import measure
from integrity_project.postgres import PostgresServer
from tests.catalogs import LendCatalog
from tests.commands import run, run_json
from tests.operations.conftest import KEY, ORPHANS, SHOP, Shop
from tests.pgbouncer import Pooler, StartPooler
from tests.repairs.world import World
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")
REFERENCE = "orders.customer_id -> customers.id CASCADE"
SETTINGS = (
    "lock_timeout", "row_security", "statement_timeout", "search_path", "role",
    "default_transaction_read_only",
    "default_transaction_isolation", "idle_in_transaction_session_timeout", "enable_seqscan", "DateStyle",
    "extra_float_digits", "session_replication_role",
)  # fmt: skip
HELD = """
SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""

pytestmark = pytest.mark.newest_postgres_only


@pytest.fixture
def pooler(start_pooler: StartPooler, postgres_server: PostgresServer) -> Pooler:
    """A pool of two connections: what holds the target and what works on it."""
    return start_pooler(postgres_server, pool_size=2)


@pytest.fixture
def world(
    pooler: Pooler,
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    lend_catalog: LendCatalog,
) -> World:
    """A shop with orphans behind the pool; looked at past it."""
    url = make_postgres_database(postgres_server)
    alias = register_target("target", pooler.url(url))
    target = EmptyTarget(alias, "postgresql", url, postgres_server)
    return World(target, lend_catalog).given(SHOP + ORPHANS, REFERENCE)


@pytest.fixture
def shop(world: World, tmp_path: Path, settings: Any) -> Shop:
    """The same as a target of migrations."""
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path / "catalogs", "LOCK_TIMEOUT_MS": 300, "LOCK_ATTEMPTS": 2}
    return Shop(world.target, tmp_path / "catalogs")


@pytest.fixture
def nothing_is_left(world: World, pooler: Pooler) -> Iterator[None]:
    """Whoever is given the pool's connections next finds them as the server makes them."""
    expected = _settings(world.target.url)
    yield
    with ExitStack() as stack:
        pooled = [stack.enter_context(psycopg.connect(pooler.url(world.target.url))) for _ in range(2)]
        assert len({connection.execute("SELECT pg_backend_pid()").fetchone() for connection in pooled}) == 2
        for connection in pooled:
            assert [connection.execute(f"SHOW {name}".encode()).fetchone() for name in SETTINGS] == expected
            for view in ("pg_prepared_statements", "pg_cursors WHERE name <> ''"):
                assert connection.execute(f"SELECT * FROM {view}".encode()).fetchall() == []
        assert world.value(HELD) == 0


def _settings(url: str) -> list[Any]:
    with psycopg.connect(url) as direct:
        return [direct.execute(f"SHOW {name}".encode()).fetchone() for name in SETTINGS]


@pytest.mark.usefixtures("nothing_is_left")
def test_a_repair_and_its_rollback(world: World) -> None:
    before = world.rows()
    found = audit(Target("target"), world.catalog)
    assert found.coverage.complete
    assert found.coverage.snapshot == "one"
    assert found.with_code("orphaned_rows")[0].rows == 2

    result = world.repair()
    assert result.state == "finished"
    assert not audit(Target("target"), world.catalog).with_code("orphaned_rows")
    back = world.roll_back(result.run)
    assert back.proof.rows_equal
    assert back.proof.schema_equal
    assert world.rows() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_is_left")
def test_batches_that_stop_and_go_on(world: World, settings: Any) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 10}
    world.target.execute_script(
        "INSERT INTO orders (id, customer_id) SELECT i, 900 + i FROM generate_series(100, 400) i"
    )
    before, polls = world.rows(), iter([None] * 3)

    stopped = world.repair(stop=lambda: next(polls, State.PAUSED))
    assert stopped.state is State.PAUSED
    left = world.value("SELECT count(*) FROM orders")
    assert 3 < left < 306

    lent = ("--catalog", world.catalog.file)
    assert run("cleanup", "target", *lent, "--resume", stopped.run, "--no-input").code == 0
    assert world.value("SELECT count(*) FROM orders") == 3
    assert world.roll_back(stopped.run).proof.rows_equal
    assert world.rows() == before


@pytest.mark.usefixtures("nothing_is_left")
def test_two_repairs_at_once_exclude_one_another_in_a_pool_of_two(world: World) -> None:
    plan, refused = world.plan(), []

    def second(*_: object) -> None:
        with pytest.raises(RepairRunning):
            world.repair(plan)
        refused.append(True)

    result = world.repair(plan, on_progress=lambda progress: refused or _in_thread(second))

    assert result.state == "finished"
    assert refused


def _in_thread(work: Any) -> bool:
    """While the worker is between two batches its connection is free for somebody else."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(20)
    return not thread.is_alive()


@pytest.mark.usefixtures("nothing_is_left")
def test_a_target_is_held_through_the_pool(world: World) -> None:
    target = Target("target")
    with target.engine.hold_target(target, "repair") as first:
        assert world.value(HELD) == 1
        with target.engine.hold_target(target, "repair", wait=0.5) as second, target.changing() as worker:
            assert (first, second) == (True, False)
            with worker.transaction():
                assert worker.value("SELECT 1") == 1


@pytest.mark.usefixtures("nothing_is_left")
def test_migrations_without_a_direct_alias(shop: Shop) -> None:
    """An index is built concurrently through the pool as well, as long as no setting is in its way."""
    shop.execute("DELETE FROM orders WHERE id > 9")
    shop.migration("0001_indexes", INDEX)
    shop.migration("0002_keys", AddForeignKey(**KEY), phase=2)
    shop.migration("0003_all", ValidateForeignKey(**KEY), phase=3)
    shop.run()
    assert [key.validated for key in shop.schema().foreign_keys()] == [True]
    shop.run(to="zero")
    assert list(shop.schema().foreign_keys()) == []


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_an_index_that_needs_a_setting_of_the_session_needs_a_direct_alias(
    shop: Shop, world: World, register_target: RegisterTarget, settings: Any, limit: str
) -> None:
    shop.migration("0001_indexes", INDEX)
    with psycopg.connect(world.target.url, autocommit=True) as direct:
        role = direct.execute("SELECT current_user").fetchone()[0]  # type: ignore[index]
        name = direct.info.dbname
        direct.execute(f'ALTER ROLE "{role}" IN DATABASE "{name}" SET {limit} = 60000'.encode())
        try:
            with pytest.raises(SchemaFixRefused, match=rf"{limit} is set.*'DIRECT': {{'target'"):
                shop.run()
            assert not shop.table("orders").index_serving(("customer_id",))

            register_target("target_direct", world.target.url)
            settings.INTEGRITY = settings.INTEGRITY | {"DIRECT": {"target": "target_direct"}}
            shop.run()
            assert shop.table("orders").index_serving(("customer_id",))
        finally:
            direct.execute(f'ALTER ROLE "{role}" IN DATABASE "{name}" RESET {limit}'.encode())


@pytest.mark.usefixtures("nothing_is_left")
def test_a_role_that_django_assumes_is_not_left_to_the_next_client(world: World) -> None:
    world.target.execute_script("GRANT SELECT ON orders, customers TO pg_monitor")
    connections.databases["target"]["OPTIONS"]["assume_role"] = "pg_monitor"
    with Target("target").reading() as session:
        assert session.value("SELECT current_user") == "pg_monitor"
        assert session.schema().role == "pg_monitor"
    with pytest.raises(SchemaFixRefused, match=r"assume_role.*'DIRECT'"), Target("target").migrating():
        pass


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_is_left")
def test_every_command(world: World) -> None:
    lent = ("--catalog", world.catalog.file)
    assert run("audit", "target", *lent).code == 1
    planned = run_json("plan", "target", *lent, "--action", "delete")
    done = run_json("cleanup", "target", *lent, "--plan", planned["hash"], "--no-input")
    assert run("verify", "target", *lent).code == 1  # the constraint is missing, and nothing else
    assert run("log", "target").code == 0
    assert run_json("rollback", "target", done["run"], "--no-input")["proof"]["rows_equal"]


@pytest.mark.usefixtures("nothing_is_left")
def test_queries_are_measured(world: World, lend_catalog: LendCatalog) -> None:
    catalog = lend_catalog(
        """
[[query]]
name = "orders"
sql = "SELECT * FROM orders WHERE customer_id = :customer"
parameters = { customer = "SELECT customer_id FROM orders ORDER BY id" }
table = "orders"
"""
    )
    (found,) = measure(Target("target"), catalog, seconds=3.0).queries
    assert found.error == ""
    assert found.runs > 0


@pytest.mark.django_db(transaction=True)
def test_targets_say_what_stands_between(
    world: World, register_target: RegisterTarget, settings: Any
) -> None:
    said = run("targets")
    assert "target stands behind a pooler, and no alias reaches its server directly" in said.out

    register_target("target_direct", world.target.url)
    settings.INTEGRITY = {"DIRECT": {"target": "target_direct"}}
    assert "target stands behind a pooler; target_direct reaches its server" in run("targets").out
    known = {each["target"]: each for each in run("targets", "--format", "json").json}
    assert (known["target"]["pooled"], known["target"]["direct"]) == (True, "target_direct")
    assert (known["target_direct"]["pooled"], known["target_direct"]["direct"]) == (False, "")


def test_a_startup_parameter_that_the_pooler_refuses(world: World) -> None:
    connections.databases["target"]["OPTIONS"]["options"] = "-c search_path=shop"
    refusal = pytest.raises(TargetUnreachable, match=r"parameter options.*ignore_startup_parameters")
    with refusal, Target("target").reading():
        pass


def test_a_pool_without_a_free_connection(world: World) -> None:
    target = Target("target")
    with (
        target.engine.hold_target(target, "one"),
        target.engine.hold_target(target, "two"),
        pytest.raises(TargetBusy, match=r"no connection left.*three or more"),
        target.reading(),
    ):
        pass
