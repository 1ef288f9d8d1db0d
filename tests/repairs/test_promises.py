"""A plan promises exactly what goes and what stays, and a run is compared with what was promised."""

from dataclasses import replace
from typing import Any

import pytest

from integrity.exceptions import TooManyRows
from integrity.plans import Change, Plan
from integrity.plans.plan import Doubt
from integrity.repairs.promises import Why
from tests.repairs.world import World, tallies

pytestmark = pytest.mark.newest_postgres_only

HELD = """
CREATE TABLE x (id integer PRIMARY KEY);
CREATE TABLE p (id integer PRIMARY KEY, x integer);
CREATE TABLE c (id integer PRIMARY KEY, p integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer);
CREATE TABLE n (id integer PRIMARY KEY, p integer);
INSERT INTO p VALUES (1, 9), (2, 9), (3, 9), (4, NULL);
INSERT INTO c VALUES (1, 1), (2, 1), (3, 2), (4, 4);
INSERT INTO d VALUES (1, 2), (2, 2), (3, 4);
INSERT INTO n VALUES (1, 1), (2, 3);
"""
KEYS = ("p.x -> x.id CASCADE", "c.p -> p.id CASCADE", "d.c -> c.id RESTRICT", "n.p -> p.id SET NULL")
CROSSED = """
CREATE TABLE x (id integer PRIMARY KEY);
CREATE TABLE p (id integer PRIMARY KEY, x integer);
CREATE TABLE c (id integer PRIMARY KEY, loose integer, strict integer);
INSERT INTO p VALUES (1, 9), (2, 9), (3, 9);
INSERT INTO c VALUES (1, 1, 2), (2, 2, 1);
"""
CROSSED_KEYS = ("p.x -> x.id CASCADE", "c.loose -> p.id CASCADE", "c.strict -> p.id RESTRICT")


def held(plan: Plan) -> list[tuple[str, int, int]]:
    """(reference, rows in the way, orphans that stay because of them) of a plan's first step."""
    (step, *_) = plan.orphan_changes
    return [(each.reference.label, each.rows, each.holds) for each in step.held_by]


def test_what_is_below_a_row_that_stays_stays_too_and_the_plan_says_so(world: World) -> None:
    world.given(HELD, *KEYS)

    plan = world.plan()
    result = world.repair(plan)

    assert (plan.rows, plan.stays, plan.doubts) == (2, 1, ())
    assert held(plan) == [("d.c", 2, 1)]
    assert tallies(plan.blast_radius()) == {"p": (2, 0, 0), "c": (1, 0, 0), "n": (0, 1, 0)}
    assert tallies(result.rows) == tallies(plan.blast_radius())
    assert (result.refused, result.differences) == (1, [])
    assert Plan.from_json(plan.as_json()) == replace(plan, notes=())


def test_rows_that_can_only_go_at_once_go_at_once_whatever_the_batches(world: World, settings: Any) -> None:
    settings.INTEGRITY = {"BATCH_ROWS": 1}
    world.given(CROSSED, *CROSSED_KEYS)

    plan = world.plan()
    result = world.repair(plan)

    assert (plan.stays, plan.doubts) == (0, ())
    assert tallies(result.rows) == {"p": (3, 0, 0), "c": (2, 0, 0)} == tallies(plan.blast_radius())
    assert (result.refused, result.differences) == (0, [])


def test_beyond_its_bound_a_plan_says_at_most_and_why(world: World, settings: Any) -> None:
    settings.INTEGRITY = {"FORESEEN_ROWS": 4}
    world.given(HELD, *KEYS)

    plan = world.plan()
    result = world.repair(plan)

    assert plan.doubts == (Doubt.MANY,)
    assert (plan.rows, plan.stays) == (3, 0)
    assert [(label, rows) for label, rows, _ in held(plan)] == [("d.c", 2)]
    assert result.refused == 1
    assert result.differences == []


def test_a_plan_from_before_the_count_is_read_and_never_called_exact(world: World) -> None:
    world.given(HELD, *KEYS)
    stored = world.plan().as_json()
    for step in stored["steps"]:
        del step["stays"]
        for effect in step["effects"]:
            effect.pop("holds", None)

    plan = Plan.from_json(stored)

    assert plan.doubts == (Doubt.BEFORE,)
    assert plan.as_json() == stored


def test_a_plan_that_nothing_holds_has_the_hash_that_it_always_had(world: World) -> None:
    world.given(HELD, *KEYS[:2])

    (step,) = world.plan().as_json()["steps"]

    assert not {"stays", "unforeseen", "holds"} & {*step, *step["effects"][0]}


def test_a_row_freed_since_is_more_than_was_approved(world: World) -> None:
    world.given(HELD, *KEYS)
    plan = world.plan()
    world.target.execute_script("DELETE FROM d WHERE c = 2")

    with pytest.raises(TooManyRows, match=r"p\.x now has 3 orphans .* approved were 2 and 2"):
        world.repair(plan)


@pytest.mark.parametrize(
    ("change", "kind", "numbers", "why"),
    [
        ("UPDATE p SET x = NULL WHERE id = 3", "deleted", (2, 1), Why.LESS),
        ("INSERT INTO c VALUES (9, 3); INSERT INTO d VALUES (9, 9)", "deleted", (2, 1), Why.REFUSED),
        ("INSERT INTO c VALUES (9, 3); INSERT INTO d VALUES (9, 9)", "refused", (1, 2), Why.HELD),
    ],
)
def test_a_difference_to_what_was_promised_is_told_with_why(
    world: World, change: str, kind: str, numbers: tuple[int, int], why: Why
) -> None:
    world.given(HELD, *KEYS)
    plan = world.plan()
    world.target.execute_script(change)

    result = world.repair(plan)

    told = {(each.table.name, each.kind): each for each in result.differences}
    assert (told["p", kind].promised, told["p", kind].done) == numbers
    assert told["p", kind].why is why


def test_what_cannot_be_set_to_null_or_its_default_is_in_the_way(world: World) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE p (id integer PRIMARY KEY, x integer);
        CREATE TABLE c (id integer PRIMARY KEY, p integer NOT NULL);
        CREATE TABLE e (id integer PRIMARY KEY, p integer DEFAULT 77);
        INSERT INTO p VALUES (1, 9), (2, 9), (3, 9);
        INSERT INTO c VALUES (1, 1);
        INSERT INTO e VALUES (1, 2);
        """,
        "p.x -> x.id CASCADE",
        "c.p -> p.id SET NULL",
        "e.p -> p.id SET DEFAULT",
    )

    plan = world.plan()
    result = world.repair(plan)

    assert (plan.stays, plan.doubts) == (2, ())
    assert held(plan) == [("c.p", 1, 1), ("e.p", 1, 1)]
    assert tallies(result.rows) == tallies(plan.blast_radius()) == {"p": (1, 0, 0)}
    assert {each.reason for each in result.refusals} >= {
        "1 row of main.c refer to it (c.p cannot be set to NULL: the column is NOT NULL)"
        if world.sqlite
        else "1 row of public.c refer to it (c.p cannot be set to NULL: the column is NOT NULL)"
    }


def test_one_column_that_refers_to_two_tables_is_set_to_null_once(world: World) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE a (id integer PRIMARY KEY, x integer);
        CREATE TABLE b (id integer PRIMARY KEY, x integer);
        CREATE TABLE c (id integer PRIMARY KEY, it integer);
        INSERT INTO a VALUES (1, 9); INSERT INTO b VALUES (1, 9);
        INSERT INTO c VALUES (1, 1);
        """,
        "a.x -> x.id CASCADE",
        "b.x -> x.id CASCADE",
        "c.it -> a.id SET NULL",
        "c.it -> b.id SET NULL",
    )

    plan = world.plan()

    assert tallies(world.repair(plan).rows) == {"a": (1, 0, 0), "b": (1, 0, 0), "c": (0, 1, 0)}
    assert tallies(plan.blast_radius())["c"] == (0, 1, 0)


def test_a_value_that_others_refer_to_makes_an_update_at_most(world: World) -> None:
    world.given(
        """
        CREATE TABLE tenant (id integer PRIMARY KEY);
        CREATE TABLE doc (tenant integer, n integer, PRIMARY KEY (tenant, n));
        CREATE TABLE page (id integer PRIMARY KEY, tenant integer, n integer);
        INSERT INTO tenant VALUES (1);
        INSERT INTO doc VALUES (9, 2), (9, 3);
        INSERT INTO page VALUES (1, 9, 2);
        """,
        "doc.tenant -> tenant.id",
        "page.tenant,n -> doc.tenant,n",
    )

    plan = world.ask("reassign", "doc.tenant", to=("1",))
    result = world.repair(plan)

    assert plan.doubts == (Doubt.REFERRED,)
    assert plan.orphan_changes[0].change is Change.REASSIGN
    assert (result.refused, result.differences) == (1, [])
