"""Values of one type read as another: which can be, which are spelled otherwise, and the way back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from integrity.database import clauses
from integrity.database.conversions import Conversion, Family
from integrity.database.identifiers import TableName, literal
from integrity.database.postgresql.spelling import form
from integrity.database.schema import Column
from integrity.database.spelling import Form

OLD, NEW = "_integrity_old", "_integrity_new"

LOCK = "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
HIDE_NOTHING = "SET LOCAL row_security = off"

_BYTES = {"smallint": 2, "integer": 4, "bigint": 8}
_LONGEST = 60
"""No number with so many digits is one, and numeric reads it at once."""
_TEXT = re.compile(r"^(?:text|character varying)(?:\((\d+)\))?$")


def family(kind: str) -> Family | None:
    """Returns what a type is, as ``format_type`` names it."""
    if kind in _BYTES:
        return Family.WHOLE
    if kind == "uuid":
        return Family.UUID
    return Family.TEXT if _TEXT.match(kind) or kind.startswith("character(") else None


@dataclass(frozen=True)
class PostgreSQLConversion(Conversion):
    """How the column ``name`` of a row is read as ``to``; ``written`` is how its type was."""

    @property
    def families(self) -> tuple[Family | None, Family | None]:
        """By the server's own names."""
        return family(self.written), family(self.to)

    def possible(self) -> str:
        """SQL that holds where the value can be read as the other type."""
        if self.to == "uuid":
            return f"({self._text()}) ~ '^[0-9a-f]{{32}}$'"
        if self.to in _BYTES:
            end = 2 ** (8 * _BYTES[self.to] - 1)
            whole = f"({self._text()}) ~ '^[+-]?[0-9]{{1,{_LONGEST}}}$'"
            return (
                f"(CASE WHEN {whole} THEN ({self._text()})::numeric BETWEEN {-end} AND {end - 1} "
                "ELSE false END)"
            )
        limit = _TEXT.match(self.to)
        longest = limit[1] if limit else None
        return f"(length({self.column}::text) <= {longest})" if longest else "true"

    def value(self) -> str:
        """SQL for the value in the other type."""
        return f"({self._text()})::{self.to}"

    def respelled(self) -> str:
        """SQL that holds where the other type writes the value in another way, which it would forget."""
        if self.families[0] is not Family.TEXT:
            return "false"
        return f"{self.column} <> ({self.value()})::text"

    def _text(self) -> str:
        if self.to == "uuid":
            return form(self.column, Form.NORMAL)
        if self.to in _BYTES:
            return f"btrim({self.column}::text, E' \\t\\n\\r')"
        return f"{self.column}::text"

    def change(self, value: str = "") -> str:
        """The part of an ALTER TABLE that changes the type; the table is rewritten, and its indexes."""
        return f"ALTER COLUMN {self.column} TYPE {self.to} USING {value or self.value()}"


@dataclass(frozen=True)
class Spellings:
    """The journal's table of the values that a conversion would forget, by the key of their rows.

    ``key`` are its columns as they are after the conversion, each with the SQL for its value before.
    """

    name: TableName
    key: tuple[tuple[Column, str], ...]
    conversion: PostgreSQLConversion

    def create(self) -> str:
        """Makes the table."""
        columns = [f"{clauses.name(each.name)} {each.type} NOT NULL" for each, _ in self.key]
        columns += [f"{OLD} {self.conversion.written} NOT NULL", f"{NEW} {self.conversion.to} NOT NULL"]
        return f"CREATE TABLE {clauses.table(self.name)} ({', '.join(columns)}, PRIMARY KEY ({self._keys()}))"

    def fill(self, table: TableName) -> str:
        """Keeps the values, within the transaction that changes the type."""
        change = self.conversion
        keys = ", ".join(value for _, value in self.key)
        return (
            f"INSERT INTO {clauses.table(self.name)} SELECT {keys}, {change.column}, {change.value()} "
            f"FROM {clauses.table(table)} WHERE {change.respelled()}"
        )

    def drop(self) -> list[str]:
        """Takes the table away, and the function that read it."""
        return [
            f"DROP FUNCTION IF EXISTS {clauses.table(self.name)}({self._types()})",
            f"DROP TABLE IF EXISTS {clauses.table(self.name)}",
        ]

    def function(self) -> str:
        """A function from a row's key and value to the spelling that the value had.

        An UPDATE could do it too, but would fire the triggers of the table; USING takes no subquery.
        """
        value = f"${len(self.key) + 1}"
        same = " AND ".join(f"j.{clauses.name(each.name)} = ${n}" for n, (each, _) in enumerate(self.key, 1))
        body = (
            f"SELECT coalesce((SELECT j.{OLD} FROM {clauses.table(self.name)} j "
            f"WHERE {same} AND j.{NEW} = {value}), {value}::text)"
        )
        return (
            f"CREATE FUNCTION {clauses.table(self.name)}({self._types()}) "
            f"RETURNS {self.conversion.written} LANGUAGE sql STABLE AS {literal(body)}"
        )

    def spelled(self) -> str:
        """SQL for the spelling that a row's value had; newer values as the type writes them."""
        return f"{clauses.table(self.name)}({self._keys()}, {self.conversion.column})"

    def _keys(self) -> str:
        return clauses.columns(each.name for each, _ in self.key)

    def _types(self) -> str:
        return ", ".join([*(each.type for each, _ in self.key), self.conversion.to])
