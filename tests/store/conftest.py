"""Results of audits and plans, made up without a target."""

from collections.abc import Callable
from typing import Any

import pytest

from integrity.audit import AuditResult, Coverage
from integrity.database.identifiers import TableName
from integrity.detectors import Finding, Severity
from integrity.plans import Plan, Step
from integrity.references import Reference, Resolution

CUSTOMERS = TableName("main", "customers")


def orphans(table: str = "orders", rows: int = 17, **facts: Any) -> Finding:
    """A finding about orphans of ``table.customer_id``."""
    return Finding(
        code=facts.pop("code", "orphaned_rows"),
        severity=Severity.ERROR,
        table=TableName("main", table),
        columns=("customer_id",),
        referenced_table=CUSTOMERS,
        referenced_columns=("id",),
        rows=rows,
        missing_keys=facts.pop("missing_keys", 9),
        message=f"{rows} orphans",
        **facts,
    )


def result(*findings: Finding, target: str = "shop", coverage: Coverage | None = None) -> AuditResult:
    """What an audit of ``target`` found."""
    coverage = coverage or Coverage(references=len(findings), checked=len(findings))
    return AuditResult(target, "sqlite", "3.45", "f" * 64, list(findings), coverage)


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """Return a function that makes a plan of one step for ``orders.customer_id``."""

    def make(resolution: Resolution = Resolution.DELETE, target: str = "shop", **facts: Any) -> Plan:
        reference = Reference(TableName("main", "orders"), ("customer_id",), CUSTOMERS, ("id",))
        step = Step(1, resolution, reference, facts.pop("rows", 17), 9, "1 = 1", **facts)
        return Plan(target, "sqlite", "f" * 64, (step,), notes=("lines were not looked at",))

    return make
