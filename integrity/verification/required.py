"""Is every table and column of the catalog there? What somebody dropped since is a finding here, too."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.detectors.column_differs import differing_columns
from integrity.detectors.finding import Finding
from integrity.detectors.missing_column import missing_columns
from integrity.detectors.missing_table import missing_tables
from integrity.detectors.table_count import wrong_count
from integrity.references.catalog import Catalog


def required_problems(session: Session, schema: Schema, catalog: Catalog) -> Iterator[Finding]:
    """Yields the required tables and columns that are missing or other, and a wrong number of tables."""
    target = session.target.alias
    yield from missing_tables(schema, catalog, target)
    yield from missing_columns(schema, catalog, target)
    yield from differing_columns(session, schema, catalog)
    yield from wrong_count(schema, catalog, target)
