"""Migrations are applied once, one run at a time, and can be stopped anywhere."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from integrity.database.session import Target
from integrity.exceptions import (
    CatalogError,
    CatalogMissing,
    MissingPrivilege,
    RepairRunning,
    SchemaFixRefused,
    TargetBusy,
)
from integrity.operations import AddForeignKey, AddIndex, ValidateForeignKey, lock
from integrity.operations.catalog_migrations import foreign_keys_made_by, migration_before
from integrity.operations.executor import StepEvent, StepState
from integrity.operations.ledger import unrecord_validations
from integrity.operations.migration_states import migration_status
from tests.operations.conftest import KEY, ORPHANS, Shop
from tests.servers import RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")


@pytest.fixture
def planned(shop: Shop) -> Shop:
    """A shop with one migration a phase."""
    shop.migration("0001_indexes", INDEX, phase=1)
    shop.migration("0002_foreign_keys", AddForeignKey(**KEY), phase=2)
    shop.migration("0003_validate", ValidateForeignKey(**KEY), phase=3)
    return shop


def states(shop: Shop) -> str:
    """Return the states of all migrations by their first letters."""
    return "".join(str(each.state)[0] for each in migration_status(Target(shop.alias)))


def test_all_phases_are_applied_timed_and_reported_in_order(planned: Shop) -> None:
    told: list[StepEvent] = []

    result = planned.run(on_step=told.append)

    assert [(step.name[:4], step.state, step.phase) for step in result.steps] == [
        ("0001", StepState.APPLIED, 1),
        ("0002", StepState.APPLIED, 2),
        ("0003", StepState.APPLIED, 3),
    ]
    assert [step.state for step in told] == [StepState.STARTED, StepState.APPLIED] * 3
    assert [(step.number, step.total) for step in result.steps] == [(1, 3), (2, 3), (3, 3)]
    assert result.seconds > 0
    assert states(planned) == "aaa"
    assert migration_status(Target(planned.alias))[0].applied_at is not None


def test_phases_are_applied_one_by_one(planned: Shop) -> None:
    assert states(planned) == "ppp"
    planned.run(phase=1)
    assert states(planned) == "app"
    planned.run(phase=2)
    assert states(planned) == "aap"
    assert planned.run(phase=2).steps == ()
    planned.run(phase=3)
    assert states(planned) == "aaa"


def test_it_goes_to_a_migration_forwards_and_backwards(planned: Shop) -> None:
    before = planned.fingerprint()

    planned.run(to="0002")
    assert states(planned) == "aap"
    planned.run()
    result = planned.run(to="0001_indexes")
    assert [(step.name[:4], step.state) for step in result.steps] == [
        ("0003", StepState.REVERSED),
        ("0002", StepState.REVERSED),
    ]
    assert states(planned) == "app"
    planned.run(to="zero")

    assert states(planned) == "ppp"
    assert planned.fingerprint() == before


def test_a_plan_changes_nothing(planned: Shop) -> None:
    before = planned.schema().fingerprint()

    result = planned.run(plan_only=True)

    assert [step.state for step in result.steps] == [StepState.PLANNED] * 3
    assert planned.schema().fingerprint() == before


def test_the_sql_is_shown_without_being_run(planned: Shop) -> None:
    planned.execute(ORPHANS)

    sql = "\n".join(planned.run(with_sql=True).sql)

    assert 'CONSTRAINT "fk_orders_customer" FOREIGN KEY ("customer_id") REFERENCES' in sql
    assert "INDEX" in sql
    assert states(planned) == "ppp"


def test_what_it_shows_can_be_run_as_a_script(planned: Shop) -> None:
    statements = [line for line in planned.run(with_sql=True).sql if not line.startswith("--")]
    if planned.sqlite:
        planned.execute("\n".join(statements))
    else:
        for statement in statements:
            if statement not in ("BEGIN;", "COMMIT;") and "SET LOCAL" not in statement:
                planned.execute(statement)

    assert [key.name for key in planned.table("orders").foreign_keys] == ["fk_orders_customer"]
    planned.run()
    assert states(planned) == "aaa"


def test_a_failure_is_reported_with_its_text_and_what_was_done_stands(planned: Shop) -> None:
    planned.execute(ORPHANS)
    told: list[StepEvent] = []

    with pytest.raises(SchemaFixRefused):
        planned.run(on_step=told.append)

    assert told[-1].state is StepState.FAILED
    assert "2 rows break" in told[-1].error
    assert "integrity_cleanup" in told[-1].error
    assert states(planned) == "aap"
    planned.execute("DELETE FROM orders WHERE customer_id > 2")
    planned.run()
    assert states(planned) == "aaa"


def test_a_run_that_was_interrupted_goes_on_where_it_stopped(planned: Shop) -> None:
    def interrupt(step: StepEvent) -> None:
        if step.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        planned.run(on_step=interrupt)

    assert connections["target"].connection is None
    assert states(planned) == "app"
    planned.run()
    assert states(planned) == "aaa"


def test_an_interruption_within_a_migration_leaves_nothing_half_done(
    planned: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AddForeignKey, "made", interrupted)
        with pytest.raises(KeyboardInterrupt):
            planned.run()

    assert planned.table("orders").foreign_keys == ()
    assert connections["target"].connection is None
    planned.run()
    assert states(planned) == "aaa"


def test_two_runs_at_once_do_each_thing_once(planned: Shop) -> None:
    together = threading.Barrier(2)

    def run() -> int:
        together.wait()
        return len(planned.run().steps)

    with ThreadPoolExecutor(2) as pool:
        counts = sorted(each.result() for each in [pool.submit(run), pool.submit(run)])

    assert counts == [0, 3]
    assert states(planned) == "aaa"


def test_a_second_run_does_not_wait_forever(planned: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)
    target = Target(planned.alias)

    with target.engine.hold_target(target, "migrate"), pytest.raises(RepairRunning, match="Another process"):
        planned.run()

    assert states(planned) == "ppp"


def test_within_a_transaction_it_is_refused(planned: Shop) -> None:
    with transaction.atomic(using="target"):
        with pytest.raises(SchemaFixRefused, match="cannot run within a transaction"):
            planned.run()
        assert connections["target"].connection is not None


def test_without_migrations_it_says_how_to_make_them(shop: Shop) -> None:
    with pytest.raises(CatalogMissing, match="integrity_makemigrations target"):
        shop.run()


def test_a_name_that_is_none_is_answered_with_those_there_are(planned: Shop) -> None:
    with pytest.raises(CatalogError, match="0001_indexes, 0002_foreign_keys, 0003_validate, and zero"):
        planned.run(to="0009")


def test_a_migration_whose_file_is_gone_is_unknown(planned: Shop, catalog_root: Path) -> None:
    planned.run()
    (catalog_root / "target/migrations/0003_validate.py").unlink()

    assert states(planned) == "aau"


def test_a_file_that_cannot_be_read_is_named(planned: Shop, catalog_root: Path) -> None:
    (catalog_root / "target/migrations/0004_broken.py").write_text("import nothing_of_that_name")

    with pytest.raises(CatalogError, match="0004_broken"):
        planned.run()


def test_it_is_known_which_migration_made_a_foreign_key(planned: Shop) -> None:
    made = foreign_keys_made_by(planned.alias)

    assert made == {("orders", "fk_orders_customer"): "0002_foreign_keys"}
    assert migration_before(planned.alias, "0002_foreign_keys") == "0001_indexes"
    assert migration_before(planned.alias, "0001_indexes") == "zero"


def test_another_alias_can_use_the_catalog(planned: Shop, catalog_root: Path) -> None:
    (catalog_root / "target").rename(catalog_root / "original")
    for file in (catalog_root / "original/migrations").glob("0*.py"):
        file.write_text(
            file.read_text().replace("catalog_target", "catalog_original").replace("'target'", "'original'")
        )
    connections.databases["target"]["CATALOG"] = "original"

    planned.run()

    assert states(planned) == "aaa"
    assert planned.table("orders").foreign_keys != ()


def test_a_key_that_a_rollback_unvalidated_is_pending_again(planned: Shop) -> None:
    planned.run()
    if not planned.sqlite:
        planned.execute(
            "ALTER TABLE orders DROP CONSTRAINT fk_orders_customer; ALTER TABLE orders ADD CONSTRAINT "
            "fk_orders_customer FOREIGN KEY (customer_id) REFERENCES customers ON DELETE SET NULL NOT VALID"
        )

    assert unrecord_validations(Target("target"), ["fk_orders_customer"]) == ["0003_validate"]
    assert states(planned) == "aap"
    assert unrecord_validations(Target("target"), ["fk_orders_customer"]) == []
    planned.run()

    assert planned.table("orders").foreign_keys[0].validated
    assert unrecord_validations(Target("target"), ["fk_of_nobody"]) == []


def test_a_key_to_be_validated_at_once_that_stands_unvalidated_is_validated(shop: Shop) -> None:
    shop.apply(AddForeignKey(**KEY))
    shop.apply(AddForeignKey(**KEY, validated=True))
    assert shop.table("orders").foreign_keys[0].validated


def test_reversing_what_somebody_dropped_meanwhile_does_nothing(planned: Shop) -> None:
    planned.run()
    planned.execute("DROP TABLE orders")

    planned.run(to="zero")

    assert states(planned) == "ppp"


def test_a_locked_file_is_left_alone_before_the_ledger_is_made(sqlite_shop: Shop, sqlite_path: Path) -> None:
    sqlite_shop.migration("0001_indexes", INDEX)
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(TargetBusy, match="locked by another connection"):
            sqlite_shop.run()

    assert states(sqlite_shop) == "p"
    sqlite_shop.run()
    assert states(sqlite_shop) == "a"


def test_a_file_that_may_not_even_be_read_says_that_it_is_locked(
    sqlite_shop: Shop, sqlite_path: Path
) -> None:
    sqlite_shop.migration("0001_indexes", INDEX)
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        for look in (sqlite_shop.run, partial(migration_status, sqlite_shop.target)):
            with pytest.raises(TargetBusy, match="locked by another connection"):
                look()


def test_a_role_that_may_not_change_the_structure_is_told_so(postgres_shop: Shop) -> None:
    shop = postgres_shop
    shop.migration("0001_indexes", INDEX)
    shop.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    try:
        settings = connections.databases["target"]
        settings["USER"], settings["PASSWORD"] = "reader", "reader"
        with pytest.raises(MissingPrivilege, match="permission denied"):
            shop.run()
    finally:
        shop.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_indexes_are_built_past_a_pooler(
    planned: Shop, register_target: RegisterTarget, settings: Any
) -> None:
    register_target("direct", planned.target.url)
    settings.INTEGRITY = settings.INTEGRITY | {"DIRECT": {"target": "direct"}}
    connections.databases["target"]["NAME"] = "nothing is here"

    planned.run()

    assert states(planned) == "aaa"
    with Target("direct").reading() as session:
        assert len(list(session.schema().foreign_keys())) == 1


def test_migrations_of_another_target_are_refused(planned: Shop, catalog_root: Path) -> None:
    for file in (catalog_root / "target/migrations").glob("0*.py"):
        file.write_text(file.read_text().replace("target = 'target'", "target = 'shop'"))

    with pytest.raises(CatalogError, match="0001_indexes is a migration of shop, not of target"):
        planned.run()

    assert states(planned) == "ppp"
