"""How long changes may take: measured where they will be made, and said with what it rests on."""

import pytest

from integrity import models, tasks
from integrity.database.identifiers import TableName
from integrity.database.locks import Doing, StatementLock
from integrity.tasks.guessing import Guess, Pace
from tests.factories import MigrationRunFactory, TargetFactory
from tests.servers import EmptyTarget, RegisterTarget

ROWS = """
CREATE TABLE orders (id integer PRIMARY KEY, note text);
INSERT INTO orders SELECT n, 'x' FROM
    (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 30000) SELECT n FROM c) numbers;
"""

pytestmark = pytest.mark.django_db


def building(table: TableName) -> StatementLock:
    return StatementLock("CREATE INDEX …", "SHARE", (table,), doing=Doing.BUILDS)


@pytest.mark.newest_postgres_only
def test_reading_is_measured_and_what_was_done_there_before_counts_more(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(ROWS)
    if empty_target.server:
        empty_target.execute_script("ANALYZE orders")
    table = TableName("main" if empty_target.vendor == "sqlite" else "public", "orders")

    pace = tasks.pace_of(empty_target.alias, [table])
    found = tasks.guess(pace, building(table), "index")
    assert (found.basis, found.rows) == (tasks.Basis.READING, 30_000)
    assert 0 < found.low < found.high < 60

    operation = {"operation": "Index i", "kind": "index", "table": "orders", "seconds": 3.0, "error": ""}
    target = TargetFactory.create(alias=empty_target.alias)
    MigrationRunFactory.create(target=target, state="finished", direction="forward", operations=[operation])
    found = tasks.guess(tasks.pace_of(empty_target.alias, [table]), building(table), "index")
    assert (found.basis, round(found.low, 3), round(found.high, 3)) == (tasks.Basis.KIND, 1.5, 6.0)


def test_a_target_that_is_down_is_guessed_nothing_of_and_nobody_waits(
    register_target: RegisterTarget,
) -> None:
    alias = register_target("gone", "postgresql://nobody@127.0.0.1:9/none")
    pace = tasks.pace_of(alias, [TableName("public", "orders")])
    assert tasks.guess(pace, building(TableName("public", "orders"))).basis is tasks.Basis.UNKNOWN


def test_a_lock_for_a_moment_takes_a_moment_and_the_unknown_stays_unknown() -> None:
    moment = tasks.guess(Pace("shop"), StatementLock("ALTER TABLE …", "ACCESS EXCLUSIVE"))
    assert moment.basis is tasks.Basis.MOMENT
    assert tasks.together([moment, moment]).high == 0.2
    assert tasks.together([moment, Guess()]).basis is tasks.Basis.UNKNOWN


def test_the_same_migration_elsewhere_says_most(register_target: RegisterTarget) -> None:
    alias = register_target("shop", "sqlite:////tmp/none.sqlite3")
    target = models.Target.objects.create(alias=alias)
    for seconds in (4.0, 10.0):
        MigrationRunFactory.create(
            target=target, migration="0001_indexes", direction="forward", state="finished", seconds=seconds
        )
    found = tasks.took_elsewhere(alias, ["0001_indexes", "0002_keys"], "forward")
    assert {name: (each.low, each.high, each.basis) for name, each in found.items()} == {
        "0001_indexes": (2.0, 20.0, tasks.Basis.SAME)
    }
