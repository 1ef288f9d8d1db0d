"""Values of ours as rows of a statement of PostgreSQL: arrays, unnested side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from integrity.database.schema import Column

_LENGTH = re.compile(r"\(\d+(,\s*-?\d+)?\)")
_UNLIMITED = {"character": "bpchar", "bit": "bit varying"}


def item(columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]) -> tuple[str, list[Any]]:
    """Returns ``(SELECT n, v1, v2 … FROM unnest(…)) AS g`` and its parameters, values given as text."""
    places = [f"v{number}" for number in range(1, len(columns) + 1)]
    values = ", ".join(
        f"{cast(each, f'u.{place}')} AS {place}" for each, place in zip(columns, places, strict=True)
    )
    arrays = ", ".join(["%s::bigint[]", *["%s::text[]"] * len(columns)])
    sql = f"(SELECT u.n, {values} FROM unnest({arrays}) AS u(n, {', '.join(places)})) AS g"
    numbers = [number for number, _ in rows]
    return sql, [numbers, *([values[place] for _, values in rows] for place in range(len(columns)))]


def cast(column: Column, sql: str) -> str:
    """A text as a value that compares as the column does. Not with its length: an explicit cast to one
    would cut silently what an assignment refuses (PostgreSQL manual 8.3)."""
    base = column.stored_type or column.type
    plain = " ".join(_LENGTH.sub("", base).split())
    kind = _UNLIMITED.get(plain, plain) if plain != base else column.type
    collated = f" COLLATE {column.collation}" if column.collation else ""
    return f"CAST({sql} AS {kind.replace('%', '%%')}){collated.replace('%', '%%')}"
