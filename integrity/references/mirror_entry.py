"""The catalog's ``[[mirror]]``: a JSON column that repeats rows of a table, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import Path, parse_path, parse_table
from integrity.references.entry_reading import Fail, read_choice, read_path, read_text, read_texts

WORDS = (
    "column", "repeats", "count", "elements", "shape", "list", "drift", "only_in_json", "view",
    "acknowledged", "rationale",
)  # fmt: skip


class Shape(StrEnum):
    """What a row holds that does not say it: the number of rows, or a list of them."""

    COUNT = "count"
    LIST = "list"


class ListOf(StrEnum):
    """What the elements of a list are where the list is empty."""

    OBJECTS = "objects"
    IDS = "ids"


class DriftRule(StrEnum):
    """What becomes of JSON that says something else than the table."""

    TABLE = "table"
    KEEP = "keep"


class OnlyInJson(StrEnum):
    """What becomes of JSON that holds what the table does not have."""

    REFUSE = "refuse"
    JOURNAL = "journal"


@dataclass(frozen=True)
class CatalogMirror:
    """A ``[[mirror]]`` as written; ``elements`` are pairs of a key in JSON and the column it repeats."""

    entry: str
    column: Path
    repeats: Path
    count: str = "count"
    elements: tuple[tuple[str, str], ...] = ()
    shape: Shape = Shape.COUNT
    list_of: ListOf = ListOf.OBJECTS
    drift: DriftRule | None = None
    only_in_json: OnlyInJson = OnlyInJson.REFUSE
    view: Path | None = None
    acknowledged: tuple[str, ...] = ()
    rationale: str = ""


def read_mirror(entry: str, data: Mapping[str, Any], fail: Fail) -> CatalogMirror:
    """Reads a ``[[mirror]]`` whose words are known to be right.

    Raises:
        CatalogError: made by ``fail``.
    """
    column = read_path(data, "column", parse_path, fail)
    if len(column.columns) != 1:
        raise fail("column must name one column", 'Write column = "customers.orders".')
    repeats = read_path(data, "repeats", parse_path, fail)
    if not repeats.columns:
        raise fail(
            "repeats must name the reference whose rows are repeated", 'Write repeats = "orders.customer_id".'
        )
    return CatalogMirror(
        entry=entry,
        column=column,
        repeats=repeats,
        count=json_key(read_text(data, "count", fail) or "count", fail),
        elements=_elements(data.get("elements", []), fail),
        shape=read_choice(data, "shape", Shape, fail) or Shape.COUNT,
        list_of=read_choice(data, "list", ListOf, fail) or ListOf.OBJECTS,
        drift=read_choice(data, "drift", DriftRule, fail),
        only_in_json=read_choice(data, "only_in_json", OnlyInJson, fail) or OnlyInJson.REFUSE,
        view=read_path(data, "view", parse_table, fail) if "view" in data else None,
        acknowledged=read_texts(data, "acknowledged", fail),
        rationale=read_text(data, "rationale", fail),
    )


def json_key(text: str, fail: Fail) -> str:
    """Returns a key of a JSON object that every engine can be asked for.

    SQLite's paths have no way to write a quote or a backslash within a key.
    """
    if not text or '"' in text or "\\" in text:
        raise fail(f"{text!r} cannot be asked for as a key", "Name a key without quotes and backslashes.")
    return text


def _elements(value: Any, fail: Fail) -> tuple[tuple[str, str], ...]:
    """``["id", "total"]``, or ``{ id = "id", amount = "total" }`` where keys and columns differ."""
    pairs = {each: each for each in value} if isinstance(value, list) and _all_texts(value) else value
    if not isinstance(pairs, dict) or not _all_texts(pairs.values()):
        raise fail(
            "elements must say which columns a list repeats",
            'Write elements = ["id"], or elements = { key = "column" }.',
        )
    return tuple((json_key(key, fail), column) for key, column in pairs.items())


def _all_texts(values: Any) -> bool:
    return all(isinstance(each, str) and each for each in values)
