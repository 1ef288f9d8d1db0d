"""What became of each step is kept: how long it took, and the whole of what stopped it."""

from typing import Any

import pytest

from integrity import store
from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations import AddForeignKey, AddIndex
from integrity.operations.executor import StepEvent, StepState
from integrity.operations.migration_log import read_log
from integrity.operations.migration_states import migration_status
from integrity.tasks import migrate_and_store
from tests.commands import run, run_json
from tests.operations.conftest import KEY, Shop

pytestmark = [pytest.mark.newest_postgres_only, pytest.mark.django_db]

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")


@pytest.fixture
def failing(shop: Shop) -> Shop:
    """A shop whose second migration is refused by the database in its second operation."""
    shop.migration("0001_indexes", INDEX)
    shop.migration("0002_odd", AddIndex(table="orders", columns=("status",), name="orders_status_idx"))
    file = shop.root / shop.alias / "migrations" / "0002_odd.py"
    odd = "        RunSQL('SELECT nonsense FROM nowhere', ''),\n    ]\n"
    file.write_text(file.read_text().removesuffix("    ]\n") + odd)
    return shop


def test_every_operation_is_timed_and_the_failed_one_says_everything(failing: Shop) -> None:
    told: list[StepEvent] = []

    with pytest.raises(ReferentialIntegrityError):
        failing.run(on_step=told.append)

    done, failed = told[1], told[-1]
    assert [each.error for each in done.operations] == [""]
    assert failed.state is StepState.FAILED
    first, second = failed.operations
    assert first.error == ""
    assert "orders_status_idx" in first.operation
    assert second.statement == "SELECT nonsense FROM nowhere"
    assert "nowhere" in second.error
    if not failing.sqlite:
        assert "LINE 1" in second.error


def test_the_log_has_what_was_applied_what_failed_and_what_was_reversed(failing: Shop) -> None:
    with pytest.raises(ReferentialIntegrityError):
        migrate_and_store(failing.alias, actor="ann")
    migrate_and_store(failing.alias, to="zero", actor="bob")

    newest, failed, first = read_log(Target(failing.alias))

    assert (newest.migration, newest.direction, newest.state) == ("0001_indexes", "backward", "finished")
    assert (failed.migration, failed.state, failed.actor) == ("0002_odd", "failed", "ann")
    assert failed.operations[1]["statement"] == "SELECT nonsense FROM nowhere"
    assert first.operations[0]["error"] == ""
    assert first.started_at <= first.finished_at <= failed.finished_at
    stored = store.runs.migration_runs(failing.alias)
    assert [each.operations for each in stored] == [list(each.operations) for each in (newest, failed, first)]


def test_a_reversal_that_fails_is_recorded(shop: Shop) -> None:
    shop.migration("0001_odd", INDEX)
    file = shop.root / shop.alias / "migrations" / "0001_odd.py"
    odd = "        RunSQL('SELECT 1', 'DROP TABLE nowhere'),\n    ]\n"
    file.write_text(file.read_text().removesuffix("    ]\n") + odd)
    migrate_and_store(shop.alias)

    with pytest.raises(ReferentialIntegrityError):
        migrate_and_store(shop.alias, to="zero")

    entry = read_log(Target(shop.alias), "0001_odd")[0]
    assert (entry.direction, entry.state) == ("backward", "failed")
    assert entry.operations[0]["statement"] == "DROP TABLE nowhere"


def test_the_list_says_how_long_each_took_and_which_failed(failing: Shop) -> None:
    with pytest.raises(ReferentialIntegrityError):
        migrate_and_store(failing.alias)

    first, second = migration_status(Target(failing.alias))

    assert first.seconds is not None
    assert first.error == ""
    assert "nowhere" in second.error
    listed = run("migrate", failing.alias, "--list").out
    assert "0002_odd failed when it was last run" in listed
    assert f"integrity_log {failing.alias} --migration 0002_odd" in listed


def test_one_migration_is_shown_with_its_operations(failing: Shop) -> None:
    with pytest.raises(ReferentialIntegrityError):
        migrate_and_store(failing.alias)

    shown = run("log", failing.alias, "--migration", "0002_odd").out
    data = run_json("log", failing.alias, "--migration", "0002_odd")

    assert "SELECT nonsense FROM nowhere" in shown
    assert data["migrations"][0]["operations"][1]["statement"] == "SELECT nonsense FROM nowhere"


def test_a_migration_that_was_not_run_yet_is_told_from_a_name_that_none_has(failing: Shop) -> None:
    waits = run("log", failing.alias, "--migration", "0002_odd")
    unknown = run("log", failing.alias, "--migration", "0002_od")
    far = run("log", failing.alias, "--migration", "nonsense")

    assert (waits.code, unknown.code, far.code) == (0, 2, 2)
    assert "nothing of it" in waits.out
    assert "No migration is called '0002_od'" in unknown.err
    assert "Did you mean 0002_odd?" in unknown.err
    assert "Known are: 0001_indexes, 0002_odd." in far.err


def test_a_site_that_is_out_of_reach_loses_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.migration("0001_indexes", INDEX)

    def out_of_reach(*_: Any, **__: Any) -> None:
        raise ReferentialIntegrityError("The site's own database cannot be used")

    monkeypatch.setattr(store, "store_migration_step", out_of_reach)

    result = migrate_and_store(shop.alias)

    assert [step.state for step in result.steps] == [StepState.APPLIED]
    assert "cannot be used" in result.notes[0]
    assert [each.migration for each in read_log(Target(shop.alias))] == ["0001_indexes"]


def test_what_nothing_can_record_is_an_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.migration("0001_key", AddForeignKey(**KEY))

    def out_of_reach(*_: Any, **__: Any) -> None:
        raise ReferentialIntegrityError("out of reach")

    monkeypatch.setattr(store, "store_migration_step", out_of_reach)
    monkeypatch.setattr("integrity.tasks.migrating.log_steps", out_of_reach)

    with pytest.raises(ReferentialIntegrityError, match="out of reach"):
        migrate_and_store(shop.alias)
