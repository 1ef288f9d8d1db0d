"""The plan of each hot query is shown before and after, and judged as on a table that has grown."""

import pytest

from integrity.database.session import Target
from integrity.exceptions import CatalogError
from integrity.references.catalog import Catalog
from integrity.verification import QueryPlan, query_plans, verify
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

ORDERS = """
CREATE TABLE orders (id integer PRIMARY KEY, customer integer, placed varchar(10), note varchar(20));
INSERT INTO orders VALUES (1, 7, '2026-01-01', '50% off'), (2, 8, '2026-01-02', NULL);
"""
INDEX = "CREATE INDEX orders_customer_idx ON orders (customer)"
QUERY = """
[[index]]
table = "orders"
columns = ["customer"]
name = "orders_customer_idx"

[[query]]
name = "orders_of_customer"
sql = "{sql}"
parameters = {{ customer = "SELECT customer FROM orders ORDER BY id LIMIT 1" }}
table = "orders"
index = "orders_customer_idx"
before = "scan"
"""
PLAIN = "SELECT * FROM orders WHERE customer = :customer"


def one_plan(catalog: Catalog) -> QueryPlan:
    (plan,) = query_plans(Target("target"), catalog)
    assert plan.error == ""
    return plan


def test_a_query_scans_before_and_uses_the_index_after(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    catalog = lend_catalog(QUERY.format(sql=PLAIN))
    empty_target.execute_script(ORDERS)
    before = one_plan(catalog)
    empty_target.execute_script(INDEX)
    after = one_plan(catalog)

    assert (str(before.access), before.as_before, before.uses_index) == ("scan", True, False)
    assert (str(after.possible), after.uses_index) == ("index orders_customer_idx", True)


def test_what_the_planner_really_chooses_is_shown_beside_what_it_can_do(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    shown = one_plan(lend_catalog(QUERY.format(sql=PLAIN))).as_json()

    assert shown["possible"] == "index orders_customer_idx"
    tiny = {"sqlite": "index orders_customer_idx", "postgresql": "scan"}
    assert shown["access"] == tiny[empty_target.vendor]


def test_an_index_under_another_name_will_do(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(ORDERS + "CREATE INDEX other ON orders (customer)")

    assert one_plan(lend_catalog(QUERY.format(sql=PLAIN))).uses_index


def test_a_query_that_cannot_use_its_index_is_a_problem(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    sql = "SELECT * FROM orders WHERE customer + 0 = :customer"
    result = verify(Target("target"), lend_catalog(QUERY.format(sql=sql)))

    assert [problem.code for problem in result.problems] == ["query_without_index"]
    assert "cannot use the index orders_customer_idx: it reads orders by scan" in result.problems[0].message
    assert verify(Target("target"), lend_catalog(QUERY.format(sql=sql)), plans=False).ok


def test_an_empty_table_has_a_plan_too(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(ORDERS + INDEX + "; DELETE FROM orders")

    assert one_plan(lend_catalog(QUERY.format(sql=PLAIN))).uses_index


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM orders AS o WHERE o.customer = :customer AND o.note LIKE '50%'",
        "SELECT count(*) FROM orders o WHERE customer = :customer -- not :this\\n",
        'SELECT \':that\', \\":x\\" FROM (SELECT 1 AS \\":x\\", * FROM orders) o WHERE customer = :customer',
        "/* :none 100% */ SELECT * FROM orders WHERE customer = CAST(:customer AS integer)",
        "SELECT * FROM orders WHERE customer = :customer OR customer = :customer",
    ],
)
def test_parameters_are_found_where_they_are_and_nowhere_else(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, sql: str
) -> None:
    empty_target.execute_script(ORDERS + INDEX)

    assert one_plan(lend_catalog(QUERY.format(sql=sql))).uses_index


def test_casts_slices_and_dollar_quotes_are_no_parameters(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(ORDERS + INDEX)
    sql = (
        "SELECT (ARRAY[1, 2])[1:id], $$:a$$, $q$ :b $q$, E'\\\\':c' "
        "FROM orders WHERE customer = :customer::integer"
    )

    assert one_plan(lend_catalog(QUERY.format(sql=sql))).uses_index


def test_a_parameter_without_a_query_is_a_mistake_of_the_catalog(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS)
    catalog = lend_catalog(QUERY.format(sql=PLAIN.replace(":customer", ":custmer")))

    with pytest.raises(
        CatalogError, match=r":custmer has no query.*orders_of_customer.*Did you mean customer"
    ):
        query_plans(Target("target"), catalog)


def test_a_query_that_does_not_run_leaves_the_verification_incomplete(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    sql = "SELECT nothing FROM orders WHERE customer = :customer"
    result = verify(Target("target"), lend_catalog(QUERY.format(sql=sql)))

    assert not result.ok
    assert not result.failed
    assert [skipped["query"] for skipped in result.coverage.skipped] == ["orders_of_customer"]


def test_partitions_are_read_by_their_own_indexes(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        """CREATE TABLE orders (id int, customer int) PARTITION BY HASH (id);
           CREATE TABLE o0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0);
           CREATE TABLE o1 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 1);"""
        + INDEX
    )

    assert one_plan(lend_catalog(QUERY.format(sql=PLAIN))).uses_index


def test_a_join_made_by_an_automatic_index_is_a_scan(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(ORDERS + "CREATE TABLE customers (id integer PRIMARY KEY, city varchar(9))")
    sql = "SELECT * FROM customers c JOIN orders AS o ON o.customer = c.id WHERE c.city = 'x'"
    plan = one_plan(lend_catalog(QUERY.format(sql=sql)))

    assert (str(plan.access), plan.uses_index) == ("scan", False)


def test_a_bitmap_scan_counts_as_its_index(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    if empty_target.vendor == SQLITE:
        return
    empty_target.execute_script(
        ORDERS
        + "INSERT INTO orders SELECT n, n % 50 FROM generate_series(10, 20000) n;"
        + INDEX
        + "; ANALYZE"
    )

    assert str(one_plan(lend_catalog(QUERY.format(sql=PLAIN))).access) == "index orders_customer_idx"


def test_on_a_small_table_the_index_that_finds_the_row_is_told_from_one_that_finds_more(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    """Bitmaps over either cost the same there."""
    values = ", ".join(f"({number}, {number % 10}, 's{number}')" for number in range(100))
    empty_target.execute_script(
        "CREATE TABLE c (id integer PRIMARY KEY, store integer, slug varchar(9));"
        f"INSERT INTO c VALUES {values}; CREATE INDEX c_store_id ON c (store, id);"
        f"CREATE INDEX c_store_slug ON c (store, slug);"
        + ("" if empty_target.vendor == SQLITE else "ANALYZE c;")
    )
    catalog = lend_catalog("""
        [[query]]
        name = "by_slug"
        sql = "SELECT * FROM c WHERE store = :store AND slug = :slug"
        parameters = { store = "SELECT store FROM c LIMIT 1", slug = "SELECT slug FROM c LIMIT 1" }
        table = "c"
        index = "c_store_slug"
        """)

    assert str(one_plan(catalog).possible) == "index c_store_slug"
    assert one_plan(catalog).uses_index
