"""A plan says exactly what a run will do, and a rollback undoes exactly that."""

import pytest

from integrity.references.reference import Resolution
from tests.repairs.world import World, tallies, there_and_back

pytestmark = pytest.mark.newest_postgres_only

CHAIN = """
CREATE TABLE a (id integer PRIMARY KEY);
CREATE TABLE b (id integer PRIMARY KEY, a integer);
CREATE TABLE c (id integer PRIMARY KEY, b integer);
CREATE TABLE d (id integer PRIMARY KEY, c integer, note text DEFAULT 'n');
INSERT INTO a VALUES (1);
INSERT INTO b VALUES (1, 1), (2, 90), (3, 91), (4, NULL);
INSERT INTO c VALUES (1, 1), (2, 2), (3, 2), (4, 3), (5, 99);
INSERT INTO d (id, c) VALUES (1, 1), (2, 2), (3, 3), (4, 5), (5, NULL);
"""


def test_a_chain_goes_leaf_first_and_comes_back(world: World) -> None:
    world.given(CHAIN, "b.a -> a.id CASCADE", "c.b -> b.id CASCADE", "d.c -> c.id CASCADE")

    result = there_and_back(world)

    assert tallies(result.rows) == {"b": (2, 0, 0), "c": (4, 0, 0), "d": (3, 0, 0)}


def test_a_chain_that_ends_in_null(world: World) -> None:
    world.given(CHAIN, "b.a -> a.id CASCADE", "c.b -> b.id CASCADE", "d.c -> c.id SET NULL")

    result = there_and_back(world)

    assert tallies(result.rows) == {"b": (2, 0, 0), "c": (4, 0, 0), "d": (0, 3, 0)}


DIAMOND = """
CREATE TABLE top (id integer PRIMARY KEY, x integer);
CREATE TABLE l (id integer PRIMARY KEY, top integer);
CREATE TABLE r (id integer PRIMARY KEY, top integer, l integer);
CREATE TABLE bottom (id integer PRIMARY KEY, l integer, r integer, other integer);
CREATE TABLE x (id integer PRIMARY KEY);
INSERT INTO top VALUES (1, 9), (2, NULL);
INSERT INTO l VALUES (1, 1), (2, 2);
INSERT INTO r VALUES (1, 1, 1), (2, 2, 2), (3, 2, 1);
INSERT INTO bottom VALUES (1, 1, 1, NULL), (2, 2, 3, NULL), (3, 1, 2, 1), (4, 2, 2, 1), (5, NULL, NULL, 1);
"""
DIAMOND_KEYS = (
    ("l", "top", "top"),
    ("r", "top", "top"),
    ("r", "l", "l"),
    ("bottom", "l", "l"),
    ("bottom", "r", "r"),
)


@pytest.mark.parametrize("declared", [False, True], ids=["not enforced", "enforced"])
def test_a_row_below_a_diamond_goes_once(world: World, declared: bool) -> None:
    script = DIAMOND
    if declared:
        for table, column, parent in DIAMOND_KEYS:
            old = f"{column} integer"
            head, tail = script.split(f"CREATE TABLE {table} (", 1)
            script = f"{head}CREATE TABLE {table} (" + tail.replace(
                old, f"{old} REFERENCES {parent} (id) ON DELETE CASCADE", 1
            )
        script = script.replace("CREATE TABLE x (id integer PRIMARY KEY);", "", 1)
        script = "CREATE TABLE x (id integer PRIMARY KEY);" + script
    world.given(
        script,
        "top.x -> x.id CASCADE",
        *(f"{table}.{column} -> {parent}.id CASCADE" for table, column, parent in DIAMOND_KEYS),
    )

    result = there_and_back(world)

    assert tallies(result.rows) == {"top": (1, 0, 0), "l": (1, 0, 0), "r": (2, 0, 0), "bottom": (3, 0, 0)}


def test_a_row_that_goes_by_one_way_is_not_set_to_null_by_another(world: World) -> None:
    world.given(
        DIAMOND,
        "top.x -> x.id CASCADE",
        "l.top -> top.id CASCADE",
        "r.top -> top.id CASCADE",
        "r.l -> l.id SET NULL",
        "bottom.l -> l.id SET NULL",
        "bottom.r -> r.id CASCADE",
    )

    result = there_and_back(world)

    assert tallies(result.rows) == {"top": (1, 0, 0), "l": (1, 0, 0), "r": (1, 1, 0), "bottom": (1, 1, 0)}


def test_a_row_that_loses_two_parents_is_updated_for_each(world: World) -> None:
    world.given(
        """
        CREATE TABLE p (id integer PRIMARY KEY, x integer);
        CREATE TABLE c (id integer PRIMARY KEY, one integer, two integer);
        CREATE TABLE x (id integer PRIMARY KEY);
        INSERT INTO p VALUES (1, 9), (2, 9), (3, NULL);
        INSERT INTO c VALUES (1, 1, 2), (2, 1, 1), (3, 3, 2), (4, 3, 3);
        """,
        "p.x -> x.id CASCADE",
        "c.one -> p.id SET NULL",
        "c.two -> p.id SET NULL",
    )

    there_and_back(world)


def test_a_row_that_goes_forbids_nothing(world: World) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE p (id integer PRIMARY KEY, x integer);
        CREATE TABLE c (id integer PRIMARY KEY, strict integer, loose integer);
        INSERT INTO p VALUES (1, 9), (2, 9);
        INSERT INTO c VALUES (1, 1, 2);
        """,
        "p.x -> x.id CASCADE",
        "c.strict -> p.id RESTRICT",
        "c.loose -> p.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"p": (2, 0, 0), "c": (1, 0, 0)}


def test_orphans_that_forbid_one_another_go_together(world: World, settings: object) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE t (id integer PRIMARY KEY, x integer, boss integer);
        INSERT INTO t VALUES (1, 9, 2), (2, 9, 1), (3, 9, 4), (4, 9, NULL), (5, NULL, NULL);
        """,
        "t.x -> x.id CASCADE",
        "t.boss -> t.id RESTRICT",
    )

    assert tallies(there_and_back(world).rows) == {"t": (4, 0, 0)}


def test_a_tree_within_one_table_goes_from_its_leaves(world: World) -> None:
    world.given(
        """
        CREATE TABLE t (id integer PRIMARY KEY, up integer, name text);
        INSERT INTO t VALUES (1, NULL, 'root'), (2, 1, 'kept'), (10, 99, 'orphan'), (11, 10, 'a'),
            (12, 11, 'b'), (13, 12, 'c'), (14, 2, 'kept'), (20, 98, 'orphan'), (21, 20, 'd');
        """,
        "t.up -> t.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"t": (6, 0, 0)}


def test_a_cycle_between_tables_ends(world: World) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE a (id integer PRIMARY KEY, b integer, x integer);
        CREATE TABLE b (id integer PRIMARY KEY, a integer);
        INSERT INTO a VALUES (1, 1, 9), (2, 2, NULL), (3, 1, NULL), (4, 5, NULL);
        INSERT INTO b VALUES (1, 1), (2, 3), (5, 4);
        """,
        "a.x -> x.id CASCADE",
        "a.b -> b.id CASCADE",
        "b.a -> a.id CASCADE",
    )

    assert tallies(there_and_back(world).rows) == {"a": (3, 0, 0), "b": (2, 0, 0)}


def test_a_default_takes_the_place_of_what_goes(world: World) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE p (id integer PRIMARY KEY, code text, x integer);
        CREATE TABLE c (id integer PRIMARY KEY, code text DEFAULT '100%');
        INSERT INTO p VALUES (1, '100%', NULL), (2, 'gone', 9);
        INSERT INTO c VALUES (1, 'gone'), (2, '100%');
        """,
        "p.x -> x.id CASCADE",
        "c.code -> p.code SET DEFAULT",
    )

    there_and_back(world)


def test_a_default_that_does_not_exist_is_refused(world: World) -> None:
    world.given(
        """
        CREATE TABLE x (id integer PRIMARY KEY);
        CREATE TABLE p (id integer PRIMARY KEY, x integer);
        CREATE TABLE c (id integer PRIMARY KEY, p integer DEFAULT 77);
        INSERT INTO p VALUES (1, 9), (2, 9);
        INSERT INTO c VALUES (1, 1);
        """,
        "p.x -> x.id CASCADE",
        "c.p -> p.id SET DEFAULT",
    )
    before = world.rows()

    result = world.repair()

    assert result.refused == 1
    assert result.refusals[0].key == {"id": 1}
    assert "would be orphans" in result.refusals[0].reason
    assert world.value("SELECT count(*) FROM p") == 1
    world.roll_back(result.run)
    assert world.rows() == before


def test_several_steps_count_every_row_once(world: World) -> None:
    world.given(
        """
        CREATE TABLE u (id integer PRIMARY KEY);
        CREATE TABLE o (id integer PRIMARY KEY, u integer, v integer);
        CREATE TABLE i (id integer PRIMARY KEY, o integer, u integer);
        INSERT INTO u VALUES (1);
        INSERT INTO o VALUES (1, 1, 1), (2, 9, 9), (3, 9, 1), (4, 1, 9);
        INSERT INTO i VALUES (1, 1, 1), (2, 2, 9), (3, 77, 9), (4, 3, 1), (5, 4, 8);
        """,
        "o.u -> u.id CASCADE",
        "o.v -> u.id SET NULL",
        "i.o -> o.id CASCADE",
        "i.u -> u.id SET NULL",
    )

    there_and_back(world)
    assert {step.resolution for step in world.plan().steps} == {Resolution.DELETE, Resolution.SET_NULL}


@pytest.mark.parametrize("resolution", ["delete", "set_null", "keep"])
def test_each_resolution_is_planned_as_asked(world: World, resolution: str) -> None:
    world.given(CHAIN, "b.a -> a.id", "c.b -> b.id CASCADE")
    plan = world.ask(resolution, "b.a")
    if resolution == "keep":
        assert plan.touched == 0
        result = world.repair(plan)
        assert result.state == "finished"
        assert result.run is None
        return
    there_and_back(world, plan)


def test_reassigning_to_a_given_row(world: World) -> None:
    world.given(CHAIN, "b.a -> a.id")

    result = there_and_back(world, world.ask("reassign", "b.a", to=("1",)))

    assert tallies(result.rows) == {"b": (0, 2, 0)}


def test_reassigning_makes_the_system_row_and_takes_it_back(world: World) -> None:
    world.given(CHAIN, "b.a -> a.id | reassign", text="[system_row.a]\nid = -1\n")

    result = there_and_back(world)

    assert tallies(result.rows) == {"a": (0, 0, 1), "b": (0, 2, 0)}
