"""Columns as a migration's literal arguments describe them, in the words of a catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrity.database.schema import Column
from integrity.references.entry_reading import PerVendor
from integrity.references.required_table import RequiredColumn, columns_for

Words = Mapping[str, Any]
"""``{"name": "id", "type": "text", "null": False, "default": {"postgresql": …, "sqlite": …}}``."""


def column_words(column: RequiredColumn) -> dict[str, Any]:
    """Returns a catalog's column as a migration writes it: what is not the default, SQL plain where it is the
    same everywhere."""
    words: dict[str, Any] = {"name": column.name, "type": sql_words(column.type)}
    if not column.nullable:
        words["null"] = False
    if column.default:
        words["default"] = sql_words(column.default)
    return words


def sql_words(sql: PerVendor) -> str | dict[str, str]:
    """Returns SQL by vendor as it is written: one text, or a dictionary."""
    return sql[""] if set(sql) == {""} else {vendor: sql[vendor] for vendor in sorted(sql)}


def per_vendor(written: str | Mapping[str, str]) -> PerVendor:
    """Returns what :func:`sql_words` wrote."""
    if isinstance(written, str):
        return {"": written} if written else {}
    return dict(written)


def described_columns(columns: Sequence[Words], vendor: str, key: Sequence[str]) -> tuple[Column, ...]:
    """Returns columns as the engine of ``vendor`` has them; those of the key hold no NULL."""
    return columns_for(tuple(map(_required, columns)), vendor, key)


def _required(words: Words) -> RequiredColumn:
    return RequiredColumn(
        name=str(words["name"]),
        type=per_vendor(words.get("type", "")),
        nullable=bool(words.get("null", True)),
        default=per_vendor(words.get("default", "")),
    )
