"""Values of one type read as another: which can be, which are spelled otherwise, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

from integrity.database import clauses
from integrity.database.identifiers import TableName, literal
from integrity.database.postgresql.spelling import form
from integrity.database.schema import Column
from integrity.database.spelling import Form

OLD, NEW = "_integrity_old", "_integrity_new"

# What PostgreSQL itself will not change the type beneath; constraints and indexes it makes again.
DEPENDENTS = """
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0)
FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = %s::oid AND a.attname = %s
  AND d.classid NOT IN ('pg_class'::regclass, 'pg_constraint'::regclass, 'pg_statistic_ext'::regclass)
ORDER BY 1
"""
LOCK = "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
HIDE_NOTHING = "SET LOCAL row_security = off"

_WHOLE = {"smallint": 4, "integer": 9, "bigint": 18}
READABLE = ("uuid", *_WHOLE)
"""The types that text can be read as."""


@dataclass(frozen=True)
class Conversion:
    """How the column ``name`` of a row is read as ``to``; ``written`` is how its type was."""

    name: str
    written: str
    to: str

    def possible(self) -> str:
        """SQL that holds where the value can be read as the other type."""
        if self.to == "uuid":
            return f"({self._text()}) ~ '^[0-9a-f]{{32}}$'"
        return f"({self._text()}) ~ '^[+-]?[0-9]{{1,{_WHOLE[self.to]}}}$'"

    def value(self) -> str:
        """SQL for the value in the other type."""
        return f"({self._text()})::{self.to}"

    def respelled(self) -> str:
        """SQL that holds where the other type writes the value in another way, which it would forget."""
        return f"{self._column()} <> ({self.value()})::text"

    def _text(self) -> str:
        if self.to == "uuid":
            return form(self._column(), Form.NORMAL)
        return f"btrim({self._column()}, E' \\t\\n\\r')"

    def _column(self) -> str:
        return clauses.name(self.name)

    def forward(self, table: TableName) -> str:
        """The change of type; the table is rewritten, and its indexes with it."""
        return f"{self._alter(table)} TYPE {self.to} USING {self.value()}"

    def backward(self, table: TableName, spelled: str = "") -> str:
        """The change back, each value as ``spelled`` gives it or as the type writes it."""
        return f"{self._alter(table)} TYPE {self.written} USING {spelled or f'{self._column()}::text'}"

    def _alter(self, table: TableName) -> str:
        return f"ALTER TABLE {clauses.table(table)} ALTER COLUMN {self._column()}"

    def impossible_rows(self, table: TableName) -> str:
        """The query that lists the values that cannot be read, and in how many rows they stand."""
        column = self._column()
        return (
            f"SELECT {column}, count(*) FROM {clauses.table(table)} "
            f"WHERE {column} IS NOT NULL AND NOT {self.possible()} GROUP BY 1 ORDER BY 2 DESC"
        )


@dataclass(frozen=True)
class Spellings:
    """The journal's table of the values that a conversion would forget, by the key of their rows."""

    name: TableName
    key: tuple[Column, ...]
    conversion: Conversion

    def create(self) -> str:
        """Makes the table."""
        columns = [f"{clauses.name(each.name)} {each.type} NOT NULL" for each in self.key]
        columns += [f"{OLD} {self.conversion.written} NOT NULL", f"{NEW} {self.conversion.to} NOT NULL"]
        return f"CREATE TABLE {clauses.table(self.name)} ({', '.join(columns)}, PRIMARY KEY ({self._keys()}))"

    def fill(self, table: TableName) -> str:
        """Keeps the values, within the transaction that changes the type."""
        column, change = clauses.name(self.conversion.name), self.conversion
        return (
            f"INSERT INTO {clauses.table(self.name)} SELECT {self._keys()}, {column}, {change.value()} "
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
        same = " AND ".join(f"j.{clauses.name(each.name)} = ${n}" for n, each in enumerate(self.key, 1))
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
        return f"{clauses.table(self.name)}({self._keys()}, {clauses.name(self.conversion.name)})"

    def _keys(self) -> str:
        return clauses.columns(each.name for each in self.key)

    def _types(self) -> str:
        return ", ".join([*(each.type for each in self.key), self.conversion.to])
