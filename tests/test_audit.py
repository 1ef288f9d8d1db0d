"""An audit says what is wrong, what it looked at, and nothing of what it did not."""

import json

import pytest

from integrity.audit import Progress, audit
from integrity.database.identifiers import parse_path
from integrity.database.session import Target
from integrity.detectors import Finding, Inspection, Severity, all_detectors
from integrity.exceptions import CatalogError, UnknownReference
from integrity.references.catalog import Catalog
from tests.catalogs import LendCatalog
from tests.servers import SQLITE, EmptyTarget

SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, pod_id integer);
INSERT INTO orders VALUES (1, 9, 9);
"""
CATALOG = """
[[reference]]
from = "orders.customer_id"
to = "customers.id"
[[reference]]
from = "orders.pod_id"
to = "customers.id"
"""


def test_the_document_is_what_other_programs_rely_on(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP)
    document = json.loads(json.dumps(audit(Target("target"), lend_catalog(CATALOG)).as_json()))

    assert set(document) == {"target", "vendor", "server_version", "run", "coverage", "findings"}
    assert document["coverage"] == {
        "complete": True,
        "snapshot": "one",
        "references": 2,
        "checked": 2,
        "uniques": 0,
        "uniques_checked": 0,
        "skipped": [],
        "timed_out": [],
        "unread": [],
    }
    first = next(each for each in document["findings"] if each["code"] == "orphaned_rows")
    assert {
        "code", "severity", "fingerprint", "schema", "table", "columns", "referenced_schema",
        "referenced_table", "referenced_columns", "rows", "missing_keys", "source", "message", "suggestion",
        "evidence",
    } <= set(first)  # fmt: skip


def test_an_audit_changes_nothing(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP)
    target = Target("target")
    catalog = lend_catalog(CATALOG)
    first, second = audit(target, catalog), audit(target, catalog)

    assert first.as_json() == second.as_json()
    assert first.schema_fingerprint == second.schema_fingerprint


def test_only_what_was_asked_for_is_looked_at(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP)
    catalog = lend_catalog(CATALOG)
    result = audit(Target("target"), catalog, only=[parse_path("orders.pod_id")])

    assert (result.coverage.references, result.coverage.checked) == (1, 1)
    assert {each.columns for each in result.findings} == {("pod_id",)}
    with pytest.raises(UnknownReference, match=r"no reference orders\.id.*Known are: orders\.customer_id"):
        audit(Target("target"), catalog, only=[parse_path("orders.id")])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('[[reference]]\nfrom = "ordes.customer_id"\nto = "customers.id"', r"ordes.*Did you mean orders\?"),
        ('[[reference]]\nfrom = "orders.custmer_id"\nto = "customers.id"', r"Did you mean customer_id\?"),
        (
            '[[index]]\ntable = "orders"\ncolumns = ["custmer_id"]',
            r"\[\[index\]\] 1.*Did you mean customer_id",
        ),
        ('[[refrence]]\nfrom = "a.b"', r"'refrence' is not a word.*Did you mean reference\?"),
        ('[[reference]]\nfrom = "a.b"\nto = "c.d"\non_delete = "CASCAD"', r"Did you mean CASCADE\?"),
        ('[[reference]]\nfrom = "a.b,c"\nto = "c.d"', r"a different number of columns"),
        ("[[reference", r"not TOML"),
    ],
)
def test_a_mistake_of_the_catalog_is_an_error_with_the_nearest_name(
    empty_target: EmptyTarget, lend_catalog: LendCatalog, entry: str, message: str
) -> None:
    empty_target.execute_script(SHOP)

    with pytest.raises(CatalogError, match=message) as error:
        audit(Target("target"), lend_catalog(entry))
    assert "catalog.toml" in str(error.value)


def test_a_reference_that_cannot_be_checked_is_a_gap_and_the_others_are_checked(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP)
    result = audit(Target("target"), lend_catalog(CATALOG.replace("to =", 'match = "PARTIAL"\nto =', 1)))

    assert not result.coverage.complete
    assert (result.coverage.references, result.coverage.checked) == (2, 1)
    assert [each["reference"] for each in result.coverage.skipped] == ["orders.customer_id"]
    assert [each.columns for each in result.with_code("orphaned_rows")] == [("pod_id",)]


def test_a_check_of_the_whole_that_fails_is_a_gap(
    empty_target: EmptyTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_target.execute_script(SHOP)

    class Broken:  # no subclass: that would be found by every later audit
        code = "broken"

        def check_structure(self, inspection: Inspection) -> list[Finding]:
            inspection.session.rows("SELECT gone FROM orders")
            return []

    monkeypatch.setattr("integrity.audit.all_detectors", lambda: [Broken()])
    result = audit(Target("target"), Catalog())

    assert [each["check"] for each in result.coverage.skipped] == ["broken"]
    assert not result.coverage.complete


def test_a_declared_key_to_a_table_that_is_gone_is_a_gap(empty_target: EmptyTarget) -> None:
    if empty_target.vendor != SQLITE:
        return
    empty_target.execute_script("CREATE TABLE c (p integer REFERENCES gone (id)); INSERT INTO c VALUES (1)")
    result = audit(Target("target"), Catalog())

    assert "There is no table main.gone" in result.coverage.skipped[0]["reason"]


def test_progress_is_told_and_ends_at_its_total(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> None:
    empty_target.execute_script(SHOP)
    seen: list[Progress] = []
    audit(Target("target"), lend_catalog(CATALOG), on_progress=seen.append)

    assert [progress.done for progress in seen] == [0, 1, 2, 3]
    assert seen[-1].done == seen[-1].total


def test_findings_are_ordered_by_how_bad_they_are(
    empty_target: EmptyTarget, lend_catalog: LendCatalog
) -> None:
    empty_target.execute_script(SHOP)
    result = audit(Target("target"), lend_catalog(CATALOG))
    ranks = [each.severity.rank for each in result.findings]

    assert ranks == sorted(ranks, reverse=True)
    assert len(result.at_or_above(Severity.ERROR)) < len(result.at_or_above(Severity.INFO))


def test_every_detector_has_a_code_of_its_own() -> None:
    codes = [detector.code for detector in all_detectors()]

    assert len(codes) == len(set(codes))
    assert all(codes)
