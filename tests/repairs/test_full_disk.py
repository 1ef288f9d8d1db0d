"""A disk that gets full in the middle: what is done is whole, and it goes on when there is room."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from integrity.database.session import Target
from integrity.exceptions import NoRoom, TargetUnreachable
from integrity.repairs import list_runs, resume_repair
from tests import servers
from tests.full_disk import ROOM, WATCHED, full_after, may_grow
from tests.full_disk_for_real import WAYS
from tests.repairs.test_batches import series
from tests.repairs.test_interruptions import small_batches as small_batches
from tests.repairs.world import World

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer, note text);
INSERT INTO p VALUES (1);
"""
ROWS = 240
NOTE = "'" + "so many words that a page of a file is soon full of them, " * 4 + "'"


def filled(world: World) -> World:
    cases = f"n, CASE WHEN n % 3 = 0 THEN 1 ELSE 9 END, {NOTE}"
    watched = "" if world.sqlite else ROOM + WATCHED.format(table="c")
    script = TABLES + series(world, "c", "id, p, note", cases, ROWS) + watched
    return world.given(script, "c.p -> p.id CASCADE")


def states(world: World) -> list[str]:
    return [str(each.state) for each in reversed(list_runs(Target("target")))]


@pytest.mark.usefixtures("small_batches")
def test_a_repair_and_its_rollback_go_on_when_there_is_room(world: World) -> None:
    filled(world)
    before, plan = world.rows(), world.plan()

    with (
        full_after(world.target, rows=45, pages=9),
        pytest.raises(NoRoom, match=r"taken back.* Every finished batch is kept.*--resume 1") as told,
    ):
        world.repair(plan, approved=False)

    assert "Nothing was changed" not in str(told.value)
    assert states(world) == ["failed"]
    left = world.plan().touched
    assert 0 < left < plan.touched

    resume_repair(Target("target"), 1, catalog=world.catalog)
    assert world.plan().touched == 0
    # What was deleted left room within a file; what comes back is not watched by triggers, its journal is.
    watched = "VACUUM" if world.sqlite else WATCHED.format(table="integrity_journal.run1_c")
    world.target.execute_script(watched)
    with (
        full_after(world.target, rows=45, pages=9),
        pytest.raises(NoRoom, match=r"stays\. Go on with: manage\.py integrity_rollback target 1, and"),
    ):
        world.roll_back(1)
    world.roll_back(1)
    assert world.rows() == before


@pytest.mark.usefixtures("small_batches")
def test_wherever_the_room_ends_a_file_is_whole_and_a_little_more_room_takes_it_further(
    sqlite_world: World,
) -> None:
    world = filled(sqlite_world)
    before, orphans = world.rows(), world.plan().touched
    left: list[int] = []
    while not left or left[-1]:
        with may_grow(world.target, pages=len(left) // 2), suppress(NoRoom):
            if states(world):
                resume_repair(Target("target"), 1, catalog=world.catalog)
            else:
                world.repair(approved=False)
        assert world.value("PRAGMA integrity_check") == "ok"
        left.append(world.plan().touched)
    assert left == sorted(left, reverse=True)
    assert left[0] == orphans
    assert len(set(left)) > 2
    world.roll_back(1)
    assert world.rows() == before


def test_a_file_that_cannot_be_written_for_a_full_disk_says_so(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own words for a file beside it that finds no room are of a broken disk, or of a wrong path."""
    world = filled(sqlite_world)
    world.target.execute_script("PRAGMA journal_mode = WAL")
    beside = Path(world.target.rows("PRAGMA database_list")[0][2] + "-wal")
    beside.unlink(missing_ok=True)
    beside.mkdir()
    with pytest.raises(TargetUnreachable, match="cannot be opened.*In WAL mode"):
        world.plan()
    monkeypatch.setattr("integrity.database.sqlite.errors.is_full", lambda folder: True)
    with pytest.raises(NoRoom, match="The disk is full"):
        world.plan()


@pytest.mark.soak
@pytest.mark.skipif(os.geteuid() != 0, reason="not root: no disk can be mounted")
@pytest.mark.parametrize("major", [0, *servers.tested_majors()])
def test_on_a_real_full_disk_everything_comes_to_its_end_and_back(major: int) -> None:
    with TemporaryDirectory(prefix="integrity-disk-") as where:
        Path(where).chmod(0o755)  # the server is another user's
        command = ["unshare", "-m", sys.executable, "-m", "tests.full_disk_for_real", where, str(major)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr
    failed = dict(line.split(": ") for line in ran.stdout.splitlines())
    assert list(failed) == list(WAYS)
    assert all(int(each) > 0 for each in failed.values()), failed
