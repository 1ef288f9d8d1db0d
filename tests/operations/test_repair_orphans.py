"""A migration repairs orphans like a command does: journaled, resumable, and back to the last row."""

import time
from typing import Any

import pytest
from django.db import connections

from integrity import models, tasks
from integrity.database.session import Target
from integrity.exceptions import ApprovalNeeded, CatalogError, SchemaFixRefused, UnknownReference
from integrity.operations import AddForeignKey, AddIndex, RepairOrphans, ValidateForeignKey
from integrity.operations.catalog_migrations import catalog_package
from integrity.operations.executor import StepState
from integrity.operations.writer import package_files
from integrity.repairs import State, list_runs
from tests.forking import Process
from tests.operations.conftest import KEY, ORPHANS, Shop
from tests.operations.migrating import start

pytestmark = pytest.mark.newest_postgres_only

INDEX = AddIndex(table="orders", columns=("customer_id",), name="orders_customer_idx")
REPAIR = RepairOrphans(reference="orders.customer_id", action="delete", max_rows=5)
CHANGES_ROWS = "    changes_rows = True\n"
LINES = """
CREATE TABLE order_lines (id integer PRIMARY KEY, order_id integer REFERENCES orders (id) ON DELETE CASCADE);
INSERT INTO order_lines VALUES (1, 1), (2, 10), (3, 10);
"""


def with_migrations(shop: Shop, repair: RepairOrphans = REPAIR) -> Shop:
    """Give the shop the whole way: index, key for new rows, repair, validation."""
    shop.migration("0001_indexes", INDEX, phase=1)
    shop.migration("0002_foreign_keys", AddForeignKey(**KEY), phase=2)
    shop.migration("0003_repair", repair, phase=3, body=CHANGES_ROWS)
    shop.migration("0004_validate", ValidateForeignKey(**KEY), phase=3)
    return shop


@pytest.fixture
def healing(shop: Shop) -> Shop:
    shop.execute(ORPHANS + LINES)
    return with_migrations(shop)


def rows(shop: Shop) -> list[Any]:
    """Return every row of every table."""
    return [
        shop.target.rows(f"SELECT * FROM {table} ORDER BY id")
        for table in ("customers", "orders", "order_lines")
    ]


def runs(shop: Shop) -> list[tuple[str, State]]:
    """Return kind and state of every run, the oldest first."""
    return [(each.kind, each.state) for each in reversed(list_runs(Target(shop.alias)))]


def test_one_file_heals_a_target(healing: Shop) -> None:
    healing.run()

    assert healing.value("SELECT count(*) FROM orders") == 3
    assert healing.value("SELECT count(*) FROM order_lines") == 1
    assert healing.table("orders").foreign_keys[0].validated
    assert runs(healing) == [("migration", State.FINISHED)]
    assert list_runs(Target(healing.alias))[0].actor == "migration 0003_repair"


@pytest.mark.django_db(transaction=True)
def test_a_repair_that_needs_a_second_person_waits_for_their_word(healing: Shop, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    for _ in range(2):
        with pytest.raises(ApprovalNeeded, match="needs the approval of a second person"):
            healing.run()
    assert (healing.value("SELECT count(*) FROM orders"), runs(healing)) == (5, [])

    plan = models.StoredPlan.objects.get()
    assert plan.created_by == "migration 0003_repair"
    tasks.approve_plan(tasks.ask_for_approval(healing.alias, plan.hash, actor="ann").pk, actor="bob")
    healing.run()
    assert (healing.value("SELECT count(*) FROM orders"), len(runs(healing))) == (3, 1)


@pytest.mark.django_db(transaction=True)
def test_a_repair_without_approval_is_noted_with_who_and_why(healing: Shop, settings: Any) -> None:
    settings.INTEGRITY = {**settings.INTEGRITY, "APPROVALS": True}
    with tasks.waived("reviewed", "deployer"):
        healing.run()
    (note,) = models.Approval.objects.all()
    assert (note.state, note.decided_by, note.reason) == ("waived", "deployer", "reviewed")
    assert healing.value("SELECT count(*) FROM orders") == 3


def test_the_reverse_is_exact(healing: Shop) -> None:
    before, structure = rows(healing), healing.fingerprint()
    healing.run()

    result = healing.run(to="zero")

    assert [step.state for step in result.steps] == [StepState.REVERSED] * 4
    assert rows(healing) == before
    assert healing.fingerprint() == structure
    assert runs(healing) == [("migration", State.ROLLED_BACK), ("rollback", State.FINISHED)]


def test_rows_come_back_under_a_key_that_stands(healing: Shop) -> None:
    before = rows(healing)
    healing.run()

    healing.run(to="0002")

    assert rows(healing) == before
    (key,) = healing.table("orders").foreign_keys
    assert healing.sqlite or not key.validated
    healing.run()
    assert healing.value("SELECT count(*) FROM orders") == 3
    assert healing.table("orders").foreign_keys[0].validated


def test_more_rows_than_allowed_stop_it_before_the_first_change(shop: Shop) -> None:
    shop.execute(ORPHANS + LINES)
    with_migrations(shop, RepairOrphans(reference="orders.customer_id", action="delete", max_rows=3))
    before = rows(shop)

    with pytest.raises(SchemaFixRefused) as caught:
        shop.run()

    assert "2 rows break orders.customer_id → customers.id, and 2 rows follow from them" in caught.value.what
    assert "more than max_rows=3" in caught.value.what
    assert "integrity_plan target --reference 'orders.customer_id' --action delete" in caught.value.hint
    assert rows(shop) == before
    assert runs(shop) == []


def test_where_there_is_nothing_to_repair_it_does_nothing(shop: Shop) -> None:
    shop.execute(LINES.replace("(2, 10), (3, 10)", "(2, 2)"))
    before = rows(with_migrations(shop))

    shop.run()
    shop.run(to="zero")

    assert rows(shop) == before
    assert runs(shop) == []


def test_it_may_run_twice_and_its_reverse_takes_back_both(shop: Shop) -> None:
    shop.execute(ORPHANS + LINES)
    before = rows(shop)
    shop.apply(RepairOrphans(reference="orders.customer_id", action="delete", to="customers.id"))
    shop.execute("INSERT INTO orders (id, customer_id) VALUES (12, 92)")
    with connections[shop.alias].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")

    shop.run()
    assert shop.value("SELECT count(*) FROM orders") == 3
    shop.run(to="zero")

    shop.execute("DELETE FROM orders WHERE id = 12")
    assert rows(shop) == before


@pytest.mark.parametrize("action", ["set_null", "reassign"])
def test_rows_that_are_kept_come_back_too(shop: Shop, action: str) -> None:
    shop.execute(ORPHANS + LINES)
    before = rows(shop)
    key = ("1",) if action == "reassign" else ()
    with_migrations(shop, RepairOrphans(reference="orders.customer_id", action=action, key=key))

    shop.run()
    assert shop.value("SELECT count(*) FROM orders") == 5
    shop.run(to="zero")

    assert rows(shop) == before


def test_rows_that_are_refused_stop_it_and_the_others_stay_repaired(shop: Shop) -> None:
    shop.execute(ORPHANS + LINES.replace("CASCADE", "RESTRICT"))
    with_migrations(shop)

    with pytest.raises(SchemaFixRefused, match="1 rows could not be repaired by delete"):
        shop.run()

    assert shop.target.rows("SELECT id FROM orders WHERE id >= 10") == [(10,)]
    shop.execute("DELETE FROM order_lines WHERE order_id = 10")
    shop.run()
    assert shop.target.rows("SELECT id FROM orders WHERE id >= 10") == []


def test_rows_that_changed_since_stop_the_reverse(healing: Shop) -> None:
    healing.run()
    healing.execute("INSERT INTO orders (id, customer_id) VALUES (10, 1)")

    with pytest.raises(
        SchemaFixRefused, match=r"(?s)1 rows of run 1 did not come back.*a row with the same key"
    ):
        healing.run(to="0002")

    healing.execute("DELETE FROM orders WHERE id = 10")
    healing.run(to="0002")
    assert healing.value("SELECT count(*) FROM orders") == 5


def migrating(shop: Shop, how: str, name: str) -> Process:
    """Start migrating in a process of its own."""
    return start(shop.target.url, shop.root, how, name)


def finish(process: Process) -> None:
    """Wait for a process that must succeed."""
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def killed(shop: Shop, how: str) -> int:
    """Kill a process in the middle of its repair; returns how many orphans are left."""
    process = migrating(shop, how, "0003")
    count = "SELECT count(*) FROM orders WHERE customer_id > 90"
    whole, until = shop.value(count), time.monotonic() + 60
    while shop.value(count) == whole and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    return int(shop.value(count))


@pytest.mark.parametrize("how", ["own", "plain"])
def test_a_killed_process_goes_on_at_the_next_migrate_and_back_to_the_last_row(shop: Shop, how: str) -> None:
    shop.execute(LINES.replace("(2, 10), (3, 10)", "(2, 2)"))
    numbers = "WITH RECURSIVE s(n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM s WHERE n < 899) SELECT n"
    shop.execute(f"INSERT INTO orders (id, customer_id) {numbers}, n FROM s")
    shop.execute(f"INSERT INTO order_lines (id, order_id) {numbers}, n FROM s")
    shop.migration("0001_indexes", INDEX)
    if shop.sqlite:  # Django's own migrate refuses a SQLite file with a key that its rows break
        shop.migration(
            "0002_lines", AddIndex(table="order_lines", columns=("order_id",), name="lines_order_idx")
        )
    else:
        shop.migration("0002_foreign_keys", AddForeignKey(**KEY))
    repair = RepairOrphans(reference="orders.customer_id", action="delete", to="customers.id")
    shop.migration("0003_repair", repair, phase=3, body=CHANGES_ROWS)
    for file in package_files(catalog_package(shop.alias)):
        file.path.write_text(file.text)
    before = rows(shop)

    left = killed(shop, how)
    assert 0 < left < 800
    assert runs(shop) == [("migration", State.INTERRUPTED)]
    finish(migrating(shop, how, "0003"))

    assert runs(shop) == [("migration", State.FINISHED)]
    assert shop.value("SELECT count(*) FROM orders") == 3
    finish(migrating(shop, "own", "0002"))
    assert rows(shop) == before


def test_an_unknown_reference_or_action_is_answered(shop: Shop) -> None:
    with pytest.raises(UnknownReference, match=r"no reference orders\.customer_id"):
        shop.apply(REPAIR)
    with pytest.raises(ValueError, match="shred"):
        RepairOrphans(reference="orders.customer_id", action="shred")


def test_what_it_would_do_is_shown_and_changes_nothing(healing: Shop) -> None:
    shown = "\n".join(healing.run(with_sql=True).sql)

    assert "-- Orphans of orders.customer_id: delete, at most 5 rows" in shown
    assert "integrity_cleanup TARGET --reference 'orders.customer_id' --action delete" in shown
    assert healing.value("SELECT count(*) FROM orders") == 5


def test_the_rows_are_shown_as_a_query_where_the_migration_says_what_they_refer_to(shop: Shop) -> None:
    repair = RepairOrphans(reference="orders.customer_id", action="delete", to="customers.id")
    shop.execute(ORPHANS)

    query = repair.statements(shop.target.vendor)[-1].partition("The rows: ")[2]

    assert [row[0] for row in shop.target.rows(query)] == [10, 11]


def test_the_log_of_the_catalog_is_written(healing: Shop) -> None:
    healing.execute("CREATE TABLE error_logs (kind varchar(80), said text)")
    (healing.root / healing.alias / "catalog.toml").write_text(
        '[log]\ntable = "error_logs"\ncolumns = { type = "kind", message = "said" }\n'
    )

    healing.run()
    healing.run(to="0002")

    kinds = [row[0] for row in healing.target.rows("SELECT DISTINCT kind FROM error_logs ORDER BY kind")]
    assert kinds == [
        "ORPHANED_ORDER_DETECTED",
        "ORPHANED_ORDER_LINE_DETECTED",
        "ORPHANED_ORDER_LINE_ROLLED_BACK",
        "ORPHANED_ORDER_ROLLED_BACK",
    ]


def test_a_catalog_in_disorder_stops_it_before_the_first_change(healing: Shop) -> None:
    (healing.root / healing.alias / "catalog.toml").write_text(
        '[log]\ntable = "lost"\ncolumns = { type = "kind" }\n'
    )

    with pytest.raises(CatalogError, match="There is no table"):
        healing.run()

    assert healing.value("SELECT count(*) FROM orders") == 5
