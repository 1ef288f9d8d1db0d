"""Fields for SQLite's columns: by declared type, and only where every value keeps to it.

A column promises nothing (SQLite manual, "Datatypes In SQLite"), while Django's converters fail on a
date in February that was none, and make nothing of one that is a number. A column that holds such a value
is read as it is stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from integrity.database.field_types import Family, FieldType, as_text
from integrity.database.identifiers import TableName, quote, quote_table
from integrity.database.schema import Column, Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import tokens

_DATE = "typeof({c}) = 'text' AND {c} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"
_DAY = "date(substr({c}, 1, 10), '+0 days') = substr({c}, 1, 10)"
KEEPING = {
    "models.DateField": f"{_DATE} AND length({{c}}) = 10 AND {_DAY}",
    "models.DateTimeField": f"{_DATE} AND {_DAY} AND datetime({{c}}) IS NOT NULL",
    "models.TimeField": "typeof({c}) = 'text' AND {c} GLOB '[0-9][0-9]:*' AND time({c}) IS NOT NULL",
    "models.DecimalField": "typeof({c}) IN ('integer', 'real') AND abs({c}) < 1e{whole}",
    "models.BooleanField": "{c} IN (0, 1)",
    "models.JSONField": "typeof({c}) = 'text' AND json_valid({c})",
}
"""What must be true of a value so that Django can read it by the field."""

_NUMBER, _TEXT = Family.NUMBER, Family.TEXT
_PLAIN = {
    "bool": FieldType("models.BooleanField"),
    "boolean": FieldType("models.BooleanField"),
    "date": FieldType("models.DateField"),
    "datetime": FieldType("models.DateTimeField"),
    "timestamp": FieldType("models.DateTimeField"),
    "timestamptz": FieldType("models.DateTimeField"),
    "time": FieldType("models.TimeField"),
    "json": FieldType("models.JSONField"),
    "jsonb": FieldType("models.JSONField"),
    "smallint": FieldType("models.SmallIntegerField", family=_NUMBER),
    "int": FieldType("models.IntegerField", family=_NUMBER),
    "integer": FieldType("models.IntegerField", family=_NUMBER),
    "bigint": FieldType("models.BigIntegerField", family=_NUMBER),
}
# https://www.sqlite.org/datatype3.html#determination_of_column_affinity, in its order
_AFFINITIES = (
    ("int", FieldType("models.BigIntegerField", family=_NUMBER)),
    ("char|clob|text", FieldType("models.TextField", family=_TEXT)),
    ("blob", FieldType("models.BinaryField")),
    ("real|floa|doub|numeric|decimal", FieldType("models.FloatField", family=_NUMBER)),
)
_TYPE = re.compile(r"^\s*(?P<base>[^(]*?)\s*(?:\(\s*(?P<size>\d+)\s*(?:,\s*(?P<scale>\d+)\s*)?\)\s*)?$")


def field_types(session: Session, schema: Schema) -> Mapping[tuple[TableName, str], FieldType]:
    """Returns the field for every column; looks once through each table that has dates, decimals or JSON."""
    found: dict[tuple[TableName, str], FieldType] = {}
    for table in schema:
        kinds = {column.name: field_type(table, column) for column in table.columns}
        for name in _broken(session, table, kinds):
            note = f"{table.column(name).type}, but not every value is one: read as it is stored."
            kinds[name] = FieldType("fields.AsStoredField", note=note)
        found |= {(table.name, name): kind for name, kind in kinds.items()}
    return found


def field_type(table: Table, column: Column) -> FieldType:
    """Returns the field for a column by its declared type."""
    kind = _declared(column.type)
    key = table.primary_key
    numbered = bool(table.rowid) and key is not None and key.columns == (column.name,)
    if numbered and column.type.lower() == "integer":  # an alias of the rowid, up to 64 bits
        return FieldType("models.BigIntegerField", family=_NUMBER, automatic=True)
    return replace(kind, expression=_expression(table, column.name)) if column.generated else kind


def _declared(type_: str) -> FieldType:
    match = _TYPE.match(type_.lower())
    base = " ".join(match["base"].split()) if match else type_.lower()
    size, scale = (match["size"], match["scale"]) if match else (None, None)
    if base in ("decimal", "numeric") and size:
        digits = (("max_digits", max(int(size), int(scale or 0))), ("decimal_places", int(scale or 0)))
        return FieldType("models.DecimalField", digits, family=_NUMBER)
    if "char" in base and size and int(size):
        return FieldType("models.CharField", (("max_length", int(size)),), family=_TEXT)
    if base in _PLAIN:
        return _PLAIN[base]
    return next((kind for words, kind in _AFFINITIES if re.search(words, base)), as_text(type_))


def _broken(session: Session, table: Table, kinds: Mapping[str, FieldType]) -> list[str]:
    """The columns in which a value is that the field could not read."""
    strict = [name for name, kind in kinds.items() if kind.name in KEEPING]
    if not strict or not table.readable:
        return []
    looked = ", ".join(
        f"max({quote(name)} IS NOT NULL AND NOT ({_kept(name, kinds[name])}))" for name in strict
    )
    row = session.row(f"SELECT {looked} FROM {quote_table(table.name)}")
    return [name for name, broken in zip(strict, row, strict=True) if broken]


def _kept(name: str, kind: FieldType) -> str:
    digits = dict(kind.arguments)
    whole = digits.get("max_digits", 0) - digits.get("decimal_places", 0)
    return KEEPING[kind.name].replace("{c}", quote(name)).replace("{whole}", str(whole))


def _expression(table: Table, column: str) -> str:
    """What stands between the brackets after AS."""
    for entry in tokens.parse_create_table(table.definition).entries:
        if entry.is_constraint or not entry.tokens or entry.tokens[0].name != column:
            continue
        for place, token in enumerate(entry.tokens[:-1]):
            if token.is_word("AS") and entry.tokens[place + 1].text == "(":
                return _bracketed(table.definition, entry.tokens[place + 1 :])
    return ""


def _bracketed(sql: str, found: tuple[tokens.Token, ...]) -> str:
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if depth == 0:
            return sql[found[0].end : token.start].strip()
    return ""
