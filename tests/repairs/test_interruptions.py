"""Whatever stops a repair: nothing is lost, nothing is half done, and it goes on."""

import random
import time
from pathlib import Path
from typing import Any

import pytest

from integrity.database.session import Target
from integrity.exceptions import Interrupted, ReferentialIntegrityError, TargetUnreachable, UnknownRun
from integrity.repairs import Options, list_runs, resume_repair
from tests.repairs import running
from tests.repairs.test_batches import series
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer, q integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer);
INSERT INTO p VALUES (1);
"""
REFERENCES = ("c.p -> p.id CASCADE", "c.q -> p.id SET NULL", "d.c -> c.id CASCADE")


def filled(world: World, rows: int) -> World:
    cases = "n, CASE WHEN n % 3 = 0 THEN 1 ELSE 9 END, CASE WHEN n % 2 = 0 THEN 1 ELSE 8 END"
    script = series(world, "c", "id, p, q", cases, rows) + series(world, "d", "id, c", "n, n", rows)
    return world.given(TABLES + script, *REFERENCES)


@pytest.fixture
def small_batches(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 10}
    monkeypatch.setattr("integrity.repairs.walk._SMALLEST", 10)
    monkeypatch.setattr("integrity.repairs.walk._LARGEST", 10)


def last_run(world: World) -> Any:
    return next(each for each in list_runs(Target("target")) if each.kind == "cleanup")


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize(("wish", "state"), [("paused", "paused"), ("cancelled", "cancelled")])
def test_it_stops_between_batches_and_goes_on(world: World, wish: str, state: str) -> None:
    filled(world, 90)
    before, plan = world.rows(), world.plan()
    asked = iter([None] * 4)

    result = world.repair(plan, stop=lambda: next(asked, wish))

    assert result.state == state
    touched = sum(each.touched for each in result.rows.values())
    assert 0 < touched < plan.touched
    assert str(last_run(world).state) == state
    done = resume_repair(
        Target("target"), result.run or 0, catalog=world.catalog, options=Options(approved=True)
    )
    assert done.state == "finished"
    assert {name: each.touched for name, each in done.rows.items()} == {
        name: each.touched for name, each in plan.blast_radius().items()
    }
    assert world.plan().touched == 0
    with pytest.raises(UnknownRun, match="there is nothing to go on with"):
        resume_repair(Target("target"), result.run or 0, catalog=world.catalog)
    world.roll_back(result.run)
    assert world.rows() == before


@pytest.mark.usefixtures("small_batches")
def test_ctrl_c_keeps_finished_batches_and_says_how_to_go_on(world: World) -> None:
    filled(world, 60)
    before, seen = world.rows(), 0

    def press(progress: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"Go on with: manage\.py integrity_cleanup target --resume 1"):
        world.repair(on_progress=press)

    assert str(last_run(world).state) == "interrupted"
    world.roll_back(last_run(world).number)
    assert world.rows() == before


@pytest.mark.usefixtures("small_batches")
def test_ctrl_c_in_a_rollback_goes_on_where_it_stopped(world: World) -> None:
    filled(world, 60)
    before = world.rows()
    result = world.repair()
    seen = 0

    def press(progress: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            raise KeyboardInterrupt

    with pytest.raises(
        Interrupted, match=r"What came back stays\. Go on with: manage\.py integrity_rollback target 1"
    ):
        world.roll_back(result.run, options=Options(on_progress=press))

    assert str(last_run(world).state) == "partly_rolled_back"
    world.roll_back(result.run)
    assert world.rows() == before


@pytest.mark.usefixtures("small_batches")
def test_a_connection_that_is_killed_leaves_a_run_to_go_on_with(postgres_world: World) -> None:
    world = filled(postgres_world, 90)
    before, seen = world.rows(), 0
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'integrity'"
    )

    def cut(progress: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            world.value(kill)

    with pytest.raises(TargetUnreachable, match=r"The connection was lost.*--resume 1"):
        world.repair(on_progress=cut)

    assert str(last_run(world).state) == "interrupted"
    resume_repair(Target("target"), 1, catalog=world.catalog)
    assert world.plan().touched == 0
    world.roll_back(1)
    assert world.rows() == before


def test_an_error_of_the_database_keeps_what_was_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world, 30)
    before = world.rows()
    boom = RuntimeError("the disk is on fire")
    monkeypatch.setattr("integrity.repairs.walk.Walk.record", lambda walk, batch: (_ for _ in ()).throw(boom))

    with pytest.raises(RuntimeError, match="on fire"):
        world.repair()

    assert world.rows() == before
    run = last_run(world)
    assert (str(run.state), run.error) == ("failed", "the disk is on fire")


def killed(world: World, catalog: Path, what: str, after: float) -> bool:
    """Kill a process ``after`` seconds of work; returns whether it was still at it."""
    process = running.start(world.target.url, catalog, what)
    process.stdout.readline()
    time.sleep(after)
    process.kill()
    process.communicate(60)
    return process.returncode != 0


def kill_until_done(world: World, catalog: Path, seed: int, times: int) -> None:
    chance = random.Random(seed)
    before, plan = world.rows(), world.plan()
    alive = killed(world, catalog, "run", chance.uniform(0, 0.3))
    for _ in range(times):
        if alive and str(last_run(world).state) == "interrupted":
            alive = killed(world, catalog, "resume", chance.uniform(0, 0.3))
    if str(last_run(world).state) == "interrupted":
        resume_repair(Target("target"), last_run(world).number, catalog=world.catalog)
    run = last_run(world)
    assert {name: each["deleted"] + each["updated"] for name, each in run.rows.items()} == {
        str(name): each.touched for name, each in plan.blast_radius().items()
    }
    assert world.plan().touched == 0
    for _ in range(times):
        if str(last_run(world).state) != "rolled_back":
            killed(world, catalog, "back", chance.uniform(0, 0.3))
    if str(last_run(world).state) != "rolled_back":
        world.roll_back(run.number)
    assert world.rows() == before


def test_a_killed_process_leaves_nothing_half_done(world: World, tmp_path: Path) -> None:
    filled(world, 1_500)

    kill_until_done(world, tmp_path / "catalog.toml", seed=1, times=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_killed_again_and_again(world: World, tmp_path: Path, seed: int) -> None:
    filled(world, 20_000)

    kill_until_done(world, tmp_path / "catalog.toml", seed=seed, times=8)


def test_an_unknown_run_is_told(world: World) -> None:
    filled(world, 3)
    with pytest.raises(ReferentialIntegrityError, match="There is no run 5"):
        resume_repair(Target("target"), 5, catalog=world.catalog)
