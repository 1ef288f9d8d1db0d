"""Migrations that are recorded where their environment is not: seed data for tests in production."""

from __future__ import annotations

from collections.abc import Iterator

from integrity import conf
from integrity.database.identifiers import TableName, quote_table
from integrity.database.schema import LEDGER
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity


class WrongEnvironment(Detector):
    """Looks at Django's ledger alone; says nothing where nobody said which environment this is."""

    code = "wrong_environment"
    severity = Severity.ERROR

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a migration."""
        catalog, here = inspection.catalog, conf.environment()
        if inspection.narrowed or not here or not catalog.environments or catalog.file is None:
            return
        table = TableName(inspection.schema.default_schema, LEDGER)
        if table not in inspection.schema.tables:
            return
        sql = f"SELECT name FROM {quote_table(table)} WHERE app = %s ORDER BY name"
        for (name,) in inspection.session.rows(sql, [f"catalog_{catalog.file.parent.name}"]):
            theirs = [each.name for each in catalog.environments if name in each.migrations]
            if theirs and here not in theirs:
                yield self._finding(inspection, table, name, theirs)

    def _finding(self, inspection: Inspection, table: TableName, name: str, theirs: list[str]) -> Finding:
        here, there = conf.environment(), " and ".join(theirs)
        target = inspection.session.target
        return Finding(
            code=self.code,
            severity=self.severity,
            table=table,
            columns=(),
            source="catalog",
            object=name,
            message=f"{name} belongs to the environment {there}, and is applied in {here}",
            suggestion=f"Reverse it: manage.py integrity_migrate {target}, to the migration before {name}",
            evidence={"migration": name, "environment": here, "belongs_to": theirs},
        )
