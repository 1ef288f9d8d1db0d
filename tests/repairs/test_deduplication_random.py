"""Any small database: no duplicates and no new orphans afterwards, what was said was done, and all comes back."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from integrity.references.uniques import Duplicates
from tests.repairs.test_deduplication import planned
from tests.repairs.test_random import QUICK
from tests.repairs.world import World, tallies

pytestmark = pytest.mark.newest_postgres_only

TABLES = ("t0", "t1", "t2")
COLUMNS = ("id", "r", "s", "name")
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Small:
    """Three tables, how they refer to one another, and what shall be unique."""

    rows: Rows
    references: tuple[tuple[str, str, str, bool], ...]
    uniques: tuple[tuple[str, tuple[str, ...]], ...]
    rule: tuple[str, ...]

    def script(self, *, sqlite: bool) -> str:
        """SQL that makes it: what is declared stands already, as far as the rows allow it. SQLite knows keys
        only within tables, PostgreSQL only to tables that are there, and builds no index while checks of
        keys are pending."""
        cascade = "" if sqlite else " CASCADE"
        lines = [f"DROP TABLE IF EXISTS {table}{cascade};" for table in TABLES]
        for table in TABLES:
            keys = "".join(f", {key}" for key in self.keys(table)) if sqlite else ""
            body = f"id integer PRIMARY KEY, r integer, s integer, name varchar(9){keys}"
            lines.append(f"CREATE TABLE {table} ({body});")
        for table, rows in self.rows.items():
            for row in rows:
                values = ", ".join("NULL" if each is None else repr(each) for each in row)
                lines.append(f"INSERT INTO {table} VALUES ({values});")
        if not sqlite:
            deferred = "DEFERRABLE INITIALLY DEFERRED"
            lines += [
                f"ALTER TABLE {name} ADD {key} {deferred};" for name in TABLES for key in self.keys(name)
            ]
        for number, (table, columns) in enumerate(self.standing):
            lines.append(f"CREATE UNIQUE INDEX uq{number} ON {table} ({', '.join(columns)});")
        return "\n".join(lines)

    def keys(self, table: str) -> list[str]:
        """The foreign keys of a table that the rows fulfil."""
        return [
            f"FOREIGN KEY ({column}) REFERENCES {parent} (id)"
            for child, column, parent, declared in self.references
            if child == table and declared and not self.orphans((child, column, parent))
        ]

    @property
    def standing(self) -> list[tuple[str, tuple[str, ...]]]:
        """The uniques that the rows fulfil."""
        return [each for each in self.uniques if not duplicates(self.rows[each[0]], each[1])]

    def orphans(self, reference: tuple[str, str, str], rows: Rows | None = None) -> set[Any]:
        """The ids of rows that refer to nothing."""
        child, column, parent = reference
        rows = rows or self.rows
        there, at = {row[0] for row in rows[parent]}, COLUMNS.index(column)
        return {row[0] for row in rows[child] if row[at] is not None and row[at] not in there}


def duplicates(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> Counter[Any]:
    """How often values that occur twice occur; NULLs are no duplicates."""
    found = Counter(tuple(row[COLUMNS.index(name)] for name in columns) for row in rows)
    return Counter({value: n for value, n in found.items() if n > 1 and None not in value})


@st.composite
def smalls(draw: st.DrawFn) -> Small:
    """Databases small enough that everything happens in them."""
    ids = st.one_of(st.none(), st.integers(1, 5), st.integers(1, 5), st.just(99))
    names = st.sampled_from(["a", "b", "c", "ééééééé-1", "ééééééé-2", None])
    rows = {
        table: [
            (number, draw(ids), draw(ids), draw(names)) for number in range(1, draw(st.integers(1, 6)) + 1)
        ]
        for table in TABLES
    }
    references = draw(
        st.lists(
            st.tuples(
                st.sampled_from(TABLES), st.sampled_from(["r", "s"]), st.sampled_from(TABLES), st.booleans()
            ),
            max_size=4,
            unique_by=lambda each: each[:2],
        )
    )
    keys = st.sampled_from([("r", "name"), ("r", "s"), ("s",), ("name", "s")])
    uniques = draw(st.lists(st.tuples(st.sampled_from(TABLES), keys), max_size=3, unique=True))
    return Small(rows, tuple(references), tuple(uniques), draw(st.sampled_from([("name",), ("r", "name")])))


def seen(world: World) -> Rows:
    return {table: [tuple(row) for row in world.target.rows(f"SELECT * FROM {table}")] for table in TABLES}


def check(world: World, small: Small, action: str, survivor: str, fill: bool) -> None:
    script = small.script(sqlite=world.sqlite)
    start, end = ("PRAGMA foreign_keys = OFF; BEGIN;", "COMMIT;") if world.sqlite else ("BEGIN;", "COMMIT;")
    world.given(
        f"{start} {script} {end}",
        *[f"{child}.{column} -> {parent}.id" for child, column, parent, _ in small.references],
    )
    fill = fill and action == "merge"
    plan = planned(world, action, f"t0.{','.join(small.rule)}", survivor=survivor, fill=fill)
    before, whole = seen(world), world.rows()
    if not plan.changing_steps:
        assert not duplicates(before["t0"], small.rule)
        return
    blocked = sum(step.blocked for step in plan.steps)

    result = world.repair(plan)

    after = seen(world)
    assert result.refused == blocked, (result.refusals, plan.as_json())
    assert tallies(result.rows) == tallies(plan.blast_radius())
    for table in TABLES:
        gone = len(before[table]) - len(after[table])
        assert gone == sum(each.deleted for name, each in result.rows.items() if name.name == table)
    for child, column, parent, _ in small.references:
        reference = (child, column, parent)
        assert small.orphans(reference, after) <= small.orphans(reference), reference
    for table, columns in small.standing:
        assert not duplicates(after[table], columns)
    if not blocked:
        assert not duplicates(after["t0"], small.rule)
        again = planned(world, action, f"t0.{','.join(small.rule)}", survivor=survivor)
        assert not again.steps
    if survivor == "oldest":
        assert min(row[0] for row in before["t0"]) in {row[0] for row in after["t0"]}
    back = world.roll_back(result.run) if any(tallies(result.rows).values()) else None
    assert back is None or back.refusals == []
    assert world.rows() == whole
    assert back is None or (back.proof.rows_equal and back.proof.schema_equal)


SURVIVORS = st.sampled_from(["oldest", "newest", "most_referenced", "s desc"])
ACTIONS = st.sampled_from([str(Duplicates.MERGE), str(Duplicates.MERGE), str(Duplicates.RENAME)])


def test_any_small_database(world: World) -> None:
    @seed(7)
    @settings(max_examples=60 if world.sqlite else 15, **QUICK)  # type: ignore[arg-type]
    @given(small=smalls(), action=ACTIONS, survivor=SURVIVORS, fill=st.booleans())
    def agree(small: Small, action: str, survivor: str, fill: bool) -> None:
        check(world, small, action, survivor, fill)

    agree()


@pytest.mark.soak
@settings(max_examples=3_000, **QUICK)  # type: ignore[arg-type]
@given(small=smalls(), action=ACTIONS, survivor=SURVIVORS, fill=st.booleans())
def test_very_many_small_databases(
    world: World, small: Small, action: str, survivor: str, fill: bool
) -> None:
    check(world, small, action, survivor, fill)
