"""The catalog's ``[[index]]`` and ``[[unique]]``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import parse_table
from integrity.database.schema import did_you_mean
from integrity.references.entries import CatalogIndex, CatalogUnique
from integrity.references.entry_reading import Fail, read_choice, read_path, read_text, read_texts
from integrity.references.uniques import Duplicates

INDEX_WORDS = ("table", "columns", "name", "where", "rationale")
UNIQUE_WORDS = (*INDEX_WORDS, "nulls", "case", "duplicates", "survivor", "rename")


class _Nulls(StrEnum):
    DISTINCT = "distinct"
    NOT_DISTINCT = "not distinct"


class _Case(StrEnum):
    SENSITIVE = "sensitive"
    INSENSITIVE = "insensitive"


def read_index(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogIndex:
    """Reads an ``[[index]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    return CatalogIndex(**_indexed(entry, data, fail))


def read_unique(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogUnique:
    """Reads a ``[[unique]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    unique = CatalogUnique(
        **_indexed(entry, data, fail),
        nulls_distinct=read_choice(data, "nulls", _Nulls, fail) is not _Nulls.NOT_DISTINCT,
        ignores_case=read_choice(data, "case", _Case, fail) is _Case.INSENSITIVE,
        duplicates=read_choice(data, "duplicates", Duplicates, fail),
        survivor=read_text(data, "survivor", fail),
        rename=read_text(data, "rename", fail),
    )
    if unique.rename and unique.rename not in unique.columns:
        near = did_you_mean(unique.rename, unique.columns)
        raise fail(f"rename = {unique.rename!r} is not one of its columns", near)
    return unique


def _indexed(entry: str, data: Mapping[str, Any], fail: Fail) -> dict[str, Any]:
    return {
        "entry": entry,
        "table": read_path(data, "table", parse_table, fail),
        "columns": read_texts(data, "columns", fail, required=True),
        "name": read_text(data, "name", fail),
        "where": read_text(data, "where", fail),
        "rationale": read_text(data, "rationale", fail),
    }
