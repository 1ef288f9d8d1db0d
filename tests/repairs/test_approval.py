"""What was approved is what runs; otherwise nothing is written, not even a table of the journal."""

from dataclasses import replace

import pytest

from integrity.exceptions import PlanMismatch, PlanRefused, TooManyRows
from tests.repairs.world import World

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE p (id integer PRIMARY KEY);
CREATE TABLE c (id integer PRIMARY KEY, p integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer NOT NULL);
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1, 1), (2, 9), (3, 8);
INSERT INTO d VALUES (1, 1), (2, 2);
"""
REFERENCES = ("c.p -> p.id CASCADE", "d.c -> c.id CASCADE")


def journal_tables(world: World) -> int:
    if world.sqlite:
        return int(world.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'integrity%'"))
    return int(world.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'integrity_journal'"))


@pytest.mark.parametrize(
    "change",
    ["INSERT INTO c VALUES (4, 7)", "INSERT INTO d VALUES (3, 2)", "UPDATE d SET c = 3 WHERE id = 1"],
)
def test_more_rows_than_approved_stop_it_before_the_first_change(world: World, change: str) -> None:
    world.given(TABLES, *REFERENCES)
    plan = world.plan()
    world.target.execute_script(change)
    before = world.rows()

    with pytest.raises(TooManyRows, match=r"c\.p now has .* Nothing was changed"):
        world.repair(plan)

    assert world.rows() == before
    assert journal_tables(world) == 0


def test_fewer_rows_than_approved_are_fine(world: World) -> None:
    world.given(TABLES, *REFERENCES)
    plan = world.plan()
    world.target.execute_script("UPDATE c SET p = 1 WHERE id = 2")

    result = world.repair(plan)

    assert result.state == "finished"
    assert world.target.rows("SELECT id FROM c ORDER BY id") == [(1,), (2,)]


def test_another_schema_than_approved_stops_it(world: World) -> None:
    world.given(TABLES, *REFERENCES)
    plan = world.plan()
    world.target.execute_script("CREATE INDEX i ON c (p)")
    before = world.rows()

    with pytest.raises(PlanMismatch, match=r"schema changed since the plan was made .* Nothing was changed"):
        world.repair(plan)

    assert world.rows() == before
    assert journal_tables(world) == 0


def test_a_limit_stops_it_before_the_first_change(world: World) -> None:
    world.given(TABLES, *REFERENCES)
    before = world.rows()

    with pytest.raises(TooManyRows, match="The plan touches 3 rows, more than --max-rows 2"):
        world.plan(max_rows=2)
    for approved in (True, False):
        with pytest.raises(TooManyRows, match="3 rows would be touched, more than --max-rows 2"):
            world.repair(world.plan(), max_rows=2, approved=approved)
    assert world.rows() == before
    assert journal_tables(world) == 0
    assert world.repair(world.plan(), max_rows=3).state == "finished"


def test_a_plan_for_another_target_is_refused(world: World) -> None:
    world.given(TABLES, *REFERENCES)

    with pytest.raises(PlanMismatch, match="The plan is for other, not for target"):
        world.repair(replace(world.plan(), target="other"))


def test_null_where_null_is_forbidden_is_refused_with_a_reason(world: World) -> None:
    world.given(TABLES + "INSERT INTO d VALUES (9, 99);", *REFERENCES)

    with pytest.raises(PlanRefused, match=r"d\.c cannot be set to NULL: the column is NOT NULL"):
        world.ask("set_null", "d.c")


def test_reassigning_needs_a_row_that_exists(world: World) -> None:
    world.given(TABLES, *REFERENCES)

    for key in ("77", "no number"):
        with pytest.raises(PlanRefused, match=f"p has no row {key}"):
            world.ask("reassign", "c.p", to=(key,))
    with pytest.raises(PlanRefused, match="--to gives 2 values for the 1 columns"):
        world.ask("reassign", "c.p", to=("1", "1"))
    with pytest.raises(PlanRefused, match="There is no system row for p"):
        world.ask("reassign", "c.p")


def test_the_same_decisions_make_the_same_hash_and_others_another(world: World) -> None:
    world.given(TABLES, *REFERENCES)

    one, same, other = world.plan(), world.plan(), world.ask("set_null", "c.p")
    world.target.execute_script("INSERT INTO c VALUES (4, 7)")
    more = world.plan()

    assert one.hash == same.hash
    assert len({one.hash, other.hash, more.hash}) == 3
    assert type(one).from_json(one.as_json()).hash == one.hash
