"""The catalog's ``[[column]]``: a column that should have another type, or be gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrity.database.identifiers import parse_path
from integrity.references.entries import CatalogColumn
from integrity.references.entry_reading import (
    Fail,
    for_vendor,
    read_flag,
    read_path,
    read_sql,
    read_text,
    read_texts,
)

WORDS = ("column", "from", "to", "default", "remove", "acknowledged", "rationale")


def read_column(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogColumn:
    """Reads a ``[[column]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    column = CatalogColumn(
        entry=entry,
        column=read_path(data, "column", parse_path, fail),
        from_type=read_sql(data, "from", fail),
        to_type=read_sql(data, "to", fail),
        default=read_sql(data, "default", fail),
        remove=read_flag(data, "remove", fail),
        acknowledged=read_texts(data, "acknowledged", fail),
        rationale=read_text(data, "rationale", fail),
    )
    return _gone(data, column, fail) if column.remove else _converted(data, column, fail)


def _gone(data: Mapping[str, Any], column: CatalogColumn, fail: Fail) -> CatalogColumn:
    for word in ("from", "to", "default"):
        if word in data:
            raise fail(f"{word} says nothing of a column that is to go", f"Take out {word} or remove.")
    return column


def _converted(data: Mapping[str, Any], column: CatalogColumn, fail: Fail) -> CatalogColumn:
    if "acknowledged" in data:
        raise fail("acknowledged is for a column that is to go", "Add remove = true, or take it out.")
    if column.default and not (column.from_type or column.to_type):
        return column
    for word, found in (("from", column.from_type), ("to", column.to_type)):
        if not found:
            raise fail(f"{word} is missing", f'Write {word} = "text", or remove = true.')
    for vendor in column.vendors:
        if not for_vendor(column.from_type, vendor):
            raise fail(f"from says nothing of {vendor}, but to does", f'Write from = {{ {vendor} = "…" }}.')
    return column
