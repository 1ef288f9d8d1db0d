"""Looks at a column that is to go: what it repeats, what uses it, and which source files name it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from django.db import DatabaseError

from integrity.database.dependents import Dependent, Fate
from integrity.database.identifiers import Path, TableName
from integrity.database.schema import Schema
from integrity.database.session import Session, Target
from integrity.diagnosis.conversions import ConversionDiagnosis, diagnose_conversion
from integrity.diagnosis.sources import Searched, search_sources
from integrity.exceptions import MissingPrivilege, ReferentialIntegrityError
from integrity.operations.compatibility_view import CreateCompatibilityView
from integrity.operations.record import Origin, recorded
from integrity.operations.removal_checks import unacknowledged
from integrity.references.awaited import standing
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogColumn
from integrity.references.mirror import Mirror, standing_mirrors
from integrity.references.mirror_survey import MirrorSurvey, survey_mirror
from integrity.references.reference import Reference, written
from integrity.references.resolve import catalog_table_of, known_references


@dataclass
class ColumnDiagnosis:
    """One column. ``acknowledged`` is what the catalog acknowledges of ``dependents``, ``own`` what goes
    unasked with a column that the catalog wants away."""

    column: str
    type: str
    nullable: bool
    default: str | None
    dependents: list[Dependent] = field(default_factory=list)
    acknowledged: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    mirror: MirrorSurvey | None = None
    sources: Searched | None = None
    conversion: ConversionDiagnosis | None = None
    gaps: list[str] = field(default_factory=list)

    @property
    def unacknowledged(self) -> list[str]:
        """What would stop the column's removal, as it is acknowledged."""
        labels = [each.label for each in self.dependents]
        labels += [f"source {file}" for file in self.sources.certain_files] if self.sources else []
        return [each for each in labels if each not in {*self.acknowledged, *self.own}]

    @property
    def blocking(self) -> list[Dependent]:
        """What must be changed by hand before."""
        return [each for each in self.dependents if each.fate is Fate.BLOCKS]

    def as_json(self) -> dict[str, Any]:
        """Returns the diagnosis as plain values."""
        sources = self.sources
        return {
            "column": self.column,
            "type": self.type,
            "nullable": self.nullable,
            "default": self.default,
            "mirror": self.mirror.as_json() if self.mirror else None,
            "conversion": self.conversion.as_json() if self.conversion else None,
            "dependents": [each.as_json() for each in self.dependents],
            "unacknowledged": self.unacknowledged,
            "files_read": sources.files if sources else None,
            "mentions": [each.as_json() for each in sources.mentions] if sources else [],
            "gaps": self.gaps,
        }


def diagnose_columns(
    target: Target,
    catalog: Catalog,
    columns: Sequence[Path],
    *,
    sources: Sequence[FilePath] = (),
    others: Sequence[Reference] = (),
    statement_timeout_ms: int | None = None,
) -> list[ColumnDiagnosis]:
    """Diagnoses columns; changes nothing.

    Args:
        target: what to look at.
        catalog: what should hold there.
        columns: the columns, one table a path.
        sources: files and folders in which they are looked for.
        others: references known from elsewhere.
        statement_timeout_ms: how long one question may take.

    Raises:
        UnknownTable: for a column that the target does not have.
    """
    with target.reading(statement_timeout_ms=statement_timeout_ms) as session:
        schema = session.schema()
        references = known_references(schema, catalog, others)
        mirrors = standing_mirrors(session, schema, catalog, references)
        return [
            _diagnose(session, schema, catalog, mirrors, references, path, name, sources)
            for path in columns
            for name in path.columns
        ]


def _own_view(session: Session, schema: Schema, mirror: Mirror | None) -> list[TableName]:
    """The compatibility view, where a migration made it: the removal makes it anew."""
    if mirror is None or mirror.view is None or not schema.knows(mirror.view):
        return []
    try:
        with session.look():
            made = recorded(session, CreateCompatibilityView.kind, mirror.view, written(mirror.view))
    except MissingPrivilege:  # who may not read the journal is told of the catalog's word alone
        return [mirror.view]
    return [mirror.view] if made is not None and made.origin is Origin.MADE else []


def _removal(schema: Schema, catalog: Catalog, table: TableName, column: str) -> CatalogColumn | None:
    """What the catalog says of a column that it wants away."""
    for entry in standing(schema, catalog).columns:
        named = entry.remove and column in entry.column.columns
        if named and catalog_table_of(schema, catalog, entry) == table:
            return entry
    return None


def _diagnose(
    session: Session,
    schema: Schema,
    catalog: Catalog,
    mirrors: Sequence[Mirror],
    references: Sequence[Reference],
    path: Path,
    name: str,
    sources: Sequence[FilePath],
) -> ColumnDiagnosis:
    table = schema.table(schema.resolve(path))
    column = table.column(name)
    mirror = next((each for each in mirrors if (each.table, each.column) == (table.name, name)), None)
    found = ColumnDiagnosis(written(table.name, (name,)), column.type, column.nullable, column.default)
    found.acknowledged = mirror.acknowledged if mirror else ()
    with _gap(session, found, "its conversion"):
        found.conversion = diagnose_conversion(session, schema, catalog, references, table, name)
    found.dependents = (
        []
        if found.conversion
        else session.engine.dependents(
            session, schema, table, name, besides=_own_view(session, schema, mirror)
        )
    )
    entry = _removal(schema, catalog, table.name, name)
    if entry is not None:
        found.acknowledged += entry.acknowledged
        asked = unacknowledged(table, name, found.dependents, entry.acknowledged, with_keys=True)
        labels = {each.label for each in asked} | set(entry.acknowledged)
        found.own = tuple(each.label for each in found.dependents if each.label not in labels)
    if sources:
        others = [each.name.name for each in schema]
        found.sources = search_sources(sources, table.name.name, name, tables=others)
        found.gaps += [f"not read: {each}" for each in found.sources.unread]
    if mirror:
        with _gap(session, found, "what it repeats"):
            found.mirror = survey_mirror(session, schema, catalog, mirror)
    return found


@contextmanager
def _gap(session: Session, found: ColumnDiagnosis, about: str) -> Iterator[None]:
    """What cannot be looked at is a gap, and the other questions are asked all the same."""
    try:
        with session.look():
            yield
    except (ReferentialIntegrityError, DatabaseError) as error:
        if not session.connection.is_usable():
            raise
        found.gaps.append(f"{about}: {str(error).strip()}")
