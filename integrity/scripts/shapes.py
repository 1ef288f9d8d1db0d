"""Tables from scripts, the catalog and the live database in one shape, to be held against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from integrity.database.schema import Action, Table
from integrity.references.entry_reading import for_vendor
from integrity.references.required_table import RequiredTable
from integrity.scripts.column_types import affinity, plain_type
from integrity.scripts.cursor import ObjectName, joined, object_name, read_tokens
from integrity.scripts.definitions import Definition


@dataclass(frozen=True)
class ColumnShape:
    """A column; None and an empty type are what is not known of it."""

    name: str
    type: str
    nullable: bool | None = None
    default: str | None = None


@dataclass(frozen=True)
class KeyShape:
    """A foreign key; ``referenced_columns`` is empty where it means the primary key."""

    columns: tuple[str, ...]
    referenced: ObjectName
    referenced_columns: tuple[str, ...]
    on_delete: Action

    def __str__(self) -> str:
        there = f"({', '.join(self.referenced_columns)})" if self.referenced_columns else ""
        action = "" if self.on_delete is Action.NO_ACTION else f" ON DELETE {self.on_delete}"
        return f"foreign key ({', '.join(self.columns)}) → {self.referenced}{there}{action}"

    def same(self, other: KeyShape) -> bool:
        """Whether both say the same."""
        there = self.referenced_columns, other.referenced_columns
        columns = there[0] == there[1] or not all(there)
        return columns and self.referenced == other.referenced and self.on_delete == other.on_delete


@dataclass(frozen=True)
class Shape:
    """A table; ``complete`` says that it has no other columns, None is what is not known of it."""

    columns: Mapping[str, ColumnShape]
    complete: bool = True
    primary_key: tuple[str, ...] | None = None
    uniques: frozenset[tuple[str, ...]] | None = None
    foreign_keys: tuple[KeyShape, ...] | None = None
    vendor: str = ""


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def shape_of(table: Definition) -> Shape:
    """Returns the shape of a table as a script defines it."""
    primary = _lower(table.primary_key.columns) if table.primary_key else ()
    columns = {
        each.name.lower(): ColumnShape(
            each.name,
            each.type,
            each.nullable and each.name.lower() not in primary and "serial" not in each.type.lower(),
            None if each.generated else plain_default(each.default),
        )
        for each in table.columns
    }
    keys = tuple(
        KeyShape(_lower(key.columns), key.referenced, _lower(key.referenced_columns), key.on_delete)
        for key in table.foreign_keys
    )
    uniques = frozenset(tuple(sorted(_lower(key.columns))) for key in table.keys if not key.primary)
    return Shape(columns, not table.open, None if table.open else primary, uniques, keys)


def required_shape(table: RequiredTable, vendor: str) -> Shape:
    """Returns the shape of a table that the catalog requires; it may have other columns."""
    columns = {
        each.name.lower(): ColumnShape(
            each.name, for_vendor(each.type, vendor), each.nullable if each.type else None
        )
        for each in table.columns
    }
    return Shape(columns, False, _lower(table.primary_key) or None, vendor=vendor)


def live_shape(table: Table, vendor: str) -> Shape:
    """Returns the shape of a table that a database has; of defaults nothing is said, for it spells
    them its own way."""
    primary = _lower(table.primary_key.columns) if table.primary_key else ()
    columns = {
        each.name.lower(): ColumnShape(
            each.name, each.type, each.nullable and each.name.lower() not in primary
        )
        for each in table.columns
    }
    keys = tuple(
        KeyShape(
            _lower(key.columns),
            object_name([key.referenced_table.schema, key.referenced_table.name]),
            _lower(key.referenced_columns),
            key.on_delete,
        )
        for key in table.foreign_keys
    )
    plain = (key for key in table.keys if not key.primary and not key.where and not key.expressions)
    uniques = frozenset(tuple(sorted(_lower(key.columns))) for key in plain)
    return Shape(columns, True, primary, uniques, keys, vendor)


def differences(here: Shape, there: Shape) -> list[str]:
    """Returns how two shapes of one table differ, a line each, as far as both say."""
    found = list(_columns(here, there))
    if None not in (here.primary_key, there.primary_key) and here.primary_key != there.primary_key:
        found.append(f"primary key: {_list(here.primary_key)} here, {_list(there.primary_key)} there")
    if here.uniques is not None and there.uniques is not None:
        found += [f"unique {_list(key)}: only here" for key in sorted(here.uniques - there.uniques)]
        found += [f"unique {_list(key)}: only there" for key in sorted(there.uniques - here.uniques)]
    if here.foreign_keys is not None and there.foreign_keys is not None:
        found += _foreign_keys(here.foreign_keys, there.foreign_keys)
    return found


def _list(names: tuple[str, ...] | None) -> str:
    return f"({', '.join(names)})" if names else "none"


def _columns(here: Shape, there: Shape) -> Iterator[str]:
    for name, column in here.columns.items():
        other = there.columns.get(name)
        if other is not None:
            yield from _column(column, other, there.vendor or here.vendor)
        elif there.complete:
            yield f"{column.name}: {_described(column)} here, missing there"
    for name, column in there.columns.items():
        if name not in here.columns and here.complete:
            yield f"{column.name}: missing here, {_described(column)} there"


def _described(column: ColumnShape) -> str:
    return f"{column.type or 'a column'}{' NOT NULL' if column.nullable is False else ''}"


def _column(here: ColumnShape, there: ColumnShape, vendor: str) -> Iterator[str]:
    if not same_type(here.type, there.type, vendor):
        yield f"{here.name}: {here.type} here, {there.type} there"
    if here.nullable is not None and there.nullable is not None and here.nullable != there.nullable:
        yield f"{here.name}: {_null(here.nullable)} here, {_null(there.nullable)} there"
    if here.default is not None and there.default is not None and here.default != there.default:
        yield f"{here.name}: {_default(here.default)} here, {_default(there.default)} there"


def _null(nullable: bool) -> str:
    return "NULL" if nullable else "NOT NULL"


def _default(default: str) -> str:
    return f"default {default}" if default else "no default"


def _foreign_keys(here: tuple[KeyShape, ...], there: tuple[KeyShape, ...]) -> Iterator[str]:
    for key in here:
        rivals = [other for other in there if other.columns == key.columns]
        if not rivals:
            yield f"{key}: only here"
        elif not any(key.same(other) for other in rivals):
            yield f"{key} here, {rivals[0]} there"
    columns = [key.columns for key in here]
    yield from (f"{key}: only there" for key in there if key.columns not in columns)


def same_type(here: str, there: str, vendor: str = "") -> bool:
    """Whether two types are the same; with a vendor, as its engine sees them."""
    if not here or not there:
        return vendor != "" or here == there
    if vendor == "sqlite":
        return affinity(here) == affinity(there)
    if vendor:
        return _sized(plain_type(here)) == _sized(plain_type(there))
    return plain_type(here, serial=True) == plain_type(there, serial=True)


_ONE_SIZE = re.compile(r"^numeric\((\d+)\)")


def _sized(plain: str) -> str:
    """A type with the size that PostgreSQL gives it where none is written (manual, 8.1.2 and 8.3)."""
    sized = {"char": "char(1)", "bit": "bit(1)"}.get(plain, plain)
    return _ONE_SIZE.sub(r"numeric(\1,0)", sized)


_NOW = re.compile(r"^\(*(?:now\(\)|current_timestamp|current_timestamp\(\)|datetime\('now'\))\)*$")
_CAST = re.compile(r"::[a-z_. ]+(?:\(\d+(?:, ?\d+)?\))?(?:\[\])*")


def plain_default(written: str) -> str:
    """Returns a default in one spelling: ``NOW()`` is CURRENT_TIMESTAMP; outer brackets and casts go."""
    text = joined(read_tokens(written))
    text = "".join(part if part.startswith("'") else part.lower() for part in re.split(r"('[^']*')", text))
    if _NOW.match(text):
        return "current_timestamp"
    text = _CAST.sub("", text)
    while text.startswith("(") and text.endswith(")") and _closes_at_end(text):
        text = text[1:-1].strip()
    return "" if text == "null" else text


def _closes_at_end(text: str) -> bool:
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return at == len(text) - 1
    return False
