"""Columns that are there with another type, default, or nullability than the catalog says, or that should be
gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.db import DatabaseError

from integrity.database.identifiers import TableName
from integrity.database.schema import Column, Schema, Table
from integrity.database.session import Session
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.awaited import required_columns, required_name
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogColumn
from integrity.references.entry_reading import for_vendor
from integrity.references.reference import written
from integrity.references.required_table import RequiredTable
from integrity.references.resolve import catalog_column, catalog_table_of


class ColumnDiffers(Detector):
    """Two definitions of one table: what one of them writes, the other cannot read or refuses."""

    code = "column_differs"
    severity = Severity.WARNING

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a column."""
        if not inspection.narrowed:
            yield from differing_columns(inspection.session, inspection.schema, inspection.catalog)


def differing_columns(session: Session, schema: Schema, catalog: Catalog) -> Iterator[Finding]:
    """Yields the columns that are other than their ``[[required_table]]`` says, and those that a
    ``[[column]]`` still has to change; a column that is only named may be as it likes.

    Raises:
        CatalogError: for a ``[[column]]`` of a table or column that the target does not have.
    """
    said: set[tuple[TableName, tuple[str, ...]]] = set()
    for entry in catalog.tables:
        table = schema.tables.get(required_name(schema, entry))
        for each in _of_table(session, schema, catalog, table, entry) if table is not None else ():
            said.add((each.table, each.columns))
            yield each
    for each in _pending(session, schema, catalog):
        if (each.table, each.columns) not in said:
            said.add((each.table, each.columns))
            yield each


def _pending(session: Session, schema: Schema, catalog: Catalog) -> Iterator[Finding]:
    """What a ``[[column]]`` asks for and is not so yet; one that asks nothing of this engine is left."""
    for entry in catalog.columns:
        if entry.remove:
            table = schema.table(catalog_table_of(schema, catalog, entry))
            there = [name for name in entry.column.columns if table.has_columns((name,))]
            yield from (_still_there(session, table, name, entry) for name in there)
        elif for_vendor(entry.to_type, schema.vendor) or for_vendor(entry.default, schema.vendor):
            table = schema.table(catalog_column(schema, catalog, entry))
            for name in entry.column.columns:
                yield from _unchanged(session, table, table.column(name), entry)


def _unchanged(session: Session, table: Table, column: Column, entry: CatalogColumn) -> Iterator[Finding]:
    vendor = session.engine.vendor
    if entry.to_type and not for_vendor(entry.to_type, vendor):
        return  # a default comes with its type
    wanted = replace(
        column,
        type=for_vendor(entry.to_type, vendor) or column.type,
        default=for_vendor(entry.default, vendor) or column.default,
    )
    if found := differences(session, table, wanted):
        why = f": {entry.rationale}" if entry.rationale else ""
        yield _finding(session, table, wanted, found, f"; its [[column]] is not applied yet{why}")


def _still_there(session: Session, table: Table, name: str, entry: CatalogColumn) -> Finding:
    why = f": {entry.rationale}" if entry.rationale else ""
    return Finding(
        code=ColumnDiffers.code,
        severity=ColumnDiffers.severity,
        table=table.name,
        columns=(name,),
        source="catalog",
        message=f"{written(table.name, (name,))} is still there, and the catalog wants it to be gone{why}",
        suggestion=f"manage.py integrity_makemigrations {session.target}",
        evidence={"column": {"is": "there", "catalog": "gone"}},
    )


def _of_table(
    session: Session, schema: Schema, catalog: Catalog, table: Table, entry: RequiredTable
) -> Iterator[Finding]:
    converted = _converted(schema, catalog, table)
    for wanted in required_columns(schema, entry):
        if not (wanted.type and table.has_columns((wanted.name,))):
            continue
        found = differences(session, table, wanted)
        if found:
            changed = wanted.name in converted and "type" in found
            mended = "; its [[column]] converts the type" if changed else ""
            mended = "; its table is made anew (recreate = true)" if entry.recreate else mended
            yield _finding(session, table, wanted, found, mended)


def differences(session: Session, table: Table, wanted: Column) -> dict[str, tuple[str, str]]:
    """Returns how a table's column differs from the one that is wanted: by ``type``, ``null`` or ``default``,
    each with what it is and what it should be."""
    column, engine = table.column(wanted.name), session.engine
    found = {}
    if not engine.same_type(wanted.type, column):
        found["type"] = (column.type or "none", wanted.type)
    key = table.primary_key
    if column.nullable is not wanted.nullable and not (key and column.name in key.columns):
        words = {True: "NULL", False: "NOT NULL"}
        found["null"] = (words[column.nullable], words[wanted.nullable])
    if not engine.numbers_rows(wanted.type) and not _same_default(session, table, column, wanted):
        found["default"] = (column.default or "none", wanted.default or "none")
    return found


def _same_default(session: Session, table: Table, column: Column, wanted: Column) -> bool:
    """Whether both compute the same, in the database's own words. What numbers rows needs no word in the
    catalog; a default that this role may not look at is not said to differ, one that cannot be read is."""
    if wanted.default is None:
        return column.default is None or bool(column.identity) or column.default.startswith("nextval(")
    if column.default is None or column.default == wanted.default:
        return column.default is not None
    ours = _understood(session, table, column, column.default)
    return ours is None or ours == _understood(session, table, column, wanted.default)


def _understood(session: Session, table: Table, column: Column, default: str) -> str | None:
    sql = default.replace("%", "%%")
    asked = f"CAST(({sql}) AS {column.type})" if column.type else sql
    try:
        with session.nested():
            return session.engine.understood(session, table, [asked])[0]
    except (DatabaseError, ReferentialIntegrityError, IndexError):
        return None


def _converted(schema: Schema, catalog: Catalog, table: Table) -> set[str]:
    """The columns of a table whose type a ``[[column]]`` changes."""
    return {
        name
        for each in catalog.columns
        for name in each.column.columns
        if each.column.table == table.name.name
        and each.column.schema in (None, table.name.schema, schema.default_schema)
    }


def _finding(
    session: Session, table: Table, wanted: Column, found: dict[str, tuple[str, str]], mended: str
) -> Finding:
    label = written(table.name, (wanted.name,))
    words = [f"{what} {there} instead of {should}" for what, (there, should) in found.items()]
    return Finding(
        code=ColumnDiffers.code,
        severity=ColumnDiffers.severity,
        table=table.name,
        columns=(wanted.name,),
        source="catalog",
        message=f"{label} is other than the catalog says: {', '.join(words)}{mended}",
        suggestion=f"manage.py integrity_makemigrations {session.target}"
        if mended
        else "Change the column, or the catalog's word for it; a [[column]] entry converts a type",
        evidence={what: {"is": there, "catalog": should} for what, (there, should) in found.items()},
    )
