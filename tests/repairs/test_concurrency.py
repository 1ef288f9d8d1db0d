"""Others work on the target while it is repaired: nothing of theirs is lost, nothing is done twice."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from integrity.database.session import Target
from integrity.exceptions import RepairRunning, TargetBusy
from integrity.repairs import Options, list_runs, resume_repair
from tests.repairs.test_batches import series
from tests.repairs.world import World
from tests.waiting import PATIENCE, until

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY, name text);
CREATE TABLE c (id integer PRIMARY KEY, p integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer);
INSERT INTO p VALUES (1, 'one');
INSERT INTO c VALUES (1, 1), (2, 9), (3, 8);
INSERT INTO d VALUES (1, 2), (2, 3), (3, 1);
"""
REFERENCES = ("c.p -> p.id CASCADE", "d.c -> c.id CASCADE")


@contextmanager
def other(world: World) -> Iterator[psycopg.Connection]:
    """A transaction of somebody else's."""
    with closing(psycopg.connect(world.target.url)) as connection:
        yield connection


@contextmanager
def meanwhile(world: World, work: Any) -> Iterator[Future[Any]]:
    """Run ``work`` in a thread until it waits for a lock."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        waiting = (
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE NOT granted AND datname = current_database()"
        )
        until(lambda: future.done() or world.value(waiting))
        yield future


@pytest.fixture
def patient(settings: Any) -> None:
    settings.INTEGRITY = {"LOCK_TIMEOUT_MS": 5_000, "LOCK_ATTEMPTS": 5}


@pytest.fixture
def impatient(settings: Any) -> None:
    settings.INTEGRITY = {"LOCK_TIMEOUT_MS": 50, "LOCK_ATTEMPTS": 2}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_parent_that_is_committed_meanwhile_saves_its_child(postgres_world: World, action: str) -> None:
    world = postgres_world.given(TABLES, f"c.p -> p.id {action}", REFERENCES[1])
    plan = world.plan()
    with other(world) as them:
        them.execute("INSERT INTO p VALUES (9, 'nine')")
        with meanwhile(world, lambda: world.repair(plan)) as repair:
            assert not repair.done()
            them.commit()
            result = repair.result(PATIENCE)

    assert result.state == "finished"
    assert (2, 9) in world.target.rows("SELECT id, p FROM c")
    assert (1, 2) in world.target.rows("SELECT id, c FROM d")
    assert world.value("SELECT count(*) FROM c WHERE p = 8") == 0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_child_that_is_corrected_meanwhile_is_left_alone(postgres_world: World, action: str) -> None:
    world = postgres_world.given(TABLES, f"c.p -> p.id {action}", REFERENCES[1])
    plan = world.plan()
    with other(world) as them:
        them.execute("UPDATE c SET p = 1 WHERE id = 2")
        with meanwhile(world, lambda: world.repair(plan)) as repair:
            assert not repair.done()
            them.commit()
            repair.result(PATIENCE)

    assert (2, 1) in world.target.rows("SELECT id, p FROM c")
    assert world.value("SELECT count(*) FROM c WHERE p = 8") == 0


@pytest.mark.usefixtures("patient")
def test_a_dependent_that_moves_to_another_row_meanwhile_is_left_alone(postgres_world: World) -> None:
    world = postgres_world.given(TABLES, *REFERENCES)
    plan = world.plan()
    with other(world) as them:
        them.execute("UPDATE d SET c = 1 WHERE id = 1")
        with meanwhile(world, lambda: world.repair(plan)) as repair:
            assert not repair.done()
            them.commit()
            repair.result(PATIENCE)

    assert world.target.rows("SELECT id, c FROM d ORDER BY id") == [(1, 1), (3, 1)]
    assert world.target.rows("SELECT id FROM c") == [(1,)]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "lock", ["SELECT 1 FROM c WHERE id = 2 FOR UPDATE", "INSERT INTO p VALUES (70, 'x')"]
)
def test_a_lock_that_is_not_granted_is_told_and_the_run_goes_on_later(
    postgres_world: World, lock: str
) -> None:
    world = postgres_world.given(TABLES, *REFERENCES)
    before, plan = world.rows(), world.plan()
    with other(world) as them:
        them.execute(lock.encode())
        with pytest.raises(TargetBusy, match=r"A lock was not granted.*--resume 1"):
            world.repair(plan)
        them.rollback()
    assert world.rows() == before

    assert resume_repair(Target("target"), 1, catalog=world.catalog).state == "finished"
    assert world.plan().touched == 0
    world.roll_back(1)
    assert world.rows() == before


def test_two_repairs_at_once_are_one_too_many(world: World) -> None:
    world.given(TABLES, *REFERENCES)
    plan = world.plan()
    entered, leave = threading.Event(), threading.Event()

    def stop() -> None:
        entered.set()
        leave.wait(PATIENCE)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: world.repair(plan, stop=stop))
        assert entered.wait(PATIENCE)
        with pytest.raises(RepairRunning, match="A repair of this target is running"):
            world.repair(plan)
        with pytest.raises(RepairRunning):
            world.roll_back(1)
        assert str(list_runs(Target("target"))[0].state) == "running"
        leave.set()
        assert first.result(PATIENCE).state == "finished"


def test_writers_do_not_lose_a_row(postgres_world: World, settings: Any) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 20, "LOCK_TIMEOUT_MS": 2_000, "LOCK_ATTEMPTS": 10}
    world = postgres_world.given(
        TABLES
        + series(postgres_world, "c", "id, p", "n + 100, CASE WHEN n % 2 = 0 THEN 1 ELSE 9 END", 2_000)
        + series(postgres_world, "d", "id, c", "n + 100, n + 100", 2_000),
        *REFERENCES,
    )
    plan, over = world.plan(), threading.Event()
    good: list[int] = []

    def write(first: int) -> None:
        with closing(psycopg.connect(world.target.url)) as them:
            number = first
            while not over.is_set() and number < first + 3_000:
                them.execute("INSERT INTO p VALUES (%s, 'new')", [number])
                them.execute("INSERT INTO c VALUES (%s, %s)", [number, number])
                them.execute("INSERT INTO c VALUES (%s, %s)", [number + 500_000, 7_000_000])
                them.execute("INSERT INTO d VALUES (%s, %s)", [number, number])
                them.execute("UPDATE c SET p = 1 WHERE id = %s", [100 + (number * 37) % 2_000])
                them.commit()
                good.append(number)
                number += 1

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, 1_000_000), pool.submit(write, 2_000_000)]
        until(lambda: len(good) > 20 or any(each.done() for each in writers))
        result = world.repair(plan, approved=False)
        over.set()
        for writer in writers:
            writer.result(PATIENCE)

    assert result.state == "finished"
    assert len(good) > 20
    present = {row[0] for row in world.target.rows("SELECT id FROM c")}
    assert set(good) <= present
    assert set(good) <= {row[0] for row in world.target.rows("SELECT id FROM d")}
    assert set(range(102, 2_100, 2)) <= present
    lost = "SELECT count(*) FROM integrity_journal.run1_c j WHERE EXISTS (SELECT 1 FROM p WHERE p.id = j.p)"
    assert world.value(lost) == 0
    world.repair(approved=False)
    assert world.plan().touched == 0


def test_new_orphans_beyond_the_approved_number_wait_for_another_plan(world: World, settings: Any) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 1}
    world.given(TABLES, *REFERENCES)
    plan, seen = world.plan(), []

    def add(progress: Any) -> None:
        if not seen:
            world.target.execute_script("INSERT INTO c VALUES (50, 77)")
        seen.append(progress)

    result = world.repair(plan, on_progress=add)

    assert result.state == "finished"
    assert sum(each.deleted for each in result.rows.values()) == plan.touched
    assert world.plan().touched == 1


@pytest.mark.usefixtures("impatient")
def test_a_file_that_another_writer_holds_is_not_touched(sqlite_world: World, sqlite_path: Any) -> None:
    world = sqlite_world.given(TABLES, *REFERENCES)
    before, plan = world.rows(), world.plan()
    with closing(sqlite3.connect(sqlite_path, isolation_level=None)) as them:
        them.execute("BEGIN IMMEDIATE")
        with pytest.raises(TargetBusy, match="locked by another connection"):
            world.repair(plan)
        them.execute("ROLLBACK")

    assert world.rows() == before
    assert world.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'integrity%'") == 0


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_writers_come_in_between_batches(
    sqlite_world: World, sqlite_path: Any, settings: Any, mode: str
) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 20, "LOCK_TIMEOUT_MS": 5_000}
    world = sqlite_world.given(
        f"PRAGMA journal_mode = {mode};" + TABLES + series(sqlite_world, "c", "id, p", "n + 100, 9", 3_000),
        *REFERENCES,
    )
    plan, over, written = world.plan(), threading.Event(), 0

    def write() -> int:
        number = 10_000
        with closing(sqlite3.connect(sqlite_path, timeout=PATIENCE)) as them:
            while not over.is_set():
                them.execute("INSERT INTO c VALUES (?, 1)", [number])
                them.commit()
                number += 1
                time.sleep(0.002)
        return number - 10_000

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write)
        result = world.repair(plan, approved=False)
        over.set()
        written = writer.result(PATIENCE)

    assert result.state == "finished"
    assert world.value("SELECT count(*) FROM c WHERE id >= 10000") == written > 0
    assert world.value("SELECT count(*) FROM c WHERE p = 9") == 0
    assert world.roll_back(result.run).refusals == []
    assert world.value("SELECT count(*) FROM c WHERE p = 9") == 3_001


def test_a_rollback_is_asked_to_stop_like_a_repair(world: World) -> None:
    from integrity.exceptions import Interrupted  # noqa: PLC0415

    world.given(TABLES, *REFERENCES)
    before, result = world.rows(), world.repair()

    with pytest.raises(Interrupted, match="Go on with"):
        world.roll_back(result.run, options=Options(stop=lambda: "paused"))

    world.roll_back(result.run)
    assert world.rows() == before
