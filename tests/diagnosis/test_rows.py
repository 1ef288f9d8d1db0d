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
    all_referring_rows,
    find_parents,
    looking,
    missing_keys,
    orphan_rows,
    referring_rows,
)
from integrity.exceptions import NotAnswerable, TargetUnreachable, TimedOut
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


ORPHANS = """
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace'), (30, 'Graham');
INSERT INTO orders (id, secret, customer_id, total, title) VALUES (1, 's', 1, 5, 'fine'), (2, 's', NULL, 5, 'nobody''s'),
    (3, 's', 90, 1.50, 'a'), (4, 's', 91, 2, 'b'), (5, 's', 90, 3, 'c'), (6, 's', 92, 4, 'd'), (7, 's', 90, 5, 'e'),
    (8, 's', 91, 6, 'f'), (9, 's', 90, 7, 'g');
INSERT INTO lines VALUES (1, 3), (2, 3), (3, 5), (4, 1), (5, NULL);
"""


@pytest.fixture
def shop(empty_target: EmptyTarget) -> EmptyTarget:
    """Seven orders of three customers that do not exist."""
    unenforced(empty_target, SHOP + ORPHANS)
    return empty_target


def ids(*pages: RowPage) -> list[str]:
    return [row.key[0] for each in pages for row in each.rows]


@pytest.mark.newest_postgres_only
def test_rows_that_come_and_go_between_pages_are_neither_repeated_nor_in_the_way(shop: EmptyTarget) -> None:
    first = page(limit=3)
    unenforced(
        shop, "DELETE FROM orders WHERE id IN (3, 5, 6); INSERT INTO orders (id, customer_id) VALUES (70, 7)"
    )
    rest = [page(after=first.after, limit=3)]
    while rest[-1].after:
        rest.append(page(after=rest[-1].after, limit=3))

    assert ids(first) == ["3", "4", "5"]
    assert ids(*rest) == ["7", "8", "9", "70"]
    unenforced(shop, "DELETE FROM orders WHERE id > 5")
    assert page(after=first.after) == RowPage(first.columns, first.beside)


@pytest.mark.newest_postgres_only
def test_the_columns_that_people_need_come_first(shop: EmptyTarget) -> None:
    found = page(limit=1)

    assert [each.name for each in found.columns] == ["id", "customer_id", "title", "total", "note"]
    assert [each.role for each in found.columns][:3] == ["key", "reference", "value"]
    assert [each.name for each in found.beside] == ["secret"]
    assert told([found]) == [("3", "90", "a", "1.50" if shop.vendor != SQLITE else "1.5", None)]


@pytest.mark.newest_postgres_only
def test_only_the_rows_of_one_missing_key_are_shown(shop: EmptyTarget) -> None:
    pages, _ = forwards(key=("90",), limit=3)
    assert ids(*pages) == ["3", "5", "7", "9"]
    assert backwards(pages[-1], key=("90",), limit=3) == told(pages[:-1])
    assert page(key=("1",)).rows == (), "a key that exists is not missing"
    with pytest.raises(NotAnswerable):
        page(key=("90", "1"))
    if shop.vendor == SQLITE:
        assert page(key=("' OR 1=1 --",)).rows == ()
    else:
        with pytest.raises(NotAnswerable):
            page(key=("' OR 1=1 --",))


@pytest.mark.newest_postgres_only
def test_a_place_that_was_never_given_out_is_refused(shop: EmptyTarget) -> None:
    given = page(limit=1).after
    lines = page(Sought("target", parse_path("lines.order_id"), "orders"))
    for forged in ("x", given[:-1], given.replace(":", "::"), "WyIiLDNd:x:y"):
        with pytest.raises(NotAnswerable):
            page(after=forged)
    assert lines.rows == ()
    with pytest.raises(NotAnswerable):
        page(Sought("target", parse_path("lines.order_id"), "orders"), after=given)


@pytest.mark.newest_postgres_only
def test_missing_keys_are_counted_the_commonest_first(shop: EmptyTarget) -> None:
    with looking(ORDERS) as orphans:
        first, second = missing_keys(orphans, limit=2), missing_keys(orphans, page=2, limit=2)

    assert [(each.key, each.rows) for each in (*first.keys, *second.keys)] == [
        (("90",), 4), (("91",), 2), (("92",), 1)
    ]  # fmt: skip
    assert (first.more, second.more) == (True, False)


@pytest.mark.newest_postgres_only
def test_what_refers_to_the_rows_is_counted(shop: EmptyTarget) -> None:
    with looking(ORDERS) as orphans:
        found = orphan_rows(orphans, limit=3)
        (lines,) = referring_rows(orphans, found.rows)
        assert (lines.label, lines.on_delete, lines.counts) == ("lines.order_id", "CASCADE", (2, 0, 1))
        assert all_referring_rows(orphans, "lines.order_id") == 3
        with pytest.raises(NotAnswerable):
            all_referring_rows(orphans, "orders.customer_id")


@pytest.mark.newest_postgres_only
def test_rows_to_refer_to_are_found_by_the_beginning_of_key_or_name(shop: EmptyTarget) -> None:
    with looking(ORDERS) as orphans:
        found = {term: find_parents(orphans, term) for term in ("3", "GRA", "_", "", "9" * 40)}
        few = find_parents(orphans, "", most=2)

    assert [each.key for each in found["3"].found] == [("30",)]
    assert [each.called for each in found["GRA"].found] == [("Grace",), ("Graham",)]
    assert found["_"].found == found["9" * 40].found == ()
    assert (len(few.found), few.more, few.gap) == (2, True, False)


@pytest.mark.newest_postgres_only
def test_masked_values_never_leave_the_target(shop: EmptyTarget, tmp_path: Any, settings: Any) -> None:
    (tmp_path / "catalogs" / "target").mkdir(parents=True)
    settings.INTEGRITY = {"CATALOG_ROOT": tmp_path / "catalogs"}
    mask = tmp_path / "catalogs" / "target" / "catalog.toml"
    mask.write_text('[mask]\ncolumns = ["orders.title"]\n')
    found = page()
    title = [each.name for each in found.columns].index("title")
    assert {row.cells[title].text for row in found.rows} == {"(masked)"}

    mask.write_text('[mask]\ncolumns = ["orders.id", "customers.id"]\n')
    pages, _ = forwards(limit=3)
    assert not any(row.key or row.missing for each in pages for row in each.rows)
    assert {cell for row in told(pages) for cell in row[:2]} == {"(masked)"}
    with looking(ORDERS) as orphans:
        assert [each.key for each in missing_keys(orphans).keys] == [()] * 3
        assert find_parents(orphans, "1").found == ()


@pytest.mark.newest_postgres_only
def test_who_waits_for_a_page_waits_briefly(empty_target: EmptyTarget) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
    if empty_target.vendor == SQLITE:
        filled = f"INSERT INTO orders (id, customer_id) {numbers} SELECT i, i FROM n;"
    else:
        filled = f"{numbers} INSERT INTO orders (id, customer_id) SELECT i, i FROM n;"
    unenforced(empty_target, SHOP + filled + "INSERT INTO customers (id) SELECT id FROM orders;")
    with (
        pytest.raises(TimedOut, match="Narrow it to one missing key"),
        looking(ORDERS, statement_timeout_ms=2) as orphans,
    ):
        orphan_rows(orphans)


@pytest.mark.engine("postgresql")
@pytest.mark.newest_postgres_only
@pytest.mark.parametrize("key", ["", "PRIMARY KEY (id, day)"], ids=["none", "key"])
def test_pages_go_through_all_partitions(empty_target: EmptyTarget, key: str) -> None:
    own = f", {key}" if key else ""
    unenforced(
        empty_target,
        "CREATE TABLE customers (id integer PRIMARY KEY);"
        f"CREATE TABLE orders (id integer, day integer, customer_id integer{own}) PARTITION BY LIST (day);"
        "CREATE TABLE o1 PARTITION OF orders FOR VALUES IN (1); CREATE TABLE o2 PARTITION OF orders FOR VALUES IN (2);"
        "CREATE TABLE empty PARTITION OF orders FOR VALUES IN (3);"
        "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);"
        "INSERT INTO orders SELECT i, 1 + i % 2, i FROM generate_series(1, 25) i",
    )
    pages, _ = forwards(limit=4)
    found = told(pages)
    at = [each.name for each in pages[0].columns].index("customer_id")

    assert sorted(int(row[at]) for row in found) == list(range(1, 26))
    assert backwards(pages[-1], limit=4) == told(pages[:-1])


def test_a_target_that_is_down_says_so(register_target: Any, tmp_path: Any) -> None:
    register_target("target", f"sqlite:///{tmp_path}/gone.sqlite3")
    with pytest.raises(TargetUnreachable):
        page()


@pytest.mark.engine("sqlite")
def test_text_that_is_none_is_shown_but_names_no_row(empty_target: EmptyTarget) -> None:
    unenforced(
        empty_target,
        "CREATE TABLE customers (id text PRIMARY KEY);"
        "CREATE TABLE orders (id text PRIMARY KEY, customer_id text REFERENCES customers (id), body blob) WITHOUT ROWID;"
        "INSERT INTO orders VALUES ('a', 'x', x'00ff'), (CAST(x'62ff' AS text), CAST(x'ff' AS text), zeroblob(90));",
    )
    first, second = page().rows
    assert (first.key, first.missing, first.beside[0].text) == (("a",), ("x",), "00ff")
    assert (second.key, second.missing, second.beside[0].size) == ((), (), 90)
