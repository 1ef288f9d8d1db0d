"""The catalog's ``[[required_table]]``: a table that must be there, and the columns that it must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrity.database.identifiers import Path, parse_table, quote, shown
from integrity.database.schema import Column, did_you_mean
from integrity.references.entry_reading import (
    Fail,
    PerVendor,
    for_vendor,
    only_words,
    read_flag,
    read_path,
    read_sql,
    read_text,
    read_texts,
)

WORDS = ("table", "columns", "primary_key", "recreate", "copy", "acknowledged", "rationale")
COLUMN_WORDS = ("name", "type", "null", "default", "backfill", "rationale")


@dataclass(frozen=True)
class RequiredColumn:
    """A column that must be there.

    Without a ``type`` only its absence can be said; with one it can be made. ``default`` and ``backfill``
    are SQL by vendor; ``backfill`` is an expression over the row for rows that are there already, where it
    is not the default.
    """

    name: str
    type: PerVendor = field(default_factory=dict)
    nullable: bool = True
    default: PerVendor = field(default_factory=dict)
    backfill: PerVendor = field(default_factory=dict)
    rationale: str = ""


@dataclass(frozen=True)
class RequiredTable:
    """A ``[[required_table]]`` as written.

    ``recreate`` says that a table of another shape is dropped and made anew; ``copy`` is what the new one's
    columns take from a row of the old one (SQL by vendor), ``acknowledged`` what may go with the old shape.
    """

    entry: str
    table: Path
    columns: tuple[RequiredColumn, ...] = ()
    primary_key: tuple[str, ...] = ()
    recreate: bool = False
    copy: Mapping[str, PerVendor] = field(default_factory=dict)
    acknowledged: tuple[str, ...] = ()
    rationale: str = ""


def columns_for(columns: Sequence[RequiredColumn], vendor: str, key: Sequence[str]) -> tuple[Column, ...]:
    """Returns columns as the engine of ``vendor`` has them; those of the key hold no NULL, and one without a
    type for this engine has an empty one."""
    return tuple(
        Column(
            name=each.name,
            type=for_vendor(each.type, vendor),
            nullable=each.nullable and each.name not in key,
            default=for_vendor(each.default, vendor) or None,
            stored_type=for_vendor(each.type, vendor),
        )
        for each in columns
    )


def read_required_table(entry: str, data: Mapping[str, Any], fail: Fail) -> RequiredTable:
    """Reads a ``[[required_table]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    listed = data.get("columns", [])
    if not isinstance(listed, list):
        raise fail(
            "columns must be a list", 'Write columns = ["id"], or a list of { name = "id", type = … }.'
        )
    columns = tuple(_column(each, fail) for each in listed)
    names = [each.name for each in columns]
    for name in names:
        if names.count(name) > 1:
            raise fail(f"columns names {name} twice", "Keep one of them.")
    key = read_texts(data, "primary_key", fail)
    for name in key:
        if name not in names:
            raise fail(
                f"primary_key names {name!r}, which is not one of its columns", did_you_mean(name, names)
            )
    recreate = read_flag(data, "recreate", fail)
    for word in () if recreate else ("copy", "acknowledged"):
        if word in data:
            raise fail(f"{word} is for a table that is made anew", "Add recreate = true, or take it out.")
    return RequiredTable(
        entry=entry,
        table=read_path(data, "table", parse_table, fail),
        columns=columns,
        primary_key=key,
        recreate=recreate,
        copy=_copied(data, names, fail),
        acknowledged=read_texts(data, "acknowledged", fail),
        rationale=read_text(data, "rationale", fail),
    )


def _copied(data: Mapping[str, Any], names: list[str], fail: Fail) -> dict[str, PerVendor]:
    """A list of columns that are taken as they are, or a table of expressions over a row of the old table."""
    written = data.get("copy", [])
    if isinstance(written, dict):
        found = {name: read_sql(written, name, fail) for name in written}
    else:
        found = {name: {"": shown(quote(name))} for name in read_texts(data, "copy", fail)}
    for name in found:
        if name not in names:
            raise fail(f"copy names {name!r}, which is not one of its columns", did_you_mean(name, names))
    return found


def _column(data: Any, fail: Fail) -> RequiredColumn:
    """A name alone, or a table that describes the column."""
    if isinstance(data, str) and data:
        return RequiredColumn(data)
    if not isinstance(data, dict):
        raise fail("columns must hold names or tables", 'Write "id" or { name = "id", type = "text" }.')
    only_words(data, COLUMN_WORDS, fail)
    name = read_text(data, "name", fail)
    if not name:
        raise fail("a column has no name", 'Write { name = "id", type = "text" }.')
    return RequiredColumn(
        name=name,
        type=read_sql(data, "type", fail),
        nullable=read_flag(data, "null", fail, default=True),
        default=read_sql(data, "default", fail),
        backfill=read_sql(data, "backfill", fail),
        rationale=read_text(data, "rationale", fail),
    )
