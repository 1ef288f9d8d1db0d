"""Queries are measured when somebody asks, compared with what they were, and fail when they got slower."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integrity import models, store
from integrity.tasks import measure_and_store, measuring
from integrity.verification import Measurements, QueryMeasurement
from tests.commands import run
from tests.servers import SQLITE, EmptyTarget

pytestmark = [pytest.mark.django_db, pytest.mark.newest_postgres_only]

ORDERS = """
CREATE TABLE orders (id integer PRIMARY KEY, customer integer, note varchar(20));
WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000)
INSERT INTO orders SELECT n, n % 5000, 'x' FROM s;
"""
INDEX = "CREATE INDEX orders_customer_idx ON orders (customer); ANALYZE"
CATALOG = """
[[index]]
table = "orders"
columns = ["customer"]
name = "orders_customer_idx"

[[query]]
name = "orders_of_customer"
sql = "SELECT * FROM orders WHERE customer = :customer"
parameters = { customer = "SELECT customer FROM orders ORDER BY id" }
table = "orders"
index = "orders_customer_idx"
"""
PATIENT = ("--query-seconds", 5)
"""Enough for a slow machine to run a query at all."""


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG)
    return file


def verified(catalog: Path, *options: object) -> Any:
    return run("verify", "target", "--catalog", catalog, "--query-seconds", 1, "--format", "json", *options)


def test_an_index_makes_its_query_faster_and_the_table_says_so(
    empty_target: EmptyTarget, catalog: Path
) -> None:
    empty_target.execute_script(ORDERS)
    first = verified(catalog, "--queries", *PATIENT).json["measured"]
    empty_target.execute_script(INDEX)
    ran = verified(catalog, "--queries", *PATIENT)

    assert ran.code == 0, ran.err + ran.out
    (query,) = ran.json["measured"]["queries"]
    assert (first["baseline"], first["queries"][0]["before"]) == (None, None)
    assert ran.json["measured"]["baseline"] == first["run"]
    assert (query["before"]["access"], query["after"]["access"]) == ("scan", "index orders_customer_idx")
    assert query["ratio"] < 0.9
    assert not query["regressed"]
    shown = run("verify", "target", "--catalog", catalog, "--queries", "--query-seconds", 1).out
    assert "Queries, measured" in shown
    assert "index orders_customer_idx" in shown
    assert "Compared with measurement" in shown


def test_a_query_that_lost_its_index_fails_the_verification(empty_target: EmptyTarget, catalog: Path) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    assert verified(catalog, "--queries").code == 0
    empty_target.execute_script("DROP INDEX orders_customer_idx")
    ran = verified(catalog, "--queries")

    assert ran.code == 1
    assert "query_lost_index" in [each["code"] for each in ran.json["problems"]]
    (query,) = ran.json["measured"]["queries"]
    assert (query["regressed"], query["judged_by"]) == (True, "index")
    assert models.QueryTiming.objects.get(regressed=True).reason == query["reason"]


def test_nothing_is_run_unless_it_is_asked_for(empty_target: EmptyTarget, catalog: Path) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    assert verified(catalog).json["measured"] is None
    assert not models.QueryRun.objects.exists()


def test_a_baseline_can_be_named(empty_target: EmptyTarget, catalog: Path) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    first = verified(catalog, "--queries").json["measured"]["run"]
    verified(catalog, "--queries")
    assert verified(catalog, "--baseline", first).json["measured"]["baseline"] == first
    assert verified(catalog, "--baseline", 0).code == 2
    ran = verified(catalog, "--baseline", 4711)
    assert ran.code == 2
    assert "has no query measurement 4711" in ran.err
    assert f"{first}" in ran.err


def test_a_query_that_cannot_be_measured_is_a_gap(empty_target: EmptyTarget, catalog: Path) -> None:
    empty_target.execute_script(ORDERS + INDEX)
    catalog.write_text(
        CATALOG + '[[query]]\nname = "writes"\nsql = "UPDATE orders SET note = NULL"\nafter = "scan"\n'
    )
    ran = verified(catalog, "--queries")
    assert ran.code == 2
    assert [each["query"] for each in ran.json["coverage"]["skipped"]] == ["writes"]
    shown = run("verify", "target", "--catalog", catalog, "--queries", "--query-seconds", 1).out
    assert "The query writes is no SELECT" in shown


def test_a_catalog_without_queries_says_so(empty_target: EmptyTarget, catalog: Path) -> None:
    empty_target.execute_script(ORDERS)
    catalog.write_text('[target]\ndescription = "none"\n')
    ran = run("verify", "target", "--catalog", catalog, "--queries")
    assert "names no queries" in ran.out


@pytest.mark.parametrize("given", ["0", "-1", "inf", "nan", "soon"])
def test_times_that_are_none_are_refused(empty_target: EmptyTarget, catalog: Path, given: str) -> None:
    if empty_target.vendor == SQLITE:
        assert run("verify", "target", f"--query-seconds={given}").code != 0


# -- what the clock says ----------------------------------------------------------------------


def clocked(*medians: float) -> Any:
    """Stands in for measuring: each time the next median."""
    times = iter(medians)

    def measure(target: Any, catalog: Any, **wishes: Any) -> Measurements:
        median = next(times)
        query = QueryMeasurement("orders_of_customer", "orders", times_ms=(median,) * 50, pages=9.0)
        return Measurements(target.alias, "sqlite", "3", "f" * 64, (query,), yardstick_ms=1.0)

    return measure


def test_what_is_slower_once_is_measured_again(
    empty_target: EmptyTarget, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_target.execute_script(ORDERS)
    monkeypatch.setattr(measuring, "measure", clocked(10, 20, 10.5, 20, 21))
    measure_and_store("target", catalog_file=catalog)
    by_chance = measure_and_store("target", catalog_file=catalog)
    really = measure_and_store("target", catalog_file=catalog)

    assert not by_chance.regressed
    assert by_chance.after.queries[0].p50 == 10.5
    assert [each.name for each in really.regressed] == ["orders_of_customer"]


def test_what_was_won_by_a_migration_may_not_be_lost_again(
    empty_target: EmptyTarget, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_target.execute_script(ORDERS)
    before = clocked(100)(type("Target", (), {"alias": "target"}), None)
    store.store_queries(replace(before, migrations=("0000_earlier",)))
    monkeypatch.setattr(measuring, "measure", clocked(1, 5, 5, 5))
    won = measure_and_store("target", catalog_file=catalog)
    lost = measure_and_store("target", catalog_file=catalog)

    assert not won.regressed
    assert not lost.comparisons[0].regressed
    assert [each.ratio for each in lost.since] == [5.0]
    assert [each.name for each in lost.regressed] == ["orders_of_customer"]
