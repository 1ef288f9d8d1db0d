"""JSON that repeats a table is held against it row by row, whatever stands in it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from integrity.audit import audit
from integrity.database.session import Target
from integrity.detectors import Severity
from integrity.exceptions import CatalogError
from integrity.references import known_references
from integrity.references.catalog import Catalog
from integrity.references.mirror import known_mirrors
from integrity.references.mirror_survey import MirrorSurvey, survey_mirror
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

TABLES = """
CREATE TABLE customers (id integer PRIMARY KEY, orders {json});
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total numeric(10, 2), code varchar(20));
"""
CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"

[[mirror]]
column = "customers.orders"
repeats = "orders.customer_id"
"""
State = Callable[..., str]


def survey(catalog: Catalog) -> MirrorSurvey:
    with Target("target").reading() as session:
        schema = session.schema()
        (mirror,) = known_mirrors(schema, catalog, known_references(schema, catalog))
        return survey_mirror(session, schema, catalog, mirror)


@pytest.fixture(params=["jsonb", "json"])
def customers(request: pytest.FixtureRequest, empty_target: EmptyTarget) -> EmptyTarget:
    kind = request.param if empty_target.vendor != SQLITE else "TEXT" if request.param == "jsonb" else "JSON"
    empty_target.execute_script(TABLES.format(json=kind))
    return empty_target


@pytest.fixture
def state(customers: EmptyTarget, lend_catalog: LendCatalog) -> State:
    """Give a customer JSON and orders; returns the state of the row."""

    def look(value: str | None, *orders: int, more: str = "") -> str:
        written = "NULL" if value is None else "'" + value.replace("'", "''") + "'"
        customers.execute_script(
            f"DELETE FROM orders; DELETE FROM customers; INSERT INTO customers VALUES (1, {written}), (2, '[]')"
        )
        for number in orders:
            customers.execute_script(f"INSERT INTO orders VALUES ({number}, 1, 12.5, 'c{number}')")
        found = survey(lend_catalog(CATALOG + more))
        assert found.rows == 2
        states = dict(found.states)
        states["equal"] -= 1  # customer 2
        (only,) = [each for each, rows in states.items() if rows]
        return str(only)

    return look


@pytest.mark.parametrize(
    ("value", "orders", "expected"),
    [
        ('{"count": 2}', (7, 8), "equal"),
        ('{"count": "2"}', (7, 8), "equal"),
        ('{"count": 2.0}', (7, 8), "equal"),
        ('{"count": " 2 ", "last": "2026-01-01"}', (7, 8), "equal"),
        ('{"count": 0}', (), "equal"),
        ('{"count": 3}', (7, 8), "stale"),
        ('{"count": -1}', (), "stale"),
        ('{"count": 99999999999999999999999}', (7,), "stale"),
        ('{"count": 2}', (), "only_in_json"),
        ('{"count": 0}', (7,), "only_in_table"),
        ('{"count": null}', (7,), "count_missing"),
        ('{"count": null}', (), "count_missing"),
        ('{"total": 3}', (7,), "count_missing"),
        ("{}", (), "count_missing"),
        ('{"count": "many"}', (7,), "count_missing"),
        ('{"count": 2.5}', (7,), "count_missing"),
        ('{"count": true}', (7,), "count_missing"),
        ('{"count": {"count": 1}}', (7,), "count_missing"),
        ('{"count": [1]}', (7,), "count_missing"),
        (None, (), "null"),
        (None, (7,), "null"),
        ("null", (7,), "null"),
        ("7", (7,), "invalid"),
        ('"text"', (7,), "invalid"),
        ("[]", (), "equal"),
        ("[7, 8]", (7, 8), "equal"),
        ("[8, 7]", (7, 8), "equal"),
        ('["8", 7.0]', (7, 8), "equal"),
        ('[{"id": 7}, {"id": "8", "note": "€ \\u00e9"}]', (7, 8), "equal"),
        ('[7, {"id": 8}]', (7, 8), "equal"),
        ("[7]", (7, 8), "stale"),
        ("[7, 8, 9]", (7, 8), "stale"),
        ("[7, 7]", (7,), "stale"),
        ("[7, 7]", (7, 8), "stale"),
        ("[9]", (), "only_in_json"),
        ("[]", (7,), "only_in_table"),
        ("[null]", (7,), "stale"),
        ("[[7]]", (7,), "stale"),
        ('[{"nr": 7}]', (7,), "stale"),
        ('[{"id": null}]', (), "only_in_json"),
    ],
)  # fmt: skip
def test_every_row_is_what_it_is(
    state: State, value: str | None, orders: tuple[int, ...], expected: str
) -> None:
    assert state(value, *orders) == expected


def test_text_that_is_no_json_is_a_state_of_its_own(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(TABLES.format(json="TEXT"))
    empty_target.execute_script(
        """INSERT INTO customers VALUES (1, '{"count": 1'), (2, ''), (3, x'00ff'), (4, 12), (5, '[1,]')"""
    )
    found = survey(lend_catalog(CATALOG))
    assert found.states == {"invalid": 5}
    assert found.held == found.drifted == 5


def test_keys_and_columns_may_have_odd_names(state: State) -> None:
    more = 'count = "n % \'é"\nelements = { "ключ %" = "id", sum = "total", code = "code" }\n'
    good = '[{"ключ %": 7, "sum": 12.50, "code": "c7"}]'
    assert state(good, 7, more=more) == "equal"
    assert state(good.replace("c7", "c8"), 7, more=more) == "stale"
    assert state(good.replace("12.50", '"12.5"'), 7, more=more) == "equal"
    assert state('{"n % \'é": 1}', 7, more=more) == "equal"
    assert state("[7]", 7, more=more) == "equal"
    assert state('[{"ключ %": 7, "code": "c7"}]', 7, more=more) == "stale"


def test_a_null_in_the_table_is_a_null_in_json(customers: EmptyTarget, lend_catalog: LendCatalog) -> None:
    customers.execute_script(
        """INSERT INTO customers VALUES (1, '[{"id": 1, "code": null}]'), (2, '[{"id": 2}]'),
           (3, '[{"id": 3, "code": "null"}]'); INSERT INTO orders (id, customer_id) VALUES (1, 1), (2, 2), (3, 3)"""
    )
    found = survey(lend_catalog(CATALOG + 'elements = ["id", "code"]'))
    assert found.states == {"equal": 2, "stale": 1}


TEXTS_OWN_QUERY = """
SELECT count(*) FROM customers sc
WHERE (sc.orders->>'count')::int != (SELECT COUNT(*) FROM orders o WHERE o.customer_id = sc.id)
"""


def test_missing_counts_and_nulls_are_not_skipped_as_the_usual_query_skips_them(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    kind = "TEXT" if empty_target.vendor == SQLITE else "jsonb"
    empty_target.execute_script(TABLES.format(json=kind))
    empty_target.execute_script(
        """INSERT INTO customers VALUES (1, '{"count": 5}'), (2, '{"count": null}'), (3, '{}'), (4, NULL), (5, '[9]');
           INSERT INTO orders (id, customer_id) VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)"""
    )
    if empty_target.vendor != SQLITE:
        assert empty_target.rows(TEXTS_OWN_QUERY) == [(1,)]
    found = survey(lend_catalog(CATALOG))
    assert found.states == {"stale": 2, "count_missing": 2, "null": 1}
    assert (found.drifted, found.null_with_rows, found.held, found.elements_only_in_json) == (5, 1, 1, 1)


def test_what_no_rows_and_no_json_say_is_no_drift(customers: EmptyTarget, lend_catalog: LendCatalog) -> None:
    catalog = lend_catalog(CATALOG)
    assert survey(catalog).rows == 0
    customers.execute_script("INSERT INTO customers VALUES (1, NULL)")
    assert audit(Target("target"), catalog).with_code("mirror_drift") == []


def test_an_audit_finds_drift_once_with_counts_and_masked_samples(
    customers: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    customers.execute_script(
        """INSERT INTO customers VALUES (1, '{"count": 5}'), (2, '[1]'), (3, '{"count": 0}');
           INSERT INTO orders (id, customer_id) VALUES (10, 3)"""
    )
    masked = CATALOG + '[mask]\ncolumns = ["customers.orders"]\n'
    (finding,) = audit(Target("target"), lend_catalog(masked)).with_code("mirror_drift")
    assert (finding.severity, finding.rows) == (Severity.ERROR, 3)
    assert finding.message == (
        "3 of 3 rows of customers.orders say something else than orders.customer_id: "
        "2 only in JSON, 1 only in the table"
    )
    assert finding.evidence["samples"]["only_in_json"] == [
        {"key": [1], "json": "(masked)", "in_json": 5, "in_table": 0},
        {"key": [2], "json": "(masked)", "in_json": 1, "in_table": 0},
    ]
    json.dumps(finding.as_json())
    kept = lend_catalog(CATALOG + 'drift = "keep"\n')
    assert [each.severity for each in audit(Target("target"), kept).with_code("mirror_drift")] == [
        Severity.WARNING
    ]


def test_rows_are_found_by_references_and_keys_of_several_columns(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    kind = "TEXT" if empty_target.vendor == SQLITE else "jsonb"
    empty_target.execute_script(f"""
        CREATE TABLE "Odd %s" (shop integer, nr varchar(9), "j ""x" {kind}, PRIMARY KEY (shop, nr));
        CREATE TABLE lines (doc integer, line integer, shop integer, nr varchar(9), PRIMARY KEY (doc, line));
        INSERT INTO "Odd %s" VALUES (1, 'a', '[{{"doc": 1, "line": 1}}, {{"doc": 1, "line": 2}}]'), (1, 'b', '[]'),
            (2, 'a', '[{{"doc": 11, "line": 2}}]');
        INSERT INTO lines VALUES (1, 1, 1, 'a'), (1, 2, 1, 'a'), (1, 3, NULL, 'b'), (1, 12, 2, 'a')""")
    found = survey(
        lend_catalog("""
        [[reference]]
        from = "lines.shop,nr"
        to = '"Odd %s".shop,nr'
        [[mirror]]
        column = '"Odd %s"."j ""x"'
        repeats = "lines.shop,nr"
    """)
    )
    assert found.states == {"equal": 2, "stale": 1}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("customers.orders", "customers.ordrs", "has no column 'ordrs'"),
        ('repeats = "orders.customer_id"', 'repeats = "orders.id"', "is not a reference to customers"),
        ("[[mirror]]", '[[mirror]]\nshape = "lists"', "shape = 'lists' is not known"),
        ("[[mirror]]", '[[mirror]]\nelements = "id"', "elements must say which columns"),
        ("[[mirror]]", '[[mirror]]\nelements = ["nr"]', "has no column 'nr'"),
        ("[[mirror]]", "[[mirror]]\ncount = 'a\"b'", "cannot be asked for as a key"),
        ("[[mirror]]", '[[mirror]]\ndrfit = "keep"', "'drfit' is not a word of a catalog"),
    ],
)  # fmt: skip
def test_a_mistake_says_where_it_is(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, old: str, new: str, what: str
) -> None:
    kind = "TEXT" if empty_target.vendor == SQLITE else "jsonb"
    empty_target.execute_script(TABLES.format(json=kind))
    head, mirror = CATALOG.split("[[mirror]]")
    with pytest.raises(CatalogError, match=what) as error:
        audit(Target("target"), lend_catalog(head + ("[[mirror]]" + mirror).replace(old, new)))
    assert "[[mirror]] 1 (customers.or" in error.value.where


def test_text_that_holds_json_is_a_gap_on_postgresql_and_not_a_crash(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(TABLES.format(json="text"))
    coverage = audit(Target("target"), lend_catalog(CATALOG)).coverage
    assert not coverage.complete
    assert "is text, not json or jsonb" in coverage.skipped[0]["reason"]


def test_a_hundred_thousand_rows_are_compared_without_any_index(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, settings: Any
) -> None:
    if empty_target.vendor == SQLITE:
        kind, numbers = (
            "TEXT",
            "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 100000)",
        )
        array = "json_array(n, n + 100000)"
    else:
        kind, numbers = "jsonb", "WITH g(n) AS (SELECT generate_series(1, 100000))"
        array = "jsonb_build_array(n, n + 100000)"
    empty_target.execute_script(TABLES.format(json=kind))
    empty_target.execute_script(
        f"""
        INSERT INTO customers {numbers} SELECT n, CASE WHEN n %% 2 = 0 THEN {array} ELSE '{{"count": 2}}' END FROM g;
        INSERT INTO orders (id, customer_id) {numbers} SELECT n, n FROM g;
        INSERT INTO orders (id, customer_id) {numbers} SELECT n + 100000, n FROM g WHERE n < 99999;
        """.replace("%%", "%")
    )
    settings.INTEGRITY = {"STATEMENT_TIMEOUT_MS": 60_000}  # each row with each would take hours
    found = survey(lend_catalog(CATALOG))
    assert found.states == {"equal": 99998, "stale": 2}
