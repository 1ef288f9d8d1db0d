"""Findings are carried from audit to audit."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from integrity import models, store
from integrity.audit import Coverage
from integrity.database.identifiers import parse_path
from tests.store.conftest import orphans, result

pytestmark = pytest.mark.django_db


def stored(table: str = "orders") -> models.Finding:
    return models.Finding.objects.get(table_name=table)


def skipped(*labels: str) -> Coverage:
    return Coverage(
        references=3, checked=1, skipped=[{"reference": label, "reason": "no right"} for label in labels]
    )


def test_an_audit_is_stored_with_what_it_found() -> None:
    audit = result(orphans(rows=17), orphans("lines", 3))
    run = store.store_audit(audit, actor="ada")
    assert audit.run == run.pk
    assert (run.state, run.complete, run.findings_count, run.orphans_count) == ("finished", True, 2, 20)
    assert (run.actor, run.target.alias, run.target.server_version) == ("ada", "shop", "3.45")
    found = stored()
    assert (found.label, found.rows, found.missing_keys, found.state) == ("orders.customer_id", 17, 9, "open")
    assert found.first_seen_run == found.last_seen_run == run


def test_a_finding_that_is_seen_again_stays_one_and_remembers_its_rows() -> None:
    first = store.store_audit(result(orphans(rows=17)))
    second = store.store_audit(result(orphans(rows=20)))
    found = stored()
    assert (found.rows, found.previous_rows) == (20, 17)
    assert (found.first_seen_run, found.last_seen_run) == (first, second)


def test_a_finding_that_is_gone_is_resolved() -> None:
    store.store_audit(result(orphans()))
    store.store_audit(result())
    found = stored()
    assert (found.state, found.rows, found.previous_rows) == ("resolved", 0, 17)
    assert found.resolved_at is not None


def test_a_finding_that_comes_back_is_open_again() -> None:
    for audit in (result(orphans()), result(), result(orphans(rows=2))):
        store.store_audit(audit)
    found = stored()
    assert (found.state, found.rows, found.resolved_at) == ("open", 2, None)


def test_what_was_not_looked_at_is_not_resolved() -> None:
    store.store_audit(result(orphans(), orphans("lines"), orphans("notes", code="missing_index")))
    store.store_audit(result(coverage=skipped("lines.customer_id")))
    assert stored("orders").state == "resolved"
    assert stored("lines").state == "open"
    assert stored("notes").state == "open", "an incomplete audit says nothing of the structure"


def test_a_narrowed_audit_speaks_of_what_was_asked_for() -> None:
    store.store_audit(result(orphans(), orphans("lines")))
    run = store.store_audit(result(), only=[parse_path("orders.customer_id")])
    assert run.narrowed
    assert (stored("orders").state, stored("lines").state) == ("resolved", "open")


def test_a_kept_finding_stays_kept() -> None:
    store.store_audit(result(orphans()))
    store.store_decision([stored()], "keep", reason="history")
    store.store_audit(result(orphans(rows=18)))
    assert (stored().state, stored().rows) == ("kept", 18)


def test_a_slow_audit_does_not_overwrite_what_a_later_one_said() -> None:
    slow = store.begin_audit("shop")
    later = store.store_audit(result(orphans(rows=5), orphans("lines", 1)))
    store.store_audit(result(orphans(rows=17)), run=slow)
    assert (stored().rows, stored().last_seen_run) == (5, later)
    assert stored("lines").state == "open"


def test_other_targets_are_left_alone() -> None:
    store.store_audit(result(orphans(), target="shop"))
    store.store_audit(result(target="barn"))
    assert stored().state == "open"


def test_thousands_of_findings_take_a_few_queries() -> None:
    many = [orphans(f"table{number}") for number in range(2_000)]
    store.store_audit(result(*many[:10]))
    with CaptureQueriesContext(connection) as queries:
        store.store_audit(result(*many))
    assert models.Finding.objects.count() == 2_000
    assert len(queries) < 100


def test_an_audit_that_fails_says_why() -> None:
    run = store.begin_audit("shop")
    store.end_audit(run, RuntimeError("no server"))
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "no server")


def test_an_audit_that_is_over_does_not_fail_afterwards() -> None:
    run = store.store_audit(result())
    store.end_audit(run, RuntimeError("too late"))
    run.refresh_from_db()
    assert run.state == "finished"


def test_the_last_audit_is_the_last_that_came_to_its_end() -> None:
    assert store.last_audit("shop") is None
    run = store.store_audit(result())
    store.begin_audit("shop")
    assert store.last_audit("shop") == run


@pytest.mark.parametrize("facts", [{"target": "x" * 150}, {}])
def test_long_names_are_kept(facts: dict[str, Any]) -> None:
    store.store_audit(result(orphans("t" * 600), **facts))
    assert stored("t" * 600).label == "t" * 600 + ".customer_id"


def test_a_finding_says_what_explains_most_of_it_and_what_is_suggested() -> None:
    causes = [{"kind": "unexplained", "rows": 5}, {"kind": "format_mismatch", "rows": 12}]
    store.store_audit(result(orphans(evidence={"causes": causes, "on_delete": "CASCADE"})))
    found = stored()
    assert (found.cause, found.suggested, found.trend, found.badness) == (
        "format_mismatch",
        "relink",
        "new",
        0,
    )
    store.store_audit(result(orphans(rows=18, evidence={"on_delete": "CASCADE"})))
    found = stored()
    assert (found.cause, found.suggested, found.trend) == ("", "delete", "growing")


def test_a_decision_stands_until_the_orphans_come_back() -> None:
    store.store_audit(result(orphans()))
    store.store_decision([stored()], "delete")
    assert stored().decided == "delete"
    for audit in (result(), result(orphans())):
        store.store_audit(audit)
    assert stored().decided == ""
