"""Looks at what the conversion of a column would do: before anything is written or changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from integrity.database import clauses
from integrity.database.conversions import Conversion, many
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.exceptions import SchemaFixRefused
from integrity.operations.change_of_type import Change, conversions
from integrity.operations.column_fixes import conversion_fixes, converted_places
from integrity.operations.convert_column import ConvertColumn
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference


@dataclass(frozen=True)
class ConvertedValues:
    """One column: its values, how many cannot be read (``listing`` shows them), and how many the new type
    would write otherwise, so that the journal keeps them."""

    column: str
    type: str
    to: str
    values: int
    unreadable: int
    respelled: int
    listing: str


@dataclass(frozen=True)
class ConversionDiagnosis:
    """What a ``[[column]]`` would do; ``refused`` is what would stop it, empty where nothing would."""

    says: str
    columns: tuple[ConvertedValues, ...] = ()
    refused: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return asdict(self)


def diagnose_conversion(
    session: Session,
    schema: Schema,
    catalog: Catalog,
    references: Sequence[Reference],
    table: Table,
    column: str,
) -> ConversionDiagnosis | None:
    """Diagnoses the conversion that a catalog asks for of a column or of a key that it refers to; None where
    it asks for none."""
    for fix in conversion_fixes(schema, catalog, references):
        if (table.name, column) in converted_places([fix], schema):
            assert isinstance(fix.operation, ConvertColumn)
            return _diagnose(session, schema, fix.operation)
    return None


def _diagnose(session: Session, schema: Schema, operation: ConvertColumn) -> ConversionDiagnosis:
    found: tuple[ConvertedValues, ...] = ()
    try:
        changes = operation.changes(session, schema)
        found = tuple(_values(session, change, each) for change, each in conversions(changes))
        operation.look(session, schema, changes)
    except SchemaFixRefused as error:
        return ConversionDiagnosis(operation.describe(), found, error.what)
    return ConversionDiagnosis(operation.describe(), found)


def _values(session: Session, change: Change, conversion: Conversion) -> ConvertedValues:
    source, listing = clauses.table(change.table.name), conversion.impossible_rows(change.table.name)
    # CASE: a value that cannot be read must not be read to see how it would be written.
    respelled = f"CASE WHEN {conversion.possible()} THEN {conversion.respelled()} ELSE 1 = 0 END"
    counts = (
        f"SELECT count({conversion.column}), count(CASE WHEN {conversion.column} IS NOT NULL AND {respelled} "
        f"THEN 1 END) FROM {source}"
    )
    values, kept = session.row(counts.replace("%", "%%"))
    _, unreadable = session.row(many(listing))
    return ConvertedValues(
        change.label, change.column.type, conversion.to, int(values), int(unreadable), int(kept), listing
    )
