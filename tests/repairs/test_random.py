"""Any small database: the plan, the run and a simulation by hand agree, and a rollback undoes it all."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from integrity.database.identifiers import parse_path
from integrity.exceptions import PlanRefused
from integrity.plans import Plan, Request
from integrity.references.reference import Resolution
from tests.repairs import simulation
from tests.repairs.simulation import Database, databases
from tests.repairs.world import World, tallies

DROP = "DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b; DROP TABLE IF EXISTS c; DROP TABLE IF EXISTS d;"
QUICK = {
    "deadline": None,
    "phases": [Phase.generate],
    "suppress_health_check": list(HealthCheck),
    "database": None,
}
Choices = dict[int, str]


def planned(world: World, database: Database, choices: list[str]) -> Plan | None:
    """A plan of random resolutions; those that are refused are kept."""
    requests: list[Request] = []
    for place, reference in enumerate(database.references):
        path = parse_path(reference.split(" ")[0])
        wish = choices[place % len(choices)]
        if wish == "reassign":
            parent = reference.split(" ")[2].split(".")[0]
            to = (str(min(database.rows[parent])),) if database.rows[parent] else None
            request = Request(path, Resolution.REASSIGN, to=to) if to else Request(path, Resolution.KEEP)
        else:
            request = Request(path, Resolution(wish))
        try:
            world.plan(request)
        except PlanRefused:
            request = Request(path, Resolution.KEEP)
        requests.append(request)
    try:
        return world.plan(*requests) if requests else None
    except PlanRefused:
        return None


def seen(world: World, database: Database) -> dict[str, dict[int, Any]]:
    """The rows as the simulation has them."""
    found: dict[str, dict[int, Any]] = {}
    for table, columns in database.columns.items():
        names = [each.name for each in columns]
        rows = world.target.rows(f"SELECT {', '.join(['id', *names])} FROM {table}")
        found[table] = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    return found


def check(world: World, database: Database, choices: list[str]) -> None:
    world.given(f"BEGIN; {DROP} {database.script} COMMIT;", *database.references)
    plan = planned(world, database, choices)
    if plan is None or not plan.changing_steps:
        return
    before, wanted = world.rows(), copy.deepcopy(database)
    forbidden = simulation.forbidden_anywhere(wanted, plan)

    result = world.repair(plan)

    assert result.state == "finished"
    if not forbidden:
        assert result.refusals == []
        assert seen(world, database) == wanted.rows
        assert sum(step.blocked for step in plan.steps) == 0
        assert tallies(result.rows) == tallies(plan.blast_radius())
        done = {name: counts[:2] for name, counts in tallies(result.rows).items()}
        names = {*wanted.deleted, *wanted.updated}
        assert done == {name: (wanted.deleted.get(name, 0), wanted.updated.get(name, 0)) for name in names}
    else:
        assert result.refusals
        assert no_new_orphans(world, database)
    back = world.roll_back(result.run) if any(each.touched for each in result.rows.values()) else None
    assert world.rows() == before
    assert back is None or (back.refusals == [] and back.proof.rows_equal and back.proof.schema_equal)


def no_new_orphans(world: World, database: Database) -> bool:
    """Rows that were no orphans before are none now: refusing leaves nothing half done."""
    after = Database(database.columns, seen(world, database))
    return all(
        after.orphans(table, each.name) <= database.orphans(table, each.name)
        for table, columns in database.columns.items()
        for each in columns
    )


WISHES = st.lists(
    st.sampled_from(["delete", "delete", "delete", "set_null", "keep", "reassign"]), min_size=3, max_size=12
)


def test_plan_run_and_simulation_agree(world: World) -> None:
    @seed(20)
    @settings(max_examples=40 if world.sqlite else 8, **QUICK)  # type: ignore[arg-type]
    @given(databases(), WISHES)
    def agree(database: Database, choices: list[str]) -> None:
        check(world, database, choices)

    agree()


@pytest.mark.soak
def test_plan_run_and_simulation_agree_for_long(world: World) -> None:
    @settings(max_examples=3_000 if world.sqlite else 400, **QUICK)  # type: ignore[arg-type]
    @given(databases(), WISHES)
    def agree(database: Database, choices: list[str]) -> None:
        check(world, database, choices)

    agree()
