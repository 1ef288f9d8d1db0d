"""What fields and Meta are made of, as nodes of Python."""

from __future__ import annotations

import re

from integrity.database.field_types import FieldType
from integrity.database.schema import Index, Key
from integrity.modelling.layout import Call, Listed, Node, Raw, literal


def is_whole(key: Key) -> bool:
    """Whether no two rows may share these columns, at any moment."""
    return not (key.where or key.expressions or key.deferrable)


_SPECIAL = re.compile(r"\b(DESC|INCLUDE|COLLATE|NULLS|ONLY)\b|_ops\b", re.IGNORECASE)


def plain_index(index: Index) -> bool:
    """Whether an index is no more than its columns, each ascending."""
    plain = index.valid and index.method == "btree" and not index.where and not index.expressions
    behind = index.definition.partition("(")[2]
    return plain and bool(index.columns) and _SPECIAL.search(behind) is None


def type_arguments(kind: FieldType) -> list[tuple[str, Node]]:
    """The arguments of a field by its type alone."""
    return [
        (name, field_call(value) if isinstance(value, FieldType) else listed(value))
        for name, value in kind.arguments
    ]


def listed(value: object) -> Node:
    """A plain value, a list so that it can stand on several lines."""
    return Listed(tuple(map(literal, value))) if isinstance(value, list) else literal(value)


def field_call(kind: FieldType) -> Call:
    """A field as part of another."""
    return Call(kind.name, tuple(type_arguments(kind)))


def raw_sql(text: str) -> Call:
    """An expression of the database's own."""
    return Call("RawSQL", (("", literal(text.replace("%", "%%"))), ("", Raw("[]"))))


def in_sql(name: str) -> str:
    """A name for Django, which quotes it but doubles nothing in it."""
    return name.replace('"', '""').replace("%", "%%")
