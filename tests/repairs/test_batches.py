"""Batches, stretches and what is too large for one of them."""

from typing import Any

import pytest

from integrity.repairs import walk as walking
from integrity.repairs.batch import Batch
from tests.repairs.world import World, tallies, there_and_back

pytestmark = pytest.mark.newest_postgres_only


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything happens in small pieces."""
    monkeypatch.setattr(walking, "_SMALLEST", 3)
    monkeypatch.setattr(walking, "_LARGEST", 20)
    monkeypatch.setattr(walking, "_SMALLEST_STRETCH", 10)
    monkeypatch.setattr(walking, "_LARGEST_STRETCH", 40)
    monkeypatch.setattr(walking, "_MOST_CANDIDATES", 7)
    monkeypatch.setattr(walking.Pace, "__post_init__", _slow, raising=False)


def _slow(pace: Any) -> None:
    pace.rows, pace.stretch = 5, 15


def series(world: World, table: str, columns: str, values: str, rows: int) -> str:
    """Many rows in either dialect; ``n`` counts from 1."""
    if world.sqlite:
        count = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
        return f"INSERT INTO {table} ({columns}) {count} SELECT {values} FROM s;"
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series(1, {rows}) s(n);"


@pytest.mark.usefixtures("small")
def test_many_rows_go_in_many_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    carry_out = Batch.carry_out
    monkeypatch.setattr(
        Batch,
        "carry_out",
        lambda self, piece, found: sizes.append(len(found)) or carry_out(self, piece, found),
    )
    rows = series(world, "c", "id, p", "n, CASE WHEN n % 3 = 0 THEN 1 ELSE 9 END", 300)
    world.given(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY, p integer);"
        "INSERT INTO p VALUES (1);" + rows,
        "c.p -> p.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"c": (200, 0, 0)}
    assert max(sizes) <= 20
    assert len(sizes) >= 10


WIDE = """
CREATE TABLE x (id integer PRIMARY KEY);
CREATE TABLE p (id integer PRIMARY KEY, x integer);
CREATE TABLE c (id integer PRIMARY KEY, p integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer);
CREATE TABLE lock (id integer PRIMARY KEY, p integer);
INSERT INTO p VALUES (1, 9), (2, NULL), (3, 9);
"""


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_one_row_with_more_dependents_than_fit_a_batch(world: World, action: str) -> None:
    world.given(
        WIDE + series(world, "c", "id, p", "n, 1 + n % 3", 200) + series(world, "d", "id, c", "n, n", 200),
        "p.x -> x.id CASCADE",
        f"c.p -> p.id {action}",
        "d.c -> c.id CASCADE",
    )

    there_and_back(world)


@pytest.mark.usefixtures("small")
def test_nothing_follows_first_from_a_row_that_may_not_go(world: World) -> None:
    world.given(
        WIDE + series(world, "c", "id, p", "n, 1 + n % 3", 150) + "INSERT INTO lock VALUES (1, 1);",
        "p.x -> x.id CASCADE",
        "c.p -> p.id CASCADE",
        "lock.p -> p.id RESTRICT",
    )
    before = world.rows()

    result = world.repair()

    assert [each.key for each in result.refusals] == [{"id": 1}]
    assert world.value("SELECT count(*) FROM c WHERE p = 1") == 50
    assert world.value("SELECT count(*) FROM c WHERE p = 3") == 0
    world.roll_back(result.run)
    assert world.rows() == before


@pytest.mark.usefixtures("small")
def test_dependents_that_cannot_go_end_in_a_refusal(world: World) -> None:
    world.given(
        WIDE + series(world, "c", "id, p", "n, 1 + n % 3", 66), "p.x -> x.id CASCADE", "c.p -> p.id CASCADE"
    )
    if world.sqlite:
        veto = "CREATE TRIGGER v BEFORE DELETE ON c BEGIN SELECT RAISE(IGNORE); END"
    else:
        veto = (
            "CREATE FUNCTION v() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER v BEFORE DELETE ON c FOR EACH ROW EXECUTE FUNCTION v()"
        )
    world.target.execute_script(veto)
    before = world.rows()

    result = world.repair()

    assert result.state == "finished"
    assert {"id": 1} in [each.key for each in result.refusals]
    assert world.rows() == before


@pytest.mark.usefixtures("small")
def test_a_long_chain_within_one_table(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.repairs.closure._DEEPEST", 8)
    world.given(
        "CREATE TABLE t (id integer PRIMARY KEY, up integer);"
        + series(world, "t", "id, up", "n, CASE WHEN n = 1 THEN 999999 ELSE n - 1 END", 60)
        + "INSERT INTO t VALUES (900, NULL);",
        "t.up -> t.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"t": (60, 0, 0)}


@pytest.mark.usefixtures("small")
def test_a_long_cycle_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrity.repairs.closure._DEEPEST", 8)
    monkeypatch.setattr(walking, "_DEEPEST", 4)
    world.given(
        "CREATE TABLE x (id integer PRIMARY KEY);"
        "CREATE TABLE t (id integer PRIMARY KEY, up integer, x integer);"
        + series(
            world, "t", "id, up, x", "n, CASE WHEN n = 1 THEN 40 ELSE n - 1 END, CASE n WHEN 7 THEN 9 END", 40
        ),
        "t.up -> t.id CASCADE",
        "t.x -> x.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"t": (40, 0, 0)}


@pytest.mark.usefixtures("small")
def test_refused_rows_are_named_and_all_others_done(world: World) -> None:
    world.given(
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY, p integer);"
        "CREATE TABLE d (id integer PRIMARY KEY, c integer);"
        + series(world, "c", "id, p", "n, 9", 100)
        + "INSERT INTO d VALUES (1, 13), (2, 50), (3, 99), (4, 13);",
        "c.p -> p.id CASCADE",
        "d.c -> c.id",
    )
    before, plan = world.rows(), world.plan()

    result = world.repair(plan)

    assert plan.steps[0].blocked == 4
    assert sorted(each.key["id"] for each in result.refusals) == [13, 50, 99]
    assert all("refer to it (d.c, NO ACTION)" in each.reason for each in result.refusals)
    assert world.value("SELECT count(*) FROM c") == 3
    world.roll_back(result.run)
    assert world.rows() == before
