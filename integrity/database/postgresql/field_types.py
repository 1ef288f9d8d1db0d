"""Fields for PostgreSQL's types: Django's own mapping, and what it leaves out.

See django.db.backends.postgresql.introspection for the first, and psycopg's documentation, "Adapting
basic Python types", for what the driver makes of the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrity.database.field_types import Family, FieldType, as_text
from integrity.database.identifiers import TableName
from integrity.database.schema import Column, Schema
from integrity.database.session import Session

ENUMS = """
SELECT format_type(t.oid, NULL), array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid GROUP BY t.oid
"""
GENERATED = """
SELECT n.nspname, r.relname, a.attname, pg_get_expr(f.adbin, f.adrelid)
FROM pg_attribute a JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
JOIN pg_class r ON r.oid = a.attrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE a.attgenerated <> '' AND NOT a.attisdropped
"""

_TEXT, _NUMBER = Family.TEXT, Family.NUMBER
_PLAIN = {
    "smallint": FieldType("models.SmallIntegerField", family=_NUMBER),
    "integer": FieldType("models.IntegerField", family=_NUMBER),
    "bigint": FieldType("models.BigIntegerField", family=_NUMBER),
    "oid": FieldType("models.BigIntegerField", family=Family.OTHER),
    "real": FieldType("models.FloatField", family=_NUMBER),
    "double precision": FieldType("models.FloatField", family=_NUMBER),
    "boolean": FieldType("models.BooleanField"),
    "text": FieldType("models.TextField", family=_TEXT),
    "name": FieldType("models.CharField", (("max_length", 63),), family=_TEXT),
    "citext": FieldType("models.TextField", note="citext: compared without regard to case.", family=_TEXT),
    '"char"': FieldType("models.CharField", (("max_length", 1),), family=_TEXT),
    "date": FieldType("models.DateField"),
    "time without time zone": FieldType("models.TimeField"),
    "timestamp with time zone": FieldType("models.DateTimeField"),
    "timestamp without time zone": FieldType(
        "models.DateTimeField", note="timestamp without time zone: read as a naive time."
    ),
    "interval": FieldType("models.DurationField"),
    "uuid": FieldType("models.UUIDField", family=Family.UUID),
    "bytea": FieldType("models.BinaryField"),
    "jsonb": FieldType("models.JSONField"),
    "json": FieldType("fields.PlainJSONField"),
    "inet": FieldType("models.GenericIPAddressField"),
    "int4range": FieldType("postgres.IntegerRangeField"),
    "int8range": FieldType("postgres.BigIntegerRangeField"),
    "numrange": FieldType("postgres.DecimalRangeField"),
    "daterange": FieldType("postgres.DateRangeField"),
    "tstzrange": FieldType("postgres.DateTimeRangeField"),
    "tsrange": FieldType("postgres.DateTimeRangeField", note="tsrange: read as naive times."),
}
_ARRAYS = {"json", "jsonb", "inet", "citext"}
"""Elements that the driver does not give as Django's fields expect them."""
_TYPE = re.compile(r"^(?P<base>[^(\[]+?)(?:\((?P<size>-?\d+)(?:,(?P<scale>-?\d+))?\))?(?P<rest> [^(\[]+)?$")
_UNBOUNDED = (("max_digits", 1000), ("decimal_places", 500))


def field_types(session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
    """Returns the field for every column of a schema, in two queries."""
    enums = {name: tuple(labels) for name, labels in session.rows(ENUMS)}
    computed = {
        (TableName(space, table), column): text for space, table, column, text in session.rows(GENERATED)
    }
    found = {}
    for table in schema:
        for column in table.columns:
            kind = field_type(column, enums)
            found[table.name, column.name] = replace(
                kind, expression=computed.get((table.name, column.name), "")
            )
    return found


def field_type(column: Column, enums: Mapping[str, tuple[str, ...]]) -> FieldType:
    """Returns the field for a column.

    Args:
        column: the column.
        enums: the labels of every enum, by its type's name.
    """
    if column.type in enums:
        choices = [(label, label) for label in enums[column.type]]
        return FieldType("models.TextField", (("choices", choices),), note=f"enum {column.type}.")
    stored = column.stored_type or column.type
    kind = _array(column, stored) if stored.endswith("[]") else _scalar(stored) or as_text(column.type)
    serial = (column.default or "").startswith("nextval(")
    return replace(kind, automatic=bool(column.identity) or serial)


def _array(column: Column, stored: str) -> FieldType:
    element = stored.removesuffix("[]")
    base = _scalar(element)
    own = (
        column.type.endswith("[]") and column.type != stored
    )  # of an enum or a domain: unknown to the driver
    if base is None or own or element in _ARRAYS:
        return as_text(column.type)
    return FieldType("postgres.ArrayField", (("base_field", replace(base, note="")),), note=base.note)


def _scalar(type_: str) -> FieldType | None:
    match = _TYPE.match(type_)
    if match is None:
        return None
    base = (match["base"] + (match["rest"] or "")).strip()
    size, scale = (int(match[part]) if match[part] else None for part in ("size", "scale"))
    if base == "numeric":
        return FieldType("models.DecimalField", _digits(size, scale), family=_NUMBER)
    if base in ("character varying", "character", "bpchar"):
        return _characters(size)
    if base.startswith("interval"):
        base = "interval"
    return _PLAIN.get(base)


def _characters(size: int | None) -> FieldType:
    if size is None:
        return _PLAIN["text"]
    return FieldType("models.CharField", (("max_length", size),), family=_TEXT)


def _digits(precision: int | None, scale: int | None) -> tuple[tuple[str, Any], ...]:
    """PostgreSQL 15 allows a negative scale, and one above the precision."""
    if precision is None:
        return _UNBOUNDED
    places = max(scale or 0, 0)
    return (("max_digits", max(precision - min(scale or 0, 0), places)), ("decimal_places", places))
