"""Which columns never show a value, by ``[mask]`` of the target catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable

from integrity.database.identifiers import TableName
from integrity.references.catalog import Catalog

MASKED = "(masked)"
"""What stands in place of a value."""

_DUPLICATES = re.compile(r"(stands? in [\d,]+ rows): .*", re.DOTALL)
"""Duplicates name their values behind their number."""

_DETAIL = re.compile(r"^[ \t]*(?:DETAIL|CONTEXT):.*", re.DOTALL | re.MULTILINE)
"""PostgreSQL names the row that it refused, on as many lines as its values have, and where it was."""

_UNREADABLE = re.compile(
    r"(invalid input (?:syntax|value) for [^:\n]*: |value (?:out of range: )?)\".*\"", re.DOTALL
)
"""PostgreSQL quotes what it cannot read as a number, a date or an enum."""


def is_masked(catalog: Catalog, table: TableName, column: str) -> bool:
    """Whether the values of a column must not be shown."""
    return any(
        path.table == table.name and path.schema in (None, table.schema) and column in path.columns
        for path in catalog.masked
    )


def any_masked(catalog: Catalog, table: TableName, columns: Iterable[str]) -> bool:
    """Whether one of several columns must not be shown."""
    return any(is_masked(catalog, table, each) for each in columns)


def without_values(text: str) -> str:
    """Returns what a check or an error says, without the values of rows that it names."""
    return _UNREADABLE.sub(r"\1…", _DETAIL.sub("", _DUPLICATES.sub(r"\1 …", text))).strip()
