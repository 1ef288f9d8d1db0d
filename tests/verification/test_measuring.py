"""Hot queries are run with values from real data, in turn, within limits, and without a way to write."""

import pytest

from integrity.database.session import Target
from integrity.exceptions import CatalogError
from integrity.references.catalog import Catalog
from integrity.verification import Measurements, QueryMeasurement, measuring
from integrity.verification.draws import draw
from integrity.verification.measuring import measure, measure_side_by_side
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

NUMBERS = "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 3000)"
ORDERS = f"""
CREATE TABLE orders (id integer PRIMARY KEY, customer integer, note varchar(20));
{NUMBERS} INSERT INTO orders SELECT n, n % 300, '50% off' FROM s;
"""
INDEX = "CREATE INDEX orders_customer_idx ON orders (customer); ANALYZE"
QUERY = """
[[query]]
name = "orders_of_customer"
sql = "{sql}"
parameters = {{ customer = "SELECT customer FROM orders ORDER BY id" }}
table = "orders"
index = "orders_customer_idx"
"""
PLAIN = "SELECT * FROM orders WHERE customer = :customer"


@pytest.fixture(autouse=True)
def fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "ROUNDS", 40)


def measured(catalog: Catalog, **wishes: float) -> QueryMeasurement:
    (one,) = measure(Target("target"), catalog, **{"seconds": 20.0, **wishes}).queries  # type: ignore[arg-type]
    return one


def test_a_query_is_timed_with_many_values_and_its_work_is_counted(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    catalog = lend_catalog(QUERY.format(sql=PLAIN))
    before = measured(catalog)
    empty_target.execute_script(INDEX)
    after = measured(catalog)

    assert before.error == after.error == ""
    assert (before.access, after.access) == ("scan", "index orders_customer_idx")
    assert (before.indexed, after.indexed) == (False, True)
    assert before.draws == after.draws > 15  # of 20; the same value twice is one
    assert before.values == after.values
    assert before.rows == after.rows == 10.0
    assert before.runs == after.runs == 40
    assert 0 < (after.p50 or 0) <= (after.p95 or 0) <= (after.p99 or 0)
    work = "steps" if empty_target.vendor == SQLITE else "pages"
    assert getattr(after, work) < getattr(before, work)
    assert (before.cost is None) == (empty_target.vendor == SQLITE)
    assert any("orders_customer_idx" in line for line in after.plan)


def test_work_is_the_same_each_time(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    catalog = lend_catalog(QUERY.format(sql=PLAIN))
    first, second = measured(catalog), measured(catalog)
    assert (first.pages, first.steps) == (second.pages, second.steps)


def test_a_plan_shows_no_values(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    secret = "SELECT * FROM orders WHERE customer = :customer AND note = 'top secret'"
    found = measured(lend_catalog(QUERY.format(sql=secret)))
    assert found.plan
    assert "top secret" not in str(found)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM orders WHERE customer = :customer", "no SELECT"),
        ("/* SELECT */ UPDATE orders SET note = NULL WHERE customer = :customer", "no SELECT"),
        ("SELECT :customer; DELETE FROM orders", "more than one statement"),
        ("WITH gone AS (DELETE FROM orders WHERE customer = :customer RETURNING id) SELECT * FROM gone", ""),
        ("WITH none AS (SELECT 1) DELETE FROM orders WHERE customer = :customer", ""),
        ("SELECT * FROM orders WHERE customer = :customer FOR UPDATE", ""),
        ("SELECT * INTO other FROM orders WHERE customer = :customer", ""),
    ],
)
def test_what_writes_is_not_run(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, sql: str, said: str
) -> None:
    empty_target.execute_script(ORDERS)
    found = measured(lend_catalog(QUERY.format(sql=sql)))
    assert found.error
    assert said in found.error
    assert found.runs == 0
    assert empty_target.rows("SELECT count(*), count(note) FROM orders") == [(3000, 3000)]


@pytest.mark.parametrize("sql", ["SELECT * FROM orders WHERE customer = :customer ; -- done;", f"({PLAIN})"])
def test_an_end_and_brackets_are_no_second_statement(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, sql: str
) -> None:
    if empty_target.vendor == SQLITE and sql.startswith("("):
        return  # SQLite has no such SELECT
    empty_target.execute_script(ORDERS)
    assert measured(lend_catalog(QUERY.format(sql=sql))).error == ""


def test_a_query_that_takes_too_long_is_stopped_and_the_others_go_on(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    endless = f"{NUMBERS.replace(' WHERE n < 3000', '')} SELECT count(*) FROM s"
    second = f'\n[[query]]\nname = "endless"\nsql = "{endless}"\n'
    found = measure(Target("target"), lend_catalog(second + QUERY.format(sql=PLAIN)), seconds=1.0)
    stopped, fine = found.queries
    assert (stopped.name, stopped.timed_out, stopped.runs) == ("endless", True, 0)
    assert fine.error == ""
    assert fine.runs > 0
    assert found.seconds < 10


def test_a_query_over_an_empty_table_has_nothing_to_draw_from(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS + "DELETE FROM orders")
    found = measured(lend_catalog(QUERY.format(sql=PLAIN)))
    assert "The query of :customer finds no row" in found.error


def test_a_query_with_very_many_rows_is_judged_by_its_work(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    found = measured(
        lend_catalog(QUERY.format(sql="SELECT 1 FROM orders o CROSS JOIN orders p WHERE o.customer < 40"))
    )
    assert (found.error, found.runs, found.rows) == ("", 0, 1_200_000.0)
    assert found.pages or found.steps


def test_a_name_without_a_value_is_a_mistake_of_the_catalog(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    with pytest.raises(CatalogError, match=":cust has no query"):
        measured(lend_catalog(QUERY.format(sql="SELECT * FROM orders WHERE customer = :cust")))


def test_one_query_can_be_chosen(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(ORDERS)
    other = QUERY.format(sql=PLAIN).replace("orders_of_customer", "other")
    found = measure(Target("target"), lend_catalog(QUERY.format(sql=PLAIN) + other), only=["other"])
    assert [each.name for each in found.queries] == ["other"]


def test_two_states_are_measured_in_turn(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_target.execute_script(ORDERS)
    catalog = lend_catalog(QUERY.format(sql=PLAIN))
    sides = measure_side_by_side([Target("target"), Target("target")], catalog, seconds=20.0)
    assert [len(side.queries) for side in sides] == [1, 1]
    assert all(side.queries[0].runs == 40 for side in sides)
    assert all(isinstance(side, Measurements) and side.yardstick_ms for side in sides)


def test_values_are_spread_and_the_same_each_time(empty_target: EmptyTarget) -> None:
    empty_target.execute_script(ORDERS)
    parameters = {
        "customer": "SELECT customer, 1 FROM orders ORDER BY id;",
        "id": "SELECT id FROM orders ORDER BY id -- in order",
        "only": "SELECT max(id) FROM orders",
    }
    with Target("target").reading() as session:
        session.engine.begin_measuring(session, 5_000)
        drawn = draw(session, parameters, where="here")
        again = draw(session, parameters, where="here")
        others = draw(session, parameters, where="here", seed=2)
        none = draw(session, {}, where="here")
        few = draw(session, {"id": "SELECT id FROM orders WHERE id <= 3"}, where="here")
    assert drawn == again != others
    ids = [each["id"] for each in drawn]
    assert len(ids) == 20
    assert all(number * 150 < each <= (number + 1) * 150 for number, each in enumerate(ids))
    assert all(each["customer"] == each["id"] % 300 and each["only"] == 3000 for each in drawn)
    assert none == [{}]
    assert few == [{"id": 1}, {"id": 2}, {"id": 3}]


def test_values_that_cannot_be_drawn_in_time_say_nothing_of_the_query(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    slow = QUERY.format(sql=PLAIN).replace(
        "SELECT customer FROM orders ORDER BY id", "SELECT a.id FROM orders a, orders b, orders c ORDER BY 1"
    )
    found = measured(lend_catalog(slow), seconds=0.3)
    assert "could not be drawn in time" in found.error
    assert not found.timed_out


@pytest.mark.parametrize(
    ("name", "said"),
    [("orders_of_customer", "has this name, too"), ("x" * 201, "longer than 200 characters")],
)
def test_a_query_is_known_by_its_name(lend_catalog: LendCatalog, name: str, said: str) -> None:
    other = QUERY.format(sql=PLAIN).replace('"orders_of_customer"', f'"{name}"')
    with pytest.raises(CatalogError, match=said):
        lend_catalog(QUERY.format(sql=PLAIN) + other)


def test_percent_signs_nulls_and_odd_names_are_measured(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(
        """CREATE TABLE "Odd % Table" ("the key" integer, "50%" varchar(9));
           INSERT INTO "Odd % Table" VALUES (NULL, 'a%'), (1, 'b'), (2, NULL);"""
    )
    found = measured(
        lend_catalog(
            """
[[query]]
name = "100% odd"
sql = '''SELECT "50%", 7 % 2 FROM "Odd % Table" WHERE "the key" = :k OR "50%" LIKE 'a%' '''
parameters = { k = '''SELECT "the key" FROM "Odd % Table" ORDER BY "50%" LIKE 'b%' ''' }
table = '"Odd % Table"'
after = "scan"
"""
        )
    )
    assert (found.error, found.access) == ("", "scan")
    assert found.runs >= 10
