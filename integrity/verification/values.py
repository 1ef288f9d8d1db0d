"""Values that a trial row can be made of: of a column's own type, and where it matters unused."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.database.identifiers import column as quoted
from integrity.database.identifiers import quote_columns
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError

ATTEMPTS = 20

LABELS = "SELECT array_agg(e.enumlabel::text) FROM pg_enum e WHERE e.enumtypid = to_regtype(%s)"


class CannotBuild(ReferentialIntegrityError):
    """No trial row can be built; enforcement is then read from the system catalog."""


@dataclass(frozen=True)
class Value:
    """A value as SQL with its parameters."""

    sql: str
    params: tuple[Any, ...] = ()


NULL = Value("NULL")


def unused(session: Session, column: Column, table: Table, name: str) -> Value:
    """Returns a value of ``column``'s type that the column ``name`` of ``table`` does not hold.

    Raises:
        CannotBuild: when the type is not known, or all tries are taken.
    """
    given = session.engine.given(column)
    sql = (
        f"SELECT EXISTS (SELECT 1 FROM {session.engine.parent_source(table)} p "
        f"WHERE {quoted(name, 'p')} = {given})"
    )
    for _ in range(ATTEMPTS):
        value = random_value(session, column)
        if not session.value(sql, [value]):
            return Value(given, (value,))
    raise CannotBuild(f"every value tried for {column.name} is in use")


def made(session: Session, column: Column) -> Value:
    """Returns any value of ``column``'s type.

    Raises:
        CannotBuild: when the type is not known.
    """
    return Value(session.engine.given(column), (random_value(session, column),))


def beside(session: Session, column: Column) -> Value:
    """Returns SQL that makes a copied row's value another one of the same kind: text keeps its end,
    so that what must look like an address still does.

    Raises:
        CannotBuild: when the type is not known.
    """
    if not is_text(session, column):
        return made(session, column)
    sql = f"%s || CAST({quoted(column.name, 'c')} AS text)"
    length = _length(column)
    sql = f"substr({sql}, 1, {length})" if length else sql
    return Value(session.engine.given(column).replace("%s", sql, 1), (secrets.token_hex(4),))


def is_text(session: Session, column: Column) -> bool:
    """Whether the column holds free text: no enum."""
    if session.target.vendor == "sqlite":
        return any(word in column.type.upper() for word in ("CHAR", "CLOB", "TEXT"))
    bare = _bare(column)
    return bare in ("text", "character varying", "character", "citext", "name") and not _labels(
        session, column
    )


def random_value(session: Session, column: Column) -> Any:
    """Returns a random value for ``column``; hardly any table holds it already.

    Raises:
        CannotBuild: when the type is not known.
    """
    if session.target.vendor == "sqlite":
        return _sqlite_value(column)
    if labels := _labels(session, column):
        return secrets.choice(labels)
    make = _BY_TYPE.get(_bare(column))
    if make is None:
        raise CannotBuild(f"no value of type {column.type} can be made for {column.name}")
    return make(column)


def _bare(column: Column) -> str:
    kind = column.stored_type or column.type
    head, _, rest = kind.partition("(")
    return (head + rest.partition(")")[2]).rpartition(".")[2]


def _labels(session: Session, column: Column) -> list[str]:
    """The labels of an enum; nothing for any other type, such as a domain over text."""
    if column.stored_type != "text" or column.type == "text":
        return []
    return list(session.value(LABELS, [column.type]) or [])


def _length(column: Column) -> int:
    """The most characters that a text column takes, 0 for no limit."""
    inside = (column.stored_type or column.type).partition("(")[2].partition(")")[0]
    return int(inside) if inside.isdigit() else 0


def _integer(most: int) -> Callable[[Column], int]:
    """Below half of what the type holds: something may be computed from it."""
    return lambda column: 1 + secrets.randbelow(most)


def _text(column: Column) -> str:
    return uuid.uuid4().hex[: _length(column) or 32]


def _numeric(column: Column) -> str:
    inside = (column.stored_type or column.type).partition("(")[2].partition(")")[0]
    precision, _, scale = inside.partition(",")
    digits = int(precision) - int(scale or 0) if precision else 12
    return str(secrets.randbelow(10 ** max(1, min(digits, 18))) if digits > 0 else 0)


def _moment(column: Column) -> datetime:
    return datetime(2100, 1, 1, tzinfo=UTC) + timedelta(seconds=secrets.randbelow(10**10))


def _sqlite_value(column: Column) -> Any:
    kind = column.type.upper()
    if "INT" in kind:
        return 1 + secrets.randbelow(2**61)
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return _text(column)
    if not kind or "BLOB" in kind:
        return secrets.token_bytes(16)
    return 1 + secrets.randbelow(2**50)


_BY_TYPE: dict[str, Callable[[Column], Any]] = {
    "smallint": _integer(2**15 - 1),
    "integer": _integer(2**30),
    "bigint": _integer(2**61),
    "oid": _integer(2**31 - 1),
    "numeric": _numeric,
    "real": _integer(2**20),
    "double precision": _integer(2**50),
    "uuid": lambda column: str(uuid.uuid4()),
    "text": _text,
    "character varying": _text,
    "character": _text,
    "citext": _text,
    "name": _text,
    "boolean": lambda column: bool(secrets.randbelow(2)),
    "date": lambda column: _moment(column).date(),
    "timestamp without time zone": lambda column: _moment(column).replace(tzinfo=None),
    "timestamp with time zone": _moment,
    "time without time zone": lambda column: _moment(column).time(),
    "interval": lambda column: timedelta(seconds=secrets.randbelow(10**6)),
    "bytea": lambda column: secrets.token_bytes(16),
    "json": lambda column: "{}",
    "jsonb": lambda column: "{}",
    "inet": lambda column: f"192.0.2.{secrets.randbelow(256)}",
    "macaddr": lambda column: "02:00:" + ":".join(f"{secrets.randbelow(256):02x}" for _ in range(4)),
}


def existing(session: Session, table: Table, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Returns what some row of a referenced table holds in ``names``, None where there is none."""
    columns = quote_columns(names, "p")
    filled = " AND ".join(f"{quoted(name, 'p')} IS NOT NULL" for name in names)
    source = session.engine.parent_source(table)
    rows = session.rows(f"SELECT {columns} FROM {source} p WHERE {filled} LIMIT 1")
    return rows[0] if rows else None
