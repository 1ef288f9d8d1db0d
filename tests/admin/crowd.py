"""A site that has remembered for years: 100,000 findings and 1,000 runs, made in a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.db.models import Model

from integrity import models
from tests import factories

TARGETS = 20
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"


def make_crowd(findings: int, runs: int) -> models.Finding:
    """Fill the site's database; return the finding with the most rows."""
    targets = [factories.TargetFactory.create() for _ in range(TARGETS)]
    first = targets[0].pk
    of = f"{first} + n.i % {TARGETS}"
    audit = factories.AuditRunFactory.create(target=targets[0], findings_count=5, orphans_count=9)
    finding = factories.FindingFactory.create(target=targets[0], first_seen_run=audit, rows=2 * findings)
    for made, code in ((findings * 4 // 5, "orphaned_rows"), (findings // 5, "missing_index")):
        repeat(
            finding, made, code=f"'{code}'", target_id=of, fingerprint=f"'{code}' || n.i",
            table_name="'table' || n.i % 5000", label="'table' || n.i || '.customer_id'", rows="n.i",
            state="CASE n.i % 3 WHEN 0 THEN 'resolved' ELSE 'open' END",
        )  # fmt: skip
    repeat(audit, runs, target_id=of)
    repeat(factories.RepairRunFactory.create(target=targets[0], number=0), runs, target_id=of, number="n.i")
    repeat(factories.JobFactory.create(target=targets[0], state="finished"), runs, target_id=of)
    repeat(factories.MigrationRunFactory.create(target=targets[0]), runs, target_id=of)
    repeat(
        factories.ResolutionFactory.create(finding=finding),
        runs,
        finding_id=f"{finding.pk} + n.i % {findings}",
    )
    repeat(factories.StoredPlanFactory.create(target=targets[0]), runs, target_id=of, hash="'hash' || n.i")
    repeat(factories.BackupFactory.create(target=targets[0]), runs, target_id=of)
    return finding


def repeat(row: Model, times: int, **values: str) -> None:
    """Write a row again and again, but for what these SQL expressions say (``n.i`` counts)."""
    fields = row._meta.concrete_fields
    columns = [field.column for field in fields if not (field.primary_key or field.generated)]
    given = [values.get(name, f't."{name}"') for name in columns]
    table = row._meta.db_table
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) {_NUMBERS} SELECT {", ".join(given)} FROM "{table}" t, n '
            "WHERE t.id = %s",
            [times, row.pk],
        )


@dataclass
class Effort:
    """How many thousand steps SQLite took: the same for the same data on any machine."""

    steps: int = 0


@contextmanager
def effort() -> Iterator[Effort]:
    """Count what the site's own database does meanwhile."""
    counted = Effort()

    def step() -> int:
        counted.steps += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(step, 1_000)
    try:
        yield counted
    finally:
        connection.connection.set_progress_handler(None, 0)
