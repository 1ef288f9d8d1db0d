"""JSON as PostgreSQL has it, in columns of type json and jsonb."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database.json_forms import JsonForms, text
from integrity.database.schema import Column

_NUMBERS = r"(smallint|integer|bigint|numeric|real|double precision)\b"
_ISO = r"(timestamp|date|time)\b"
_NUMERIC = "^[+-]?[0-9]{1,100}([.][0-9]{1,100})?$"
_WHOLE = "^[+-]?[0-9]{1,100}([.]0{1,100})?$"
_WHOLE_TEXT = "^[+-]?[0-9]{1,100}$"


@dataclass(frozen=True)
class PostgreSQLJson(JsonForms):
    """By the functions of the column's own type: json keeps what jsonb would refuse or write otherwise."""

    fence = "OFFSET 0"

    @property
    def type(self) -> str:
        """``json`` or ``jsonb``."""
        return self.column.stored_type or self.column.type

    def unsupported(self) -> str:
        """Text that holds JSON would fail as a whole where one value is none."""
        return "" if self.type in ("json", "jsonb") else f"is {self.column.type}, not json or jsonb"

    def kind(self, value: str) -> str:
        """By typeof."""
        return (
            f"CASE coalesce({self.type}_typeof({value}), 'null') WHEN 'null' THEN 'null' "
            "WHEN 'object' THEN 'object' WHEN 'array' THEN 'list' ELSE 'invalid' END"
        )

    def number(self, value: str, key: str) -> str:
        """A pattern first: a cast that fails would fail the whole statement."""
        found = f"btrim({value} ->> {text(key)})"
        pattern = (
            f"CASE {self.type}_typeof({value} -> {text(key)}) WHEN 'number' THEN '{_WHOLE}' "
            f"WHEN 'string' THEN '{_WHOLE_TEXT}' END"
        )
        return (
            f"CASE WHEN {self.type}_typeof({value}) = 'object' THEN "
            f"CASE WHEN {found} ~ ({pattern}) THEN trunc(({found})::numeric) END END"
        )

    def elements(self, value: str, alias: str) -> str:
        """Unnested."""
        listed = f"CASE WHEN {self.type}_typeof({value}) = 'array' THEN {value} ELSE '[]' END"
        return f"LATERAL {self.type}_array_elements({listed}) WITH ORDINALITY AS {alias}(value, place)"

    def place(self, alias: str) -> str:
        """Its ordinality."""
        return f"{alias}.place"

    def is_object(self, alias: str) -> str:
        """By typeof."""
        return f"{self.type}_typeof({alias}.value) = 'object'"

    def lists_objects(self, value: str) -> str:
        """By its first element."""
        return f"{self.type}_typeof({value} -> 0) = 'object'"

    def field(self, alias: str, key: str, column: Column) -> str:
        """Numbers without what makes no difference, UUIDs in lower case."""
        found = (
            f"CASE WHEN {self.is_object(alias)} THEN {alias}.value ->> {text(key)} "
            f"ELSE {alias}.value #>> '{{}}' END"
        )
        if _numeric(column):
            return (
                f"(SELECT CASE WHEN x ~ '{_NUMERIC}' THEN trim_scale(x::numeric)::text ELSE x END "
                f"FROM (SELECT btrim({found}) AS x) f)"
            )
        return f"lower({found})" if _base(column) == "uuid" else found

    def written(self, value: str, column: Column) -> str:
        """As the column's own type writes it, dates as JSON does."""
        if _numeric(column):
            return f"trim_scale(({value})::numeric)::text"
        return f"to_jsonb({value}) #>> '{{}}'" if re.match(_ISO, _base(column)) else f"({value})::text"

    def bytewise(self, sql: str) -> str:
        """In the "C" collation."""
        return f'({sql}) COLLATE "C"'

    def together(self, texts: Sequence[str]) -> str:
        """As a JSON array."""
        return f"jsonb_build_array({', '.join(texts)})::text"

    def same(self, left: str, right: str) -> str:
        """IS NOT DISTINCT FROM."""
        return f"{left} IS NOT DISTINCT FROM {right}"

    def counted(self, old: str, key: str, number: str) -> str:
        """By jsonb_set."""
        whole = f"jsonb_set(({old})::jsonb, ARRAY[{text(key)}], to_jsonb({number}))"
        return self._typed(whole)

    def count_only(self, key: str, number: str) -> str:
        """By jsonb_build_object."""
        return self._typed(f"jsonb_build_object({text(key)}, {number})")

    def listed(self, source: str, parts: Sequence[tuple[str, str]], order: str, *, objects: bool) -> str:
        """By jsonb_agg."""
        pairs = ", ".join(f"{text(key)}, {value}" for key, value in parts)
        each = f"jsonb_build_object({pairs})" if objects else f"to_jsonb({parts[0][1]})"
        return self._typed(f"(SELECT coalesce(jsonb_agg({each} ORDER BY {order}), '[]') FROM {source})")

    def null(self) -> str:
        """Typed, so that a view's column is."""
        return f"NULL::{self.column.type.replace('%', '%%')}"

    def _typed(self, value: str) -> str:
        base = f"({value})::{self.type}" if self.type == "json" else value
        own = self.column.type
        return base if own == self.type else f"({base})::{own.replace('%', '%%')}"


def _base(column: Column) -> str:
    return column.stored_type or column.type


def _numeric(column: Column) -> bool:
    return re.match(_NUMBERS, _base(column)) is not None and not column.type.endswith("[]")
