"""Asking each distinct key once says the same as asking every row, and is open only where it must."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st

from integrity.database.session import Target
from integrity.references import distinct_keys
from integrity.references.declared import declared_references
from integrity.references.distinct_keys import by_key_is_sound, orphans_by_key
from integrity.references.orphans import orphaned
from tests.references.test_orphans_properties import (
    COLLATIONS,
    PAIRS,
    SQLITE_TYPES,
    SQLITE_VALUES,
    _make,
    quickly,
    scratch,
)
from tests.servers import SQLITE, EmptyTarget, RegisterTarget

pytestmark = pytest.mark.newest_postgres_only

__all__ = ["scratch"]

CLAUSES = st.sampled_from(["", " DESC", " COLLATE NOCASE", " COLLATE BINARY"])


def both_ways() -> tuple[bool, bool | None, bool]:
    """By all rows, by keys, and whether the way by keys is open."""
    with Target("target").reading() as session:
        schema = session.schema()
        (reference,) = declared_references(schema)
        where = orphaned(session.engine, schema, reference)
        source = session.engine.source(schema.table(reference.table))
        rows = session.value(f"SELECT count(*) FROM {source} c WHERE {where.sql}", where.params)
        by_key = orphans_by_key(session, schema, reference, where)
        return rows > 0, by_key, by_key_is_sound(schema, reference)


@pytest.fixture(autouse=True)
def any_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distinct_keys, "LEAST_ROWS", -1)


@quickly
@given(
    types=st.tuples(SQLITE_TYPES, COLLATIONS, SQLITE_TYPES, COLLATIONS),
    alike=st.booleans(),
    clause=CLAUSES,
    parents=st.lists(SQLITE_VALUES, max_size=5),
    children=st.lists(SQLITE_VALUES, max_size=8),
)
def test_keys_and_rows_agree_on_sqlite(
    types: tuple[str, str, str, str],
    alike: bool,
    clause: str,
    parents: list[Any],
    children: list[Any],
    sqlite_path: Path,
    register_target: RegisterTarget,
) -> None:
    there, here = types[:2], types[:2] if alike else types[2:]
    sqlite_path.unlink(missing_ok=True)
    with closing(sqlite3.connect(sqlite_path)) as connection:
        connection.execute(f"CREATE TABLE p (id INTEGER PRIMARY KEY, k {' '.join(there)} UNIQUE)")
        connection.execute(f"CREATE TABLE c (k {' '.join(here)} REFERENCES p (k))")
        connection.execute(f"CREATE INDEX c_k ON c (k{clause})")
        connection.executemany("INSERT OR IGNORE INTO p (k) VALUES (?)", [(each,) for each in parents])
        connection.executemany("INSERT INTO c VALUES (?)", [(each,) for each in children])
        connection.commit()
    if "target" not in connections.databases:
        register_target("target", f"sqlite:///{sqlite_path}")
    by_rows, by_key, sound = both_ways()
    assert by_key == (by_rows if sound else None)


@settings(quickly, max_examples=30)
@given(pair=PAIRS, alike=st.booleans(), rows=st.data())
def test_keys_and_rows_agree_on_postgresql(
    pair: tuple[str, str, list[str]], alike: bool, rows: st.DataObject, scratch: psycopg.Connection
) -> None:
    there, here, values = pair[0], pair[0] if alike else pair[1], st.sampled_from([None, *pair[2]])
    lists = [rows.draw(st.lists(st.tuples(values), max_size=8)) for _ in range(2)]
    _make(scratch, "p", [f"k {there}"], lists[0], ["k"])
    _make(scratch, "c", [f"k {here}"], lists[1], [])
    scratch.execute("CREATE INDEX ON c (k)")
    try:
        scratch.execute("ALTER TABLE c ADD FOREIGN KEY (k) REFERENCES p (k) NOT VALID")
    except psycopg.errors.Error:
        return
    by_rows, by_key, sound = both_ways()
    assert by_key == (by_rows if sound else None)


TABLES = """
CREATE TABLE p (k {there} {unique});
CREATE TABLE c (k {here} REFERENCES p (k), other integer);
"""


@pytest.mark.parametrize(
    ("there", "here", "index", "open_"),
    [
        ("integer", "integer", "(k)", True),
        ("integer", "integer", "(k DESC)", True),
        ("integer", "integer", "(k, other)", True),
        ("integer", "integer", "(other, k)", False),
        ("integer", "integer", "(k) WHERE other > 0", False),
        ("integer", "integer", "(abs(k))", False),
        ("integer", "integer", "(abs(other), k)", False),
        ("bigint", "integer", "(k)", False),
    ],
)
def test_the_way_is_open_where_one_key_speaks_for_all_its_rows(
    empty_target: EmptyTarget, there: str, here: str, index: str, open_: bool
) -> None:
    empty_target.execute_script(
        TABLES.format(there=there, here=here, unique="UNIQUE") + f"CREATE INDEX c_k ON c {index};"
    )
    assert both_ways()[2] is open_


def test_an_orphan_among_many_rows_is_found_and_none_is_invented(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(
        TABLES.format(there="integer", here="integer", unique="PRIMARY KEY")
        + """
        CREATE INDEX c_k ON c (k);
        WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 29) INSERT INTO p SELECT n FROM s;
        WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 2999)
        INSERT INTO c SELECT n % 30, n FROM s;
        INSERT INTO c VALUES (NULL, 1);
        """
    )
    assert both_ways() == (False, False, True)
    if empty_target.vendor == SQLITE:  # the other one keeps them out
        empty_target.execute_script("INSERT INTO c VALUES (29, 1), (30, 1), (31, 2)")
        assert both_ways() == (True, True, True)


def test_beyond_so_many_keys_nothing_is_said(
    empty_target: EmptyTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_target.execute_script(
        TABLES.format(there="integer", here="integer", unique="PRIMARY KEY")
        + "CREATE INDEX c_k ON c (k); INSERT INTO p VALUES (1), (2), (3); INSERT INTO c (k) VALUES (1), (2), (3);"
    )
    answers = {}
    for most in (1, 2, 3, 4):
        monkeypatch.setattr(distinct_keys, "MOST_KEYS", most)
        answers[most] = both_ways()[1]
    assert answers == {1: None, 2: None, 3: False, 4: False}


def test_a_small_table_is_not_asked_so(empty_target: EmptyTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    empty_target.execute_script(
        TABLES.format(there="integer", here="integer", unique="PRIMARY KEY") + "CREATE INDEX c_k ON c (k);"
    )
    assert both_ways() == (False, None, True)
