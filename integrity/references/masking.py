"""Which columns never show a value, by ``[mask]`` of the target catalog."""

from __future__ import annotations

from collections.abc import Iterable

from integrity.database.identifiers import TableName
from integrity.references.catalog import Catalog

MASKED = "(masked)"
"""What stands in place of a value."""


def is_masked(catalog: Catalog, table: TableName, column: str) -> bool:
    """Whether the values of a column must not be shown."""
    return any(
        path.table == table.name and path.schema in (None, table.schema) and column in path.columns
        for path in catalog.masked
    )


def any_masked(catalog: Catalog, table: TableName, columns: Iterable[str]) -> bool:
    """Whether one of several columns must not be shown."""
    return any(is_masked(catalog, table, each) for each in columns)
