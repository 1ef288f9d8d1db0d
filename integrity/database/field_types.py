"""Which field of Django's holds the values of a column, in words of no vendor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Family(StrEnum):
    """What can be compared with what without a cast: types of one family can."""

    NUMBER = "number"
    TEXT = "text"
    UUID = "uuid"
    OTHER = "other"


@dataclass(frozen=True)
class FieldType:
    """A field class with its arguments.

    ``name`` is written as a module of generated models imports it (``models.CharField``,
    ``postgres.ArrayField``, ``fields.PlainJSONField``); an argument can be a field type too.
    ``automatic`` says that the database numbers rows by this column, ``note`` what somebody should
    know who reads the field. ``expression`` is what a generated column is computed from.
    """

    name: str
    arguments: tuple[tuple[str, Any], ...] = ()
    note: str = ""
    family: Family = Family.OTHER
    automatic: bool = False
    expression: str = ""


def as_text(type_: str) -> FieldType:
    """The field for a type that Django has none for: the driver gives its values as text."""
    return FieldType("models.TextField", note=f"{type_ or 'no type'}: read as text.")


AUTOMATIC = {
    "models.SmallIntegerField": "models.SmallAutoField",
    "models.IntegerField": "models.AutoField",
    "models.BigIntegerField": "models.BigAutoField",
}
"""The field of a key that the database numbers, by the field of its type."""
