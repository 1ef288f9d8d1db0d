"""Whatever stops a deduplication or happens beside it: no group is half done, nothing of others is lost."""

import random
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrity.database.session import Target
from integrity.exceptions import RepairRunning, TargetBusy
from integrity.plans import Plan
from integrity.repairs import Options, list_runs, resume_repair
from tests.repairs.test_batches import series
from tests.repairs.test_deduplication import planned
from tests.repairs.test_interruptions import killed, last_run
from tests.repairs.world import World
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE tags (id integer PRIMARY KEY, slug varchar(20));
CREATE TABLE tagged (product integer, tag integer, PRIMARY KEY (product, tag));
CREATE TABLE notes (id integer PRIMARY KEY, tag integer);
"""
REFERENCES = ("tagged.tag -> tags.id CASCADE", "notes.tag -> tags.id")
UNIQUE = """
[[unique]]
table = "tags"
columns = ["slug"]
"""


def filled(world: World, rows: int) -> World:
    """Tags of which every three share a slug, each on products that its like may be on as well."""
    script = series(world, "tags", "id, slug", "n, 'tag' || (n / 3)", rows)
    script += series(world, "tagged", "product, tag", "n % 5, n", rows)
    script += series(world, "notes", "id, tag", "n, n", rows)
    return world.given(TABLES + script, *REFERENCES, text=UNIQUE)


def plan_of(world: World, action: str = "merge") -> Plan:
    return planned(world, action, "tags.slug")


def shared(world: World) -> Any:
    """How many slugs more than one tag has."""
    return world.value("SELECT count(*) FROM (SELECT slug FROM tags GROUP BY slug HAVING count(*) > 1) d")


def orphans(world: World) -> Any:
    """How many rows refer to no tag."""
    lost = "WHERE tag NOT IN (SELECT id FROM tags)"
    return world.value(f"SELECT (SELECT count(*) FROM tagged {lost}) + (SELECT count(*) FROM notes {lost})")


@pytest.fixture
def small_batches(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 10}
    monkeypatch.setattr("integrity.repairs.walk._SMALLEST", 10)
    monkeypatch.setattr("integrity.repairs.walk._LARGEST", 10)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("action", ["merge", "rename"])
@pytest.mark.parametrize("wish", ["paused", "cancelled"])
def test_it_stops_between_groups_and_goes_on(world: World, wish: str, action: str) -> None:
    filled(world, 90)
    before, plan = world.rows(), plan_of(world, action)
    asked = iter([None] * 3)

    result = world.repair(plan, stop=lambda: next(asked, wish))

    assert result.state == wish
    assert 0 < sum(each.touched for each in result.rows.values()) < plan.touched
    assert orphans(world) == 0
    sizes = world.target.rows("SELECT count(*) FROM tags GROUP BY slug")
    assert action == "rename" or {size for (size,) in sizes} <= {1, 2, 3}
    done = resume_repair(Target("target"), 1, catalog=world.catalog, options=Options(approved=True))
    assert done.state == "finished"
    assert {name: each.touched for name, each in done.rows.items()} == {
        name: each.touched for name, each in plan.blast_radius().items()
    }
    assert (shared(world), orphans(world)) == (0, 0)
    back = world.roll_back(1)
    assert world.rows() == before
    assert back.proof.rows_equal


@pytest.mark.usefixtures("small_batches")
def test_what_was_done_before_a_stop_can_be_taken_back_alone(world: World) -> None:
    filled(world, 60)
    before = world.rows()
    asked = iter([None] * 2)
    world.repair(plan_of(world), stop=lambda: next(asked, "cancelled"))

    world.roll_back(1)

    assert world.rows() == before


@pytest.mark.usefixtures("small_batches")
def test_a_connection_that_is_killed_leaves_whole_groups(postgres_world: World) -> None:
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

    with pytest.raises(Exception, match=r"The connection was lost"):
        world.repair(plan_of(world), on_progress=cut)

    assert str(list_runs(Target("target"))[0].state) == "interrupted"
    assert orphans(world) == 0
    assert shared(world) > 0
    resume_repair(Target("target"), 1, catalog=world.catalog)
    assert (shared(world), orphans(world)) == (0, 0)
    world.roll_back(1)
    assert world.rows() == before


def kill_until_done(world: World, catalog: Path, seed: int, times: int) -> None:
    """Kill a merging, and then its rollback, again and again."""
    chance, before = random.Random(seed), world.rows()
    alive = killed(world, catalog, "merge", chance.uniform(0, 0.3))
    for _ in range(times):
        assert orphans(world) == 0
        if alive and str(last_run(world).state) == "interrupted":
            alive = killed(world, catalog, "resume", chance.uniform(0, 0.3))
    if str(last_run(world).state) == "interrupted":
        resume_repair(Target("target"), last_run(world).number, catalog=world.catalog)
    assert (shared(world), orphans(world)) == (0, 0)
    for _ in range(times):
        if str(last_run(world).state) != "rolled_back":
            killed(world, catalog, "back", chance.uniform(0, 0.3))
    if str(last_run(world).state) != "rolled_back":
        world.roll_back(1)
    assert world.rows() == before


def test_a_killed_process_leaves_no_group_half_merged(world: World, tmp_path: Path) -> None:
    filled(world, 1_500)

    kill_until_done(world, tmp_path / "catalog.toml", seed=1, times=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_killed_again_and_again(world: World, tmp_path: Path, seed: int) -> None:
    filled(world, 15_000)

    kill_until_done(world, tmp_path / "catalog.toml", seed=seed, times=8)


@pytest.mark.parametrize("action", ["merge", "rename"])
def test_children_and_duplicates_that_appear_meanwhile_are_kept(postgres_world: World, action: str) -> None:
    """Nothing enforces these references: only the locks of a batch keep a row from referring to a tag that
    goes. A row that was refused is written again, to the tag that is there."""
    world = filled(postgres_world, 600)
    plan, wanted = plan_of(world, action), 600
    stop, written = threading.Event(), []

    def write() -> None:
        with closing(psycopg.connect(world.target.url, autocommit=True)) as connection:
            number = 10_000
            while not stop.is_set():
                number += 1
                tag = 1 + number % wanted
                row = connection.execute(
                    "INSERT INTO notes SELECT %s, id FROM tags WHERE id = %s RETURNING tag", (number, tag)
                ).fetchone()
                if row:
                    written.append(number)
                if number % 20 == 0:
                    connection.execute("INSERT INTO tags VALUES (%s, %s)", (number, f"tag{number % 40}"))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        until(lambda: written or not thread.is_alive())
        for _ in range(5):
            try:
                world.repair(plan, approved=False)
                break
            except (TargetBusy, RepairRunning):
                plan = plan_of(world, action)
    finally:
        stop.set()
        thread.join(PATIENCE)
    world.repair(plan_of(world, action), approved=False)

    assert written
    assert world.value("SELECT count(*) FROM notes WHERE id > 10000") == len(written)
    assert (shared(world), orphans(world)) == (0, 0)
    assert world.value("SELECT count(*) FROM notes WHERE id <= 600") == 600
