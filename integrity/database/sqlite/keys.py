"""Keys of SQLite as text: by it a missing key is told, whatever its storage class."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Column


def key_text(columns: Sequence[str], alias: str) -> str:
    """Byte by byte: a CAST keeps the collation of its column (SQLite manual, "Datatypes" 7.1)."""
    parts = [f"CAST({column(name, alias)} AS TEXT)" for name in columns]
    return f"({' || char(31) || '.join(parts)} COLLATE BINARY)"


def key_value(sql: str) -> str:
    """As it is stored."""
    return sql


def among(sql: str, texts: Sequence[str]) -> Predicate:
    """A list as JSON, which is made an index of once a statement."""
    return Predicate(f"({sql} IN (SELECT value FROM json_each(%s)))", (json.dumps(list(texts)),))


def having_key(columns: Sequence[Column], texts: Sequence[str]) -> Predicate:
    """An INTEGER PRIMARY KEY is the place of its row; the texts are compared all the same."""
    same = among(key_text([each.name for each in columns], "c"), texts)
    if len(columns) > 1 or columns[0].type.upper() != "INTEGER" or not all(map(_NUMBER.fullmatch, texts)):
        return same
    places = json.dumps(list(map(int, texts)))
    return (
        Predicate(f"({column(columns[0].name, 'c')} IN (SELECT value FROM json_each(%s)))", (places,)) & same
    )


_NUMBER = re.compile(r"-?[0-9]{1,18}")


def looked_up(into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """A list of pairs as JSON: what an object is asked for would have to be escaped."""
    found = "SELECT json_extract(m.value, '$[1]') FROM json_each(%s) AS m"
    return f"({found} WHERE json_extract(m.value, '$[0]') = {key})", [
        json.dumps([list(each) for each in values.items()])
    ]
