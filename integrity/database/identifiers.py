"""The only place where a name becomes SQL, and where a dotted name is read.

Both engines quote with double quotes and double a quote inside (PostgreSQL manual 4.1.1,
"Quoted identifiers"; SQLite "SQL As Understood By SQLite: keywords"). A percent sign is
doubled too, because every statement is sent with parameters in the ``%s`` style.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from integrity.exceptions import InvalidIdentifier


@dataclass(frozen=True, order=True)
class TableName:
    """A table by schema and name, exactly as the database spells them."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Path:
    """A dotted name as somebody wrote it: ``orders.customer_id``, ``auth.users.id``."""

    parts: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def schema(self) -> str | None:
        """The schema, or None where none was written."""
        return self.parts[0] if len(self.parts) == 2 else None

    @property
    def table(self) -> str:
        """The table's name."""
        return self.parts[-1]


def quote(name: str) -> str:
    """Returns ``name`` as an SQL identifier, whatever it contains.

    Raises:
        InvalidIdentifier: for an empty name or one with a NUL, which no database can hold.
    """
    if not name or "\0" in name:
        raise InvalidIdentifier(f"{name!r} cannot be the name of anything in a database")
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def quote_table(table: TableName) -> str:
    """Returns ``"schema"."name"``."""
    return f"{quote(table.schema)}.{quote(table.name)}"


def quote_columns(columns: Iterable[str], prefix: str = "") -> str:
    """Returns the columns as a comma-separated list, each behind ``prefix.`` where one is given."""
    return ", ".join(column(name, prefix) for name in columns)


def column(name: str, prefix: str = "") -> str:
    """Returns one column, behind ``prefix.`` where one is given (an SQL alias of ours)."""
    return f"{prefix}.{quote(name)}" if prefix else quote(name)


def shown(statement: str) -> str:
    """Returns a statement without parameters as a person may run it: percent signs single again."""
    return statement.replace("%%", "%")


def literal(value: str) -> str:
    """Returns ``value`` as an SQL string literal, for scripts that somebody else will run."""
    return "'" + value.replace("'", "''") + "'"


_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^".,\s](?:[^".,]*[^".,\s])?))\s*([.,]|$)')


def parse_path(text: str) -> Path:
    """Reads ``orders.customer_id``, ``auth.users.id``, ``order_lines.order_id,line_no`` or
    ``"Order Details".OrderID``: the last dot stands before the column or columns.

    Raises:
        InvalidIdentifier: with the notation, when it cannot be read so.
    """
    parts, separators = _split(text)
    dots = separators.index(",") if "," in separators else len(separators)
    names, columns = parts[:dots], parts[dots:]
    if "." in separators[dots:] or not 1 <= len(names) <= 2:
        raise _unreadable(text)
    return Path(tuple(names), tuple(columns))


def parse_table(text: str) -> Path:
    """Reads ``orders``, ``auth.users`` or ``"Order Details"``: a table without columns."""
    parts, separators = _split(text)
    if "," in separators or len(parts) > 2:
        raise _unreadable(text)
    return Path(tuple(parts), ())


def _split(text: str) -> tuple[list[str], list[str]]:
    parts: list[str] = []
    separators: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise _unreadable(text)
        quoted, plain, separator = match.groups()
        parts.append(plain if quoted is None else quoted.replace('""', '"'))
        if not separator:
            return parts, separators
        separators.append(separator)
        position = match.end()


def _unreadable(text: str) -> InvalidIdentifier:
    return InvalidIdentifier(
        f"{text!r} is not the name of a reference",
        hint='Write table.column, schema.table.column, table.first,second or "Odd Table".column.',
    )
