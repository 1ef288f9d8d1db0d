"""Uniques of the catalog that nothing enforces."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import Key, Table
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.duplicate_rows import kind_of_unique, told_apart
from integrity.detectors.finding import Finding, Severity
from integrity.references.duplicates import CANNOT_BE_UNIQUE
from integrity.references.reference import written
from integrity.references.uniques import UniqueRule, cannot_repeat


class MissingUnique(Detector):
    """Without it, the next row may repeat a value, whatever the application checks beforehand."""

    code = "missing_unique"

    def check_unique(self, inspection: Inspection, rule: UniqueRule) -> Iterator[Finding]:
        """Says what is missing; only a warning where a narrower unique keeps values from repeating."""
        if rule.declared is not None:
            return
        table = inspection.schema.table(rule.table)
        narrower = cannot_repeat(inspection.schema, rule)
        yield Finding(
            code=self.code,
            severity=Severity.WARNING if narrower else self.severity,
            table=rule.table,
            columns=rule.columns,
            source=str(rule.source),
            object=told_apart(rule),
            message=_message(rule, table, narrower),
            suggestion=_suggestion(inspection, table),
            evidence={
                "name": rule.name,
                "where": rule.where,
                "nulls": "distinct" if rule.nulls_distinct else "not distinct",
                "case": "insensitive" if rule.ignores_case else "sensitive",
                "rationale": rule.rationale,
                "invalid": unfinished(table, rule),
            },
        )


def unfinished(table: Table, rule: UniqueRule) -> list[str]:
    """Returns the indexes on these columns that a failed build left: they bind new rows alone."""
    return [
        each.name
        for each in table.indexes
        if each.unique and not each.valid and (each.name == rule.name or each.columns == rule.columns)
    ]


def _message(rule: UniqueRule, table: Table, narrower: Key | None) -> str:
    name = f" {rule.name}" if rule.name else ""
    said = f"Nothing enforces the unique{name} on {rule.label}{kind_of_unique(rule)}"
    if broken := unfinished(table, rule):
        said += f"; the index {broken[0]} is what a failed build left of it"
    if narrower is not None:
        already = "the primary key" if narrower.primary else narrower.name
        said += f" (yet no value can repeat: {already} is on {', '.join(narrower.columns)})"
    return f"{said}: {rule.rationale}" if rule.rationale else said


def _suggestion(inspection: Inspection, table: Table) -> str:
    if table.kind in CANNOT_BE_UNIQUE:
        return f"{written(table.name)} is a {table.kind}, which no unique can bind: name the table behind it"
    return f"manage.py integrity_makemigrations {inspection.session.target}"
