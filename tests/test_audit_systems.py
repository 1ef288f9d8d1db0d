"""An audit of the two broken systems finds what their manifests say, and nothing else."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures import gaztime, mexc
from fixtures.manifest import Manifest
from integrity.audit import AuditResult, audit
from integrity.database.session import Target
from integrity.detectors import Severity
from integrity.references.catalog import Catalog, load_catalog
from integrity.verification import query_plans, verify
from tests.servers import SQLITE, EmptyTarget

CATALOGS = Path(__file__).parents[1] / "migrations_catalog"
INDEXES_OF_003 = {
    "drivers_user_idx", "customers_referred_by_idx", "pods_operator_idx", "subscriptions_product_idx",
    "subscriptions_next_delivery_idx", "wallet_transactions_type_idx", "orders_pod_idx",
}  # fmt: skip
INDEXES_OF_000 = {
    "api_credentials_user_idx", "monitored_listings_symbol_name_idx", "workflow_system_status_user_idx",
    "workflow_activity_user_idx",
}  # fmt: skip

EXPECTED = {"gaztime": (11, INDEXES_OF_003), "mexc": (7, INDEXES_OF_000)}


@dataclass(frozen=True)
class Broken:
    """A broken system, its catalog, and the truth about it."""

    target: Target
    catalog: Catalog
    manifest: Manifest

    def audit(self) -> AuditResult:
        return audit(self.target, self.catalog)


@pytest.fixture
def broken(empty_target: EmptyTarget) -> Broken:
    """Gaztime on each PostgreSQL, the sniper bot on SQLite."""
    if empty_target.vendor == SQLITE:
        manifest = mexc.build(Target(empty_target.alias).settings["NAME"], rows=400)
    else:
        manifest = gaztime.build(empty_target.url, rows=400)
    catalog = load_catalog(manifest.system, CATALOGS / manifest.system / "catalog.toml")
    return Broken(Target(empty_target.alias), catalog, manifest)


def assert_orphans_are_the_manifests(broken: Broken, result: AuditResult) -> None:
    found = {
        f"{each.table.name}.{','.join(each.columns)}": (
            each.rows,
            each.missing_keys,
            each.evidence["nulls"],
            each.referenced_table.name if each.referenced_table else "",
        )
        for each in result.with_code("orphaned_rows")
    }
    expected = {
        each.referencing: (each.orphans, each.missing_keys, each.nulls, each.referenced.partition(".")[0])
        for each in broken.manifest.references
        if each.orphans
    }
    assert found == expected


def assert_missing_foreign_keys_are_the_catalogs(broken: Broken, result: AuditResult) -> None:
    found = {
        each.evidence["name"]: (each.evidence["on_delete"], each.evidence["rationale"], each.severity)
        for each in result.with_code("missing_foreign_key")
    }
    assert found == {
        each.name: (str(each.on_delete), each.rationale, Severity.ERROR) for each in broken.catalog.references
    }
    assert all(rationale for _, rationale, _ in found.values())


def test_a_system_is_found_broken_as_its_text_says(broken: Broken) -> None:
    result = broken.audit()
    number, indexes = EXPECTED[broken.manifest.system]

    assert result.coverage.complete
    assert (result.coverage.references, result.coverage.checked) == (number, number)
    assert result.coverage.snapshot == "one"
    assert_orphans_are_the_manifests(broken, result)
    assert_missing_foreign_keys_are_the_catalogs(broken, result)
    assert missing_indexes(result) == indexes
    assert {each.code for each in result.findings} <= {
        "orphaned_rows",
        "missing_foreign_key",
        "missing_index",
    }


def missing_indexes(result: AuditResult) -> set[str]:
    missing = result.with_code("missing_index")
    return {each.object for each in missing if each.severity is Severity.ERROR}


def test_the_hot_queries_are_planned_as_the_catalog_says_before_the_migrations(broken: Broken) -> None:
    plans = query_plans(broken.target, broken.catalog)

    assert plans
    assert [(plan.name, plan.error) for plan in plans if plan.error] == []
    assert [(plan.name, str(plan.access)) for plan in plans if not plan.as_before] == []


def test_the_flows_work_while_the_system_is_broken(broken: Broken) -> None:
    result = verify(broken.target, broken.catalog)

    assert [(flow.name, flow.error) for flow in result.flows if not flow.ok] == []
    assert len(result.flows) == len(broken.catalog.flows)


def test_a_broken_system_does_not_verify(broken: Broken) -> None:
    result = verify(broken.target, broken.catalog)
    codes = {each.code for each in result.problems}

    assert not result.ok
    assert {"orphaned_rows", "constraint_missing", "index_missing", "query_without_index"} <= codes
