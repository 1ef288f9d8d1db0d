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
        request = asked(database, reference, choices[place % len(choices)])
        try:
            world.plan(request)
        except PlanRefused:
            request = Request(path, Resolution.KEEP)
        requests.append(request)
    try:
        return world.plan(*requests) if requests else None
    except PlanRefused:
        return None


def asked(database: Database, reference: str, wish: str) -> Request:
    """What a wish is for a reference: of some rows or missing keys alone, where there are orphans."""
    source, _, to = reference.split(" ")[:3]
    path, (table, columns) = parse_path(source), source.split(".")
    names = columns.split(",")
    if wish == "reassign":
        there = database.rows[to.split(".")[0]]
        if not there or len(names) > 1:
            return Request(path, Resolution.KEEP)
        return Request(path, Resolution.REASSIGN, to=(str(min(there)),))
    if wish not in ("rows", "keys"):
        return Request(path, Resolution(wish))
    rows = sorted(database.orphans(table, names[0]))[::2]
    keys = {tuple(str(database.rows[table][row][name]) for name in names) for row in rows}
    if not rows:
        return Request(path, Resolution.KEEP)
    if wish == "rows":
        return Request(path, Resolution.DELETE, rows=tuple((str(row),) for row in rows))
    return Request(path, Resolution.DELETE, keys=tuple(sorted(keys)))


def seen(world: World, database: Database) -> dict[str, dict[int, Any]]:
    """The rows as the simulation has them."""
    found: dict[str, dict[int, Any]] = {}
    for table, columns in database.columns.items():
        names = ["g", *(each.name for each in columns)]
        rows = world.target.rows(f"SELECT {', '.join(['id', *names])} FROM {table}")
        found[table] = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    return found


def check(world: World, database: Database, choices: list[str]) -> None:
    world.given(f"BEGIN; {DROP} {database.script} COMMIT;", *database.references)
    plan = planned(world, database, choices)
    if plan is None or not plan.changing_steps:
        return
    before, wanted = world.rows(), copy.deepcopy(database)
    stay = simulation.carried_out(wanted, plan)

    result = world.repair(plan)

    assert result.state == "finished"
    assert seen(world, database) == wanted.rows
    assert (plan.doubts, plan.stays) == ((), stay)
    assert tallies(result.rows) == tallies(plan.blast_radius())
    assert (result.refused, result.differences) == (stay, [])
    done = {name: counts[:2] for name, counts in tallies(result.rows).items()}
    names = {*wanted.deleted, *wanted.updated}
    assert done == {name: (wanted.deleted.get(name, 0), wanted.updated.get(name, 0)) for name in names}
    back = world.roll_back(result.run) if any(each.touched for each in result.rows.values()) else None
    assert world.rows() == before
    assert back is None or (back.refusals == [] and back.proof.rows_equal and back.proof.schema_equal)


WISHES = st.lists(
    st.sampled_from(["delete", "delete", "delete", "rows", "keys", "set_null", "keep", "reassign"]),
    min_size=3,
    max_size=12,
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
