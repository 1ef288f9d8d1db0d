"""JSON as SQLite has it: text, which may as well be none (SQLite manual, "JSON Functions And Operators").

Only functions that SQLite 3.35 has. A JSON function fails on text that is no JSON, so that each is asked
only behind ``json_valid``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database.json_forms import JsonForms, text
from integrity.database.schema import Column


@dataclass(frozen=True)
class SQLiteJson(JsonForms):
    """JSON in a column of any type."""

    fence = "LIMIT -1"

    def unsupported(self) -> str:
        """Any column can hold it."""
        return ""

    def kind(self, value: str) -> str:
        """By json_type; blobs and numbers are none, whatever json_valid says of them."""
        return (
            f"CASE WHEN {value} IS NULL THEN 'null' WHEN NOT {_valid(value)} THEN 'invalid' "
            f"ELSE CASE json_type({value}) WHEN 'null' THEN 'null' WHEN 'object' THEN 'object' "
            "WHEN 'array' THEN 'list' ELSE 'invalid' END END"
        )

    def number(self, value: str, key: str) -> str:
        """A whole number, however it is written."""
        at = _path(key)
        found = f"json_extract({value}, {at})"
        trimmed = f"trim({found})"
        digits = f"ltrim(substr({trimmed}, 1, 1), '+-') || substr({trimmed}, 2)"
        whole = f"({digits}) <> '' AND ({digits}) NOT GLOB '*[^0-9]*'"
        return (
            f"CASE WHEN {_valid(value)} AND json_type({value}) = 'object' THEN "
            f"CASE json_type({value}, {at}) WHEN 'integer' THEN {found} "
            f"WHEN 'real' THEN CASE WHEN {found} = CAST({found} AS INTEGER) "
            f"THEN CAST({found} AS INTEGER) END "
            f"WHEN 'text' THEN CASE WHEN {whole} THEN CAST({trimmed} AS INTEGER) END END END"
        )

    def elements(self, value: str, alias: str) -> str:
        """By json_each."""
        listed = (
            f"CASE WHEN {_valid(value)} THEN CASE WHEN json_type({value}) = 'array' "
            f"THEN {value} ELSE '[]' END ELSE '[]' END"
        )
        return f"json_each({listed}) AS {alias}"

    def place(self, alias: str) -> str:
        """Its key."""
        return f"{alias}.key"

    def is_object(self, alias: str) -> str:
        """By its type."""
        return f"{alias}.type = 'object'"

    def lists_objects(self, value: str) -> str:
        """By its first element."""
        return f"json_type({value}, '$[0]') = 'object'"

    def field(self, alias: str, key: str, column: Column) -> str:
        """Whole numbers alike, whether they are written as such or not."""
        found = f"json_extract({alias}.value, {_path(key)})"
        return (
            f"CASE WHEN {self.is_object(alias)} THEN {_written(found)} ELSE {_written(f'{alias}.value')} END"
        )

    def written(self, value: str, column: Column) -> str:
        """By its storage class."""
        return _written(value)

    def bytewise(self, sql: str) -> str:
        """As texts of no column do."""
        return sql

    def together(self, texts: Sequence[str]) -> str:
        """As a JSON array."""
        return f"json_array({', '.join(texts)})"

    def same(self, left: str, right: str) -> str:
        """IS."""
        return f"{left} IS {right}"

    def counted(self, old: str, key: str, number: str) -> str:
        """By json_set."""
        return f"json_set({old}, {_path(key)}, {number})"

    def count_only(self, key: str, number: str) -> str:
        """By json_object."""
        return f"json_object({text(key)}, {number})"

    def listed(self, source: str, parts: Sequence[tuple[str, str]], order: str, *, objects: bool) -> str:
        """By json_group_array, which takes the rows as they come."""
        names = [f"v{place}" for place in range(len(parts))]
        values = ", ".join(f"{value} AS {name}" for (_, value), name in zip(parts, names, strict=True))
        pairs = ", ".join(f"{text(key)}, {name}" for (key, _), name in zip(parts, names, strict=True))
        each = f"json_object({pairs})" if objects else names[0]
        return f"(SELECT json_group_array({each}) FROM (SELECT {values} FROM {source} ORDER BY {order}))"

    def null(self) -> str:
        """Of no type."""
        return "NULL"


def _valid(value: str) -> str:
    return f"(typeof({value}) = 'text' AND json_valid({value}))"


def _path(key: str) -> str:
    return text(f'$."{key}"')


def _written(value: str) -> str:
    """3.0 as 3; beyond 2^53 a real number is no whole one that could be told from its neighbours."""
    return (
        f"CASE WHEN typeof({value}) = 'real' AND abs({value}) < 9007199254740992.0 "
        f"AND {value} = CAST({value} AS INTEGER) THEN CAST(CAST({value} AS INTEGER) AS TEXT) "
        f"ELSE CAST({value} AS TEXT) END"
    )
