"""The catalog's ``[log]``: the target's own table in which its people look for what went wrong.

A repair writes there what it changed, in the same transaction. Such entries are news, not data: a
rollback leaves them and adds its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrity.database.identifiers import Path, parse_table
from integrity.database.schema import did_you_mean
from integrity.exceptions import CatalogError, InvalidIdentifier

WORDS = ("table", "columns", "types", "values", "rows")
COLUMNS = ("type", "message", "details", "at")
ROWS = 1_000

Fail = Callable[[str, str], CatalogError]
"""Makes the error for a mistake and a hint, with the place of the entry."""


@dataclass(frozen=True)
class CatalogLog:
    """``[log]`` as written.

    ``columns`` says which column of ``table`` holds what (``type``, ``message``, ``details``, ``at``),
    ``types`` the type of an entry about a table, ``values`` what other columns always hold. Of each run
    and table, ``rows`` rows get an entry each; beyond that, one entry a batch counts them.
    """

    entry: str
    table: Path
    columns: dict[str, str]
    types: dict[Path, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    rows: int = ROWS


def default_type(table: str) -> str:
    """The type of an entry about a table that nobody named: ``ORPHANED_ORDER_DETECTED`` for orders."""
    words = re.sub(r"\W+", "_", singular(table)).strip("_")
    return f"ORPHANED_{words.upper()}_DETECTED"


def rolled_back_type(type_: str) -> str:
    """The type of an entry which says that rows came back: ``ORPHANED_ORDER_ROLLED_BACK``."""
    return f"{type_.removesuffix('_DETECTED')}_ROLLED_BACK"


def singular(word: str) -> str:
    """One of what a table's name means: ``categories`` is ``category``, ``status`` stays."""
    for ending, ends in ((r"(?i)ies$", "y"), (r"(?i)(ss|sh|ch|x|z)es$", r"\1"), (r"(?i)([^sui])s$", r"\1")):
        found, number = re.subn(ending, ends, word)
        if number:
            return found
    return word


def read_log(data: Any, fail: Fail) -> CatalogLog:
    """Reads ``[log]``.

    Raises:
        CatalogError: made by ``fail``.
    """
    if not isinstance(data, dict):
        raise fail("log must be a table", "Write [log].")
    _only(data, WORDS, "is not a word of a catalog", fail)
    columns = _texts(data, "columns", fail)
    _only(columns, COLUMNS, "is nothing that an entry holds", fail)
    if "type" not in columns:
        raise fail("columns names no type", 'Write columns = { type = "error_type", … }.')
    values = data.get("values", {})
    if not isinstance(values, dict):
        raise fail("values must give a value for each column", 'Write values = { severity = "info" }.')
    twice = set(values) & set(columns.values())
    if twice:
        raise fail(f"{', '.join(sorted(twice))} is in columns and in values", "Take it out of one of them.")
    return CatalogLog(
        entry="[log]",
        table=_path(data.get("table"), "table", fail),
        columns=columns,
        types={_path(name, "types", fail): each for name, each in _texts(data, "types", fail).items()},
        values=values,
        rows=_rows(data, fail),
    )


def _only(data: Mapping[str, Any], words: tuple[str, ...], what: str, fail: Fail) -> None:
    for word in data:
        if word not in words:
            raise fail(f"{word!r} {what}", did_you_mean(word, words))


def _texts(data: Mapping[str, Any], word: str, fail: Fail) -> dict[str, str]:
    found = data.get(word, {})
    if not isinstance(found, dict) or not all(isinstance(each, str) and each for each in found.values()):
        raise fail(f"{word} must give a text for each name", f'Write {word} = {{ name = "…" }}.')
    return found


def _path(text: Any, word: str, fail: Fail) -> Path:
    if not isinstance(text, str) or not text:
        raise fail(f"{word} must name a table", 'Write table = "error_logs".')
    try:
        return parse_table(text)
    except InvalidIdentifier as error:
        raise fail(f"{word}: {error.what}", error.hint) from error


def _rows(data: Mapping[str, Any], fail: Fail) -> int:
    rows = data.get("rows", ROWS)
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
        raise fail("rows must be a number", "Write how many rows of a table get an entry of their own.")
    return rows
