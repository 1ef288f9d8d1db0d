"""What a database can hold and Python cannot is found, decided about, taken out, and brought back exactly."""

import json
from typing import Any

from integrity.audit import audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.plans import Request
from integrity.references.reference import Resolution
from tests.repairs.world import World, there_and_back

COLUMNS = """
    day date, moment timestamp, moment_there timestamptz, hour time, hour_there timetz, span interval,
    exact numeric, rough double precision, small real, days daterange, many date[]
"""
VALUES = (
    "'infinity', '-infinity', 'infinity', '24:00', '24:00+02', '170000000 years', 'NaN', 'NaN', '-Infinity',"
    " '[2020-01-01,infinity)', '{infinity,2020-01-01,\"0044-03-15 BC\"}'",
    "'0044-03-15 BC', '20000-01-01', '0044-03-15 12:00 BC', '00:00', '00:00-02', '-170000000 years',"
    " 'Infinity', '-Infinity', 'NaN', '[\"0044-03-15 BC\",20000-01-01)', '{20000-01-01}'",
)


def _audited(world: World) -> list[dict[str, Any]]:
    result = audit(Target("target"), world.catalog)
    assert result.coverage.complete, result.coverage
    found = result.as_json()["findings"]
    return [each for each in found if each["code"] == "orphaned_rows"]


KEYS = {
    "date": ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01"],
    "timestamp": ["infinity", "-infinity", "0044-03-15 12:00:00 BC", "20000-01-01 00:00:00"],
    "timestamptz": ["infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "20000-01-01 00:00:00+00"],
    "numeric": ["NaN", "1.50"],
    "real": ["NaN", "Infinity", "-Infinity"],
}
"""Missing keys of each type, and last one that is there."""

TABLES = """
CREATE TABLE p_{kind} (id {kind} PRIMARY KEY);
CREATE TABLE c_{kind} (n integer, p {kind}, PRIMARY KEY (p, n));
CREATE TABLE d_{kind} (id {kind}, {columns});
INSERT INTO p_{kind} VALUES ('{there}');
INSERT INTO c_{kind} VALUES {rows};
"""


def _tables(kind: str, keys: list[str]) -> str:
    rows = ", ".join(f"({n}, '{key}')" for n, key in enumerate(keys))
    made = TABLES.format(kind=kind, columns=COLUMNS, there=keys[-1], rows=rows)
    return made + "".join(f"INSERT INTO d_{kind} SELECT p, {values} FROM c_{kind};" for values in VALUES)


def test_missing_keys_beyond_python_are_told_and_resolved(postgres_world: World) -> None:
    postgres_world.given(
        "SET TimeZone = 'UTC';" + "".join(_tables(kind, keys) for kind, keys in KEYS.items()),
        *(f"c_{kind}.p -> p_{kind}.id CASCADE" for kind in KEYS),
        *(f"d_{kind}.id -> p_{kind}.id CASCADE" for kind in KEYS),
    )

    found = {each["table"]: each for each in _audited(postgres_world)}

    json.dumps(found, allow_nan=False)
    for kind, keys in KEYS.items():
        top = [each["key"] for each in found[f"c_{kind}"]["evidence"]["top_missing_keys"]]
        assert sorted(top) == sorted([key] for key in keys[:-1])
        assert found[f"d_{kind}"]["rows"] == 2 * len(top)
    there_and_back(postgres_world)
    some = [_about(f"d_{kind}.id", keys=((keys[0],),)) for kind, keys in KEYS.items()]
    some += [_about(f"c_{kind}.p", rows=((keys[0], "0"),)) for kind, keys in KEYS.items()]
    plan = postgres_world.plan(*some)
    json.dumps(plan.as_json(), allow_nan=False)
    assert plan.touched == 3 * len(KEYS)
    there_and_back(postgres_world, plan)
    moved = [_about(f"c_{kind}.p", Resolution.REASSIGN, to=(keys[-1],)) for kind, keys in KEYS.items()]
    there_and_back(postgres_world, postgres_world.plan(*moved))


def test_infinity_of_sqlite_is_told_and_resolved(sqlite_world: World) -> None:
    sqlite_world.given(
        """
        CREATE TABLE p (id real PRIMARY KEY);
        CREATE TABLE c (n integer, p real, extra date, PRIMARY KEY (p, n)) WITHOUT ROWID;
        CREATE TABLE d (id integer PRIMARY KEY, p real, note);
        INSERT INTO p VALUES (-9e999);
        INSERT INTO c VALUES (1, 9e999, 'infinity'), (2, 1.5, '0044-03-15 BC'), (3, -9e999, '20000-01-01');
        INSERT INTO d VALUES (1, 9e999, -9e999), (2, 1.5, 9e999), (3, -9e999, 'NaN');
        """,
        "c.p -> p.id CASCADE",
        "d.p -> p.id CASCADE",
    )

    found = _audited(sqlite_world)

    json.dumps(found, allow_nan=False)
    assert {each["rows"] for each in found} == {2}
    there_and_back(sqlite_world)
    there_and_back(sqlite_world, sqlite_world.ask("reassign", to=("-9e999",)))
    there_and_back(sqlite_world, sqlite_world.plan(_about("d.p", keys=(("Inf",),))))


def _about(label: str, resolution: Resolution = Resolution.DELETE, **which: Any) -> Request:
    return Request(parse_path(label), resolution, **which)
