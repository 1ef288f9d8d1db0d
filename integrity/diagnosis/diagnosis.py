"""What a diagnosis found out about references."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from integrity.audit import Coverage
from integrity.database.schema import Table
from integrity.diagnosis.causes import ProbableCause


@dataclass(frozen=True)
class KeyType:
    """The types of one column and of what it refers to, and how they are compared.

    ``stored_as`` and ``referenced_stored_as`` are SQLite's own: values by how they are really stored.
    """

    column: str
    type: str
    referenced_column: str
    referenced_type: str
    comparison: str
    stored_as: dict[str, int] = field(default_factory=dict)
    referenced_stored_as: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Age:
    """When orphans were made, beside all rows; ``months`` are orphans by month."""

    column: str
    first_orphan: str | None
    last_orphan: str | None
    first_row: str | None
    last_row: str | None
    months: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Amount:
    """What the orphans amount to: ``rows`` have a value, ``total`` is their sum."""

    column: str
    rows: int
    total: Any


@dataclass(frozen=True)
class Referring:
    """Rows that refer to orphans, ``depth`` references away, and what deleting the orphans does to them."""

    reference: str
    rows: int
    depth: int
    change: str


@dataclass
class Diagnosis:
    """One reference. In brief only the numbers are there; ``gaps`` says what could not be looked at."""

    reference: str
    referenced: str
    constraint: str
    constraint_state: str
    on_delete: str
    parents: int = 0
    rows: int = 0
    nulls: int = 0
    orphans: int = 0
    missing_keys: int = 0
    types: tuple[KeyType, ...] = ()
    top_missing_keys: tuple[dict[str, Any], ...] = ()
    samples: tuple[dict[str, Any], ...] = ()
    ages: tuple[Age, ...] = ()
    amounts: tuple[Amount, ...] = ()
    referring: tuple[Referring, ...] = ()
    masked: tuple[str, ...] = ()
    causes: tuple[ProbableCause, ...] = ()
    tables: tuple[dict[str, Any], ...] = ()
    gaps: list[str] = field(default_factory=list)

    @property
    def taken_with_them(self) -> int:
        """Rows that deleting the orphans would delete besides."""
        return sum(each.rows for each in self.referring if each.change == "delete")

    def as_json(self) -> dict[str, Any]:
        """Returns the diagnosis as plain values."""
        return asdict(self) | {"taken_with_them": self.taken_with_them}


@dataclass
class DiagnosisResult:
    """The references of a target that were looked at, in depth or in brief."""

    target: str
    vendor: str
    server_version: str
    in_depth: bool
    references: list[Diagnosis] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)

    def as_json(self) -> dict[str, Any]:
        """Returns the whole result as plain values."""
        return {
            "target": self.target,
            "vendor": self.vendor,
            "server_version": self.server_version,
            "in_depth": self.in_depth,
            "coverage": self.coverage.as_json(),
            "references": [each.as_json() for each in self.references],
        }


def table_facts(table: Table) -> dict[str, Any]:
    """Returns the structure of a table as plain values."""
    return {
        "name": str(table.name),
        "kind": str(table.kind),
        "row_security": table.row_security,
        "columns": [
            {"name": each.name, "type": each.type, "nullable": each.nullable, "default": each.default}
            for each in table.columns
        ],
        "keys": [
            {"name": each.name, "columns": list(each.columns), "primary": each.primary} for each in table.keys
        ],
        "foreign_keys": [
            {
                "name": each.name,
                "columns": list(each.columns),
                "referenced_table": str(each.referenced_table),
                "referenced_columns": list(each.referenced_columns),
                "on_delete": str(each.on_delete),
                "validated": each.validated,
                "enforced": each.enforced,
            }
            for each in table.foreign_keys
        ],
        "indexes": [
            {"name": each.name, "columns": list(each.columns), "unique": each.unique, "where": each.where}
            for each in table.indexes
        ],
        "triggers": [
            {"name": each.name, "events": list(each.events), "firing": each.firing} for each in table.triggers
        ],
    }
