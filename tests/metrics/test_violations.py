"""Violations are counted as they happen, by view and constraint, the caught ones too; values never show."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections
from django.test import AsyncClient, Client

from integrity import signals
from integrity.database.violations import ViolationKind, violation_of
from integrity.metrics import counters, watching
from tests.metrics.conftest import Scrape, key
from tests.servers import EmptyTarget

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.newest_postgres_only]

UNIQUE = {"target": "default", "kind": "unique", "constraint": "integrity_target.alias"}


def total(**labels: str) -> Any:
    return key("integrity_constraint_violations_total", **labels)


def failed(view: str, kind: str = "unique") -> Any:
    return key("integrity_requests_failed_total", view=view, kind=kind)


def test_a_view_that_fails_by_a_violation_is_counted_with_its_constraint(
    site: Client, scrape: Scrape
) -> None:
    for _ in range(3):
        assert site.get("/breaks/").status_code == 500
    site.get("/fine/")
    found = scrape()
    assert found[total(**UNIQUE, view="breaks", handled="false")] == 3
    assert found[failed("breaks")] == 3
    assert found[key("integrity_requests_total", view="breaks")] == 3
    assert found[key("integrity_requests_total", view="fine")] == 1
    assert failed("fine") not in found


def test_a_violation_that_the_view_catches_is_counted_and_the_request_did_not_fail(
    site: Client, scrape: Scrape
) -> None:
    assert site.get("/handles/7/").content == b"there already"
    found = scrape()
    assert found[total(**UNIQUE, view="handles", handled="true")] == 1
    assert failed("handles") not in found


def test_an_error_that_was_made_into_another_is_followed_back(site: Client, scrape: Scrape) -> None:
    site.get("/raises/")
    found = scrape()
    assert found[total(**UNIQUE, view="raises", handled="false")] == 1
    assert found[failed("raises")] == 1


def test_a_view_without_a_name_is_known_by_where_it_is_defined(site: Client, scrape: Scrape) -> None:
    site.get("/lacks/")
    wanted = {"target": "default", "kind": "not_null", "constraint": "integrity_target.vendor"}
    assert scrape()[total(**wanted, view="tests.metrics.site.lacks", handled="false")] == 1


def test_a_page_that_does_not_exist_makes_no_series_of_its_own(site: Client, scrape: Scrape) -> None:
    for number in range(5):
        assert site.get(f"/nowhere/{number}/").status_code == 404
    assert scrape()[key("integrity_requests_total", view="unresolved")] == 5


def test_views_in_an_event_loop_are_watched_as_well(site: Client, scrape: Scrape) -> None:
    async def ask() -> int:
        answer = await AsyncClient(raise_request_exception=False).get("/async/")
        return answer.status_code

    with ThreadPoolExecutor(1) as elsewhere:  # a browser's test may have left a loop running in this thread
        assert elsewhere.submit(asyncio.run, ask()).result() == 500
    found = scrape()
    assert found[failed("async")] == 1
    assert (
        sum(value for (name, _), value in found.items() if name == "integrity_constraint_violations_total")
        == 1
    )


def test_names_that_never_end_are_put_together(
    site: Client, scrape: Scrape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "MOST_VALUES", 5)
    site.get("/many/20/")
    series = [labels for (name, labels) in scrape() if name == "integrity_constraint_violations_total"]
    assert len(series) <= 6
    assert any(("constraint", "other") in labels for labels in series)


def test_who_listens_is_told_of_references_and_uniques_alone(site: Client) -> None:
    told: list[Any] = []

    def listen(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
        told.append((target, str(result.violation.kind), result.view, result.handled))

    signals.constraint_violated.connect(listen)
    try:
        for path in ("/breaks/", "/handles/1/", "/lacks/", "/fine/"):
            site.get(path)
    finally:
        signals.constraint_violated.disconnect(listen)
    assert told == [("default", "unique", "breaks", False), ("default", "unique", "handles", True)]


def test_a_listener_that_raises_does_not_reach_the_request(site: Client) -> None:
    def broken(**kwargs: Any) -> None:
        raise ValueError("no")

    signals.constraint_violated.connect(broken)
    try:
        assert site.get("/handles/1/").status_code == 200
    finally:
        signals.constraint_violated.disconnect(broken)


def test_another_wrapper_that_is_on_its_way_is_left_alone(site: Client) -> None:
    site.get("/fine/")
    connection = connections["default"]
    connection.execute_wrappers.clear()
    connection.__dict__.pop("commit", None)
    told: list[str] = []

    def other(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        told.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(other):
        watching.watch_connections()
    assert connection.execute_wrappers == [watching._execute]


DEFERRED = """
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer
  CONSTRAINT fk_orders_customer REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED);
"""


def test_a_key_that_is_checked_at_commit_is_counted_even_where_the_view_catches_it(
    empty_target: EmptyTarget, site: Client, scrape: Scrape
) -> None:
    empty_target.execute_script(DEFERRED)
    assert site.get("/orphans/").content == b"no such customer"
    named = "orders.fk_orders_customer" if empty_target.vendor == "postgresql" else ""
    wanted = {"target": "target", "kind": "foreign_key", "constraint": named}
    assert scrape()[total(**wanted, view="orphans", handled="true")] == 1


BROKEN = [
    ("INSERT INTO b VALUES (1, 1, 'x', 1)", ViolationKind.UNIQUE, "b", {"id", "b_pkey"}),
    ("INSERT INTO b VALUES (2, NULL, 'x', 1)", ViolationKind.NOT_NULL, "b", {"n"}),
    ("INSERT INTO b VALUES (2, -1, 'x', 1)", ViolationKind.CHECK, "b", {"positive"}),
    ("INSERT INTO b VALUES (2, 1, 'secret', 99)", ViolationKind.FOREIGN_KEY, "b", {"fk_b_a", ""}),
    ("INSERT INTO b VALUES (2, 7, 'x', 1)", ViolationKind.UNIQUE, "b", {"n,t", "b_n_t"}),
]


@pytest.mark.parametrize(("statement", "kind", "table", "names"), BROKEN)
def test_an_error_says_which_constraint_and_never_a_value(
    empty_target: EmptyTarget, statement: str, kind: ViolationKind, table: str, names: set[str]
) -> None:
    empty_target.execute_script(
        "CREATE TABLE a (id integer PRIMARY KEY);"
        "CREATE TABLE b (id integer PRIMARY KEY, n integer NOT NULL, t varchar(9), a integer,"
        " CONSTRAINT positive CHECK (n > 0), CONSTRAINT b_n_t UNIQUE (n, t),"
        " CONSTRAINT fk_b_a FOREIGN KEY (a) REFERENCES a (id));"
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 7, 'x', 1);"
    )
    with connections["target"].cursor() as cursor, pytest.raises(IntegrityError) as caught:
        cursor.execute(statement)
    connections["target"].close()
    found = violation_of(caught.value, "target")
    assert found.kind is kind
    assert found.constraint in names
    assert found.table in (table, "")
    assert "secret" not in str(found)


def test_what_a_trigger_raises_is_not_passed_on() -> None:
    found = violation_of(IntegrityError("customer jane@example.org is banned"))
    assert (found.kind, found.table, found.constraint) == (ViolationKind.OTHER, "", "")


def test_what_django_checks_itself_is_told_by_its_columns() -> None:
    text = (
        "The row in table 'orders' with primary key '5' has an invalid foreign key: orders.customer_id "
        "contains a value '77' that does not have a corresponding value in customers.id."
    )
    found = violation_of(IntegrityError(text), DEFAULT_DB_ALIAS)
    assert str(found) == "foreign key customer_id on orders"
