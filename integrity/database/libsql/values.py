"""Parameters for the libSQL driver, so that nothing of a value is lost on its way.

The driver (0.1.11) binds an integer outside 32 bits as REAL, reads a Decimal as a float, takes a
missing parameter for NULL and ignores one too many.
"""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any

from integrity.database.sqlite.tokens import tokens

_BOUND = 2**31
_STORED = 2**63


def bound(sql: str, params: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Returns a statement and its parameters as the driver may have them: integers that it would
    turn into floats stand in the statement.

    Args:
        sql: a statement with ``?`` for each parameter.
        params: their values.

    Raises:
        sqlite3.ProgrammingError: when there are more or fewer values than marks, or one of a type
            that SQLite does not have.
        OverflowError: for an integer that SQLite cannot store.
    """
    values = [adapted(value) for value in params]
    marks = _marks(sql) if "?" in sql else ()
    if len(marks) != len(values):
        raise sqlite3.ProgrammingError(
            f"Incorrect number of bindings supplied. The current statement uses {len(marks)}, "
            f"and there are {len(values)} supplied."
        )
    if not any(map(_is_large, values)):
        return sql, tuple(values)
    return _written(sql, marks, values)


@lru_cache(maxsize=200)
def _marks(sql: str) -> tuple[int, ...]:
    """Where parameters stand; statements come again and again."""
    return tuple(token.start for token in tokens(sql) if token.text == "?")


def _is_large(value: Any) -> bool:
    return isinstance(value, int) and not -_BOUND < value < _BOUND


def _written(sql: str, marks: Sequence[int], values: list[Any]) -> tuple[str, tuple[Any, ...]]:
    """Integers of more than 32 bits as literals; the others stay parameters."""
    parts, kept, end = [], [], 0
    for mark, value in zip(marks, values, strict=True):
        parts.append(sql[end:mark])
        if _is_large(value):
            parts.append(f"({value})")
        else:
            parts.append("?")
            kept.append(value)
        end = mark + 1
    return "".join([*parts, sql[end:]]), tuple(kept)


def adapted(value: Any) -> Any:
    """Returns a value as one of the types that SQLite has, as Django's SQLite backend adapts it."""
    for kind, adapt in _ADAPTERS:
        if isinstance(value, kind):
            return adapt(value)
    raise sqlite3.ProgrammingError(f"Error binding parameter: type {type(value).__name__!r} is not supported")


def _integer(value: int) -> int:
    if -_STORED <= value < _STORED:
        return int(value)
    raise OverflowError("Python int too large to convert to SQLite INTEGER")


def _text(value: str) -> str:
    """Text that has no UTF-8 is refused as ``sqlite3`` refuses it."""
    value.encode()
    return str(value)


def _moment(value: datetime.datetime) -> str:
    return value.isoformat(" ")


_ADAPTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (NoneType, lambda value: value),
    (str, _text),
    (int, _integer),
    (float, float),
    ((bytes, bytearray, memoryview), bytes),
    (Decimal, str),
    (datetime.datetime, _moment),
    (datetime.date, datetime.date.isoformat),
)
"""A ``datetime`` is a ``date`` as well, so it comes first."""
