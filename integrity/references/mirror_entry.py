"""The catalog's ``[[mirror]]``: a JSON column that repeats rows of a table, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from integrity.database.identifiers import Path, parse_path, parse_table
from integrity.database.schema import did_you_mean
from integrity.exceptions import CatalogError, InvalidIdentifier

WORDS = (
    "column", "repeats", "count", "elements", "shape", "list", "drift", "only_in_json", "view",
    "acknowledged", "rationale",
)  # fmt: skip

Fail = Callable[[str, str], CatalogError]
"""Makes the error for a mistake and a hint, with the place of the entry."""


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
    column = _path(data, "column", parse_path, fail)
    if len(column.columns) != 1:
        raise fail("column must name one column", 'Write column = "customers.orders".')
    repeats = _path(data, "repeats", parse_path, fail)
    if not repeats.columns:
        raise fail(
            "repeats must name the reference whose rows are repeated", 'Write repeats = "orders.customer_id".'
        )
    return CatalogMirror(
        entry=entry,
        column=column,
        repeats=repeats,
        count=json_key(_text(data, "count", fail) or "count", fail),
        elements=_elements(data.get("elements", []), fail),
        shape=_choice(data, "shape", Shape, fail) or Shape.COUNT,
        list_of=_choice(data, "list", ListOf, fail) or ListOf.OBJECTS,
        drift=_choice(data, "drift", DriftRule, fail),
        only_in_json=_choice(data, "only_in_json", OnlyInJson, fail) or OnlyInJson.REFUSE,
        view=_path(data, "view", parse_table, fail) if "view" in data else None,
        acknowledged=_texts(data, "acknowledged", fail),
        rationale=_text(data, "rationale", fail),
    )


def json_key(text: str, fail: Fail) -> str:
    """Returns a key of a JSON object that every engine can be asked for.

    SQLite's paths have no way to write a quote or a backslash within a key.
    """
    if not text or '"' in text or "\\" in text:
        raise fail(f"{text!r} cannot be asked for as a key", "Name a key without quotes and backslashes.")
    return text


def _text(data: Mapping[str, Any], word: str, fail: Fail) -> str:
    value = data.get(word, "")
    if not isinstance(value, str):
        raise fail(f"{word} must be text", f'Write {word} = "…".')
    return value


def _texts(data: Mapping[str, Any], word: str, fail: Fail) -> tuple[str, ...]:
    value = data.get(word, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise fail(f"{word} must be a list of texts", f'Write {word} = ["…"].')
    return tuple(value)


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


def _path(data: Mapping[str, Any], word: str, read: Callable[[str], Path], fail: Fail) -> Path:
    text = _text(data, word, fail)
    if not text:
        raise fail(f"{word} is missing", f'Write {word} = "…".')
    try:
        return read(text)
    except InvalidIdentifier as error:
        raise fail(f"{word}: {error.what}", error.hint) from error


Word = TypeVar("Word", bound=StrEnum)


def _choice(data: Mapping[str, Any], word: str, words: type[Word], fail: Fail) -> Word | None:
    text = _text(data, word, fail)
    known = [str(each) for each in words]
    if text and text not in known:
        raise fail(f"{word} = {text!r} is not known", did_you_mean(text, known))
    return words(text) if text else None
