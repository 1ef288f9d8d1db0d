"""Keys of PostgreSQL as text: by it a missing key is told, whatever its type."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Column


def key_text(columns: Sequence[str], alias: str) -> str:
    """Byte by byte: collations that find two texts equal would mix up their keys."""
    parts = [f'({column(name, alias)})::text COLLATE "C"' for name in columns]
    return f"({' || chr(31) || '.join(parts)})"


def key_value(sql: str) -> str:
    """As text: it is cast back where it is used."""
    return f"({sql})::text"


def among(sql: str, texts: Sequence[str]) -> Predicate:
    """An array, which the server hashes."""
    return Predicate(f"({sql} = ANY(%s::text[]))", (list(texts),))


def having_key(columns: Sequence[Column], texts: Sequence[str]) -> Predicate:
    """An index knows values, not their texts; the texts are compared all the same."""
    same = among(key_text([each.name for each in columns], "c"), texts)
    kind, form = _array_of(columns[0].type) if len(columns) == 1 else ("", _NONE)
    if not kind or not all(map(form.fullmatch, texts)):
        return same
    return Predicate(f"({column(columns[0].name, 'c')} = ANY(%s::{kind}[]))", (list(texts),)) & same


_NONE = re.compile(r"(?!)")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXT = re.compile(r"[^\0]*")


def _array_of(kind: str) -> tuple[str, re.Pattern[str]]:
    """The type of an array of values, and how each is written; empty where texts say too little."""
    if kind in ("smallint", "integer", "bigint"):
        return "bigint", _NUMBER
    if kind == "uuid":
        return kind, _UUID
    return ("text", _TEXT) if kind == "text" or kind.startswith("character varying") else ("", _NONE)


def looked_up(into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """A jsonb object: its keys are sorted, and it is parsed once a statement."""
    kind = into.type.replace("%", "%%")
    return f"CAST(%s::jsonb ->> {key} AS {kind})", [json.dumps(values, default=str)]
