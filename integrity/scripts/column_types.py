"""Types of both engines, made comparable."""

from __future__ import annotations

import re
from enum import StrEnum

_ALIASES = {
    "int": "integer", "int4": "integer", "mediumint": "integer", "int8": "bigint", "int2": "smallint",
    "serial4": "serial", "serial8": "bigserial", "serial2": "smallserial", "bool": "boolean",
    "float8": "double precision", "float4": "real", "float": "double precision", "decimal": "numeric",
    "character varying": "varchar", "nvarchar": "varchar", "char varying": "varchar",
    "character": "char", "nchar": "char", "bpchar": "char",
    "timestamp with time zone": "timestamptz", "timestamp without time zone": "timestamp",
    "time with time zone": "timetz", "time without time zone": "time", "double": "double precision",
}  # fmt: skip
_SERIALS = {"serial": "integer", "bigserial": "bigint", "smallserial": "smallint"}
_WITH_PLACE = re.compile(r"^(timestamp|time)\s*(\(\d+\))\s*(with|without) time zone$")
_PARTS = re.compile(r"^(?P<base>[^(\[]*)(?P<sizes>\([^)]*\))?(?P<behind>[^\[]*)(?P<array>(?:\[\d*\])*)$")


class Family(StrEnum):
    """What values of a type can be compared with."""

    INTEGER = "integer"
    NUMERIC = "numeric"
    TEXT = "text"
    UUID = "uuid"
    BOOLEAN = "boolean"
    TIME = "time"
    JSON = "json"
    BINARY = "binary"


_FAMILIES = {
    Family.INTEGER: ["integer", "bigint", "smallint", "tinyint", "serial", "bigserial", "smallserial", "oid"],
    Family.NUMERIC: ["numeric", "real", "double precision", "money", "number"],
    Family.TEXT: ["text", "varchar", "char", "citext", "name", "string", "clob", "mediumtext", "longtext"],
    Family.UUID: ["uuid", "guid", "uniqueidentifier"],
    Family.BOOLEAN: ["boolean"],
    Family.TIME: ["timestamp", "timestamptz", "date", "datetime", "time", "timetz", "interval"],
    Family.JSON: ["json", "jsonb"],
    Family.BINARY: ["bytea", "blob", "binary", "varbinary"],
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names}


def plain_type(written: str, *, serial: bool = False) -> str:
    """Returns a type in one spelling: ``INT4`` is ``integer``, ``character varying(20)`` is ``varchar(20)``.

    Args:
        written: the type as it stands in a script, or as an engine says it.
        serial: whether SERIAL stays apart from the integer that it makes.
    """
    text = " ".join(written.lower().replace('"', "").split())
    text = text.removeprefix("pg_catalog.").removeprefix("public.")
    text = _WITH_PLACE.sub(r"\1 \3 time zone\2", text)
    match = _PARTS.match(text)
    if match is None:
        return text
    base = " ".join(f"{match['base']}{match['behind']}".split())
    base = _ALIASES.get(base, base)
    base = base if serial else _SERIALS.get(base, base)
    sizes = (match["sizes"] or "").replace(" ", "")
    sizes = "" if base in ("integer", "bigint", "smallint") else sizes
    return base + sizes + (match["array"] or "")


def family(written: str) -> Family | None:
    """Returns what a type's values can be compared with, None for an array or one that nobody knows here."""
    plain = plain_type(written)
    if "[" in plain:
        return None
    base = plain.partition("(")[0].strip()
    if base.startswith(("unsigned ", "big ")) or base.endswith(" unsigned"):
        return Family.INTEGER
    return _FAMILY_OF.get(base)


def affinity(written: str) -> str:
    """Returns the affinity that SQLite gives to a declared type (https://sqlite.org/datatype3.html, 3.1)."""
    text = written.upper()
    rules = [(("INT",), "INTEGER"), (("CHAR", "CLOB", "TEXT"), "TEXT"), (("BLOB",), "BLOB")]
    rules += [(("REAL", "FLOA", "DOUB"), "REAL")]
    if not text:
        return "BLOB"
    return next((found for parts, found in rules if any(part in text for part in parts)), "NUMERIC")


def comparable(left: str, right: str, *, sqlite_only: bool = False) -> bool:
    """Whether a key of one type can refer to a key of another; True where that cannot be told.

    PostgreSQL compares whole numbers of any width, and text of any length (manual 5.5.5 and 10.2); whole
    numbers may refer to decimal ones, not the other way round. SQLite compares what it stores.
    """
    if sqlite_only and (not left or not right or affinity(left) == affinity(right)):
        return True
    one, other = family(left), family(right)
    if one is None or other is None:
        return True
    return one is other or (one is Family.INTEGER and other is Family.NUMERIC)
