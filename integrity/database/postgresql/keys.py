"""Keys of PostgreSQL as text: by it a missing key is told, whatever its type."""

from __future__ import annotations

import json
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


def looked_up(into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """A jsonb object: its keys are sorted, and it is parsed once a statement."""
    kind = into.type.replace("%", "%%")
    return f"CAST(%s::jsonb ->> {key} AS {kind})", [json.dumps(values, default=str)]
