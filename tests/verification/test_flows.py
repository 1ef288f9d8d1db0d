"""What the application does is done with enforcement on, and taken back."""

import sqlite3

import pytest
from django.test import override_settings

from integrity.database.session import Target
from integrity.verification import VerifyResult, verify
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

pytestmark = pytest.mark.newest_postgres_only

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customers (id));
INSERT INTO customers VALUES (1);
"""
FLOW = """
[[flow]]
name = "Order"
statements = [{statements}]
parameters = {{ customer = "SELECT min(id) FROM customers", first = "SELECT id FROM customers LIMIT 1" }}
"""


def run(lend_catalog: LendCatalog, *statements: str) -> VerifyResult:
    listed = ", ".join(f'"{statement}"' for statement in statements)
    return verify(Target("target"), lend_catalog(FLOW.format(statements=listed)))


def test_a_flow_that_works_is_taken_back(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP)
    result = run(
        lend_catalog, "INSERT INTO orders VALUES (5, :customer)", "UPDATE orders SET id = 6 WHERE id = 5"
    )

    assert result.ok, result.problems
    assert [(flow.name, flow.ok, flow.statements) for flow in result.flows] == [("Order", True, 2)]
    assert empty_target.rows("SELECT count(*) FROM orders") == [(0,)]


def test_a_flow_that_enforcement_breaks_says_its_statement_and_error(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP)
    result = run(
        lend_catalog, "INSERT INTO orders VALUES (5, :customer)", "DELETE FROM customers WHERE id = :first"
    )

    assert [problem.code for problem in result.problems] == ["flow_failed"]
    (flow,) = result.flows
    assert (flow.failed, flow.statement) == (2, "DELETE FROM customers WHERE id = :first")
    assert "foreign key" in flow.error.lower()
    assert empty_target.rows("SELECT count(*) FROM customers") == [(1,)]


def test_a_flow_without_a_row_to_begin_with_was_not_looked_at(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP + "DELETE FROM customers")
    result = run(lend_catalog, "INSERT INTO orders VALUES (5, :first)")

    assert (result.flows, result.failed, result.ok) == ([], False, False)
    assert "The query of :first finds no row" in result.coverage.skipped[0]["reason"]


def test_a_flow_on_a_locked_file_was_not_looked_at(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script(SHOP)
    writer = sqlite3.connect(Target("target").settings["NAME"], isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        with override_settings(INTEGRITY={"LOCK_TIMEOUT_MS": 50}):
            result = run(lend_catalog, "INSERT INTO orders VALUES (5, :customer)")
    finally:
        writer.close()

    assert not result.ok
    assert "locked" in result.coverage.skipped[0]["reason"]


def test_flows_can_be_left_out(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP)
    catalog = lend_catalog(FLOW.format(statements='"this is not SQL"'))

    assert verify(Target("target"), catalog, flows=False).ok
    assert not verify(Target("target"), catalog).ok
