"""Orphans are shown row by row: every one of them once, forwards and backwards, whatever their key."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrity.database.identifiers import parse_path
from integrity.diagnosis.rows import (
    RowPage,
    Sought,
    looking,
    orphan_rows,
)
from tests.servers import SQLITE, EmptyTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name text);
CREATE TABLE orders (id integer PRIMARY KEY, secret text, customer_id integer REFERENCES customers (id),
    total numeric, title text, note text);
CREATE TABLE lines (id integer PRIMARY KEY, order_id integer REFERENCES orders (id) ON DELETE CASCADE);
"""
ORDERS = Sought("target", parse_path("orders.customer_id"), "customers")
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
ODD_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=6)


def unenforced(target: EmptyTarget, sql: str) -> None:
    """Make a schema whose references hold nothing back."""
    script = sql if target.vendor == SQLITE else f"SET session_replication_role = replica; {sql}"
    target.execute_script(script)


def page(sought: Sought = ORDERS, **how: Any) -> RowPage:
    with looking(sought) as orphans:
        return orphan_rows(orphans, **how)


def forwards(sought: Sought = ORDERS, **how: Any) -> tuple[list[RowPage], list[str]]:
    """All pages, and where each begins."""
    pages, begin = [page(sought, **how)], [""]
    while pages[-1].after:
        begin.append(pages[-1].after)
        pages.append(page(sought, after=begin[-1], **how))
    return pages, begin


def told(pages: Sequence[RowPage]) -> list[tuple[Any, ...]]:
    rows = [row for each in pages for row in each.rows]
    return [tuple(None if cell.text is None else str(cell.text) for cell in row.cells) for row in rows]


def backwards(last: RowPage, sought: Sought = ORDERS, **how: Any) -> list[tuple[Any, ...]]:
    """All rows before a page, read from behind."""
    found: list[tuple[Any, ...]] = []
    current = last
    while current.before:
        current = page(sought, before=current.before, **how)
        found = told([current]) + found
    return found


def literal(value: str | int | None) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


@pytest.mark.newest_postgres_only
@pytest.mark.parametrize("key", ["PRIMARY KEY (a, b)", ""], ids=["composite", "none"])
@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
@given(
    st.lists(
        st.tuples(ODD_TEXT, st.integers(-3, 3), st.one_of(st.none(), ODD_TEXT)),
        unique_by=lambda each: each[:2],
        max_size=14,
    ),
    st.integers(1, 4),
)
def test_pages_hold_every_orphan_once_in_both_directions(
    empty_target: EmptyTarget, key: str, rows: list[tuple[str, int, str | None]], limit: int
) -> None:
    own = f", {key}" if key else ""
    values = ", ".join(f"({', '.join(map(literal, each))})" for each in rows)
    unenforced(
        empty_target,
        'DROP TABLE IF EXISTS "odd %s ""rows"""; DROP TABLE IF EXISTS p;'
        "CREATE TABLE p (k text PRIMARY KEY); INSERT INTO p VALUES ('x');"
        f'CREATE TABLE "odd %s ""rows""" (a text, b integer, "the %d" text REFERENCES p (k){own});'
        + (f'INSERT INTO "odd %s ""rows""" VALUES {values};' if rows else ""),
    )
    sought = Sought("target", parse_path('"odd %s ""rows""".the %d'), "p")
    expected = {(a, str(b), k) for a, b, k in rows if k not in (None, "x")}
    pages, _ = forwards(sought, limit=limit)
    found = told(pages)
    shown = [each.name for each in pages[0].columns]
    assert shown[:3] == (["a", "b", "the %d"] if key else ["the %d", *shown[1:3]])
    places = [shown.index(name) for name in ("a", "b", "the %d")]

    assert sorted(map(repr, expected)) == sorted(repr(tuple(row[at] for at in places)) for row in found)
    assert all(len(each.rows) == limit for each in pages[:-1])
    assert backwards(pages[-1], sought, limit=limit) == told(pages[:-1])
