"""Columns on their way to another type: which, how, and what keeps them from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from integrity.database import clauses
from integrity.database.conversions import Conversion, many
from integrity.database.engine import Engine
from integrity.database.identifiers import TableName
from integrity.database.schema import Column, ForeignKey, Key, Schema, Table
from integrity.database.session import Session
from integrity.exceptions import SchemaFixRefused
from integrity.references.reference import written


@dataclass(frozen=True)
class Change:
    """One column; without a ``conversion`` only its default changes.

    ``kept`` is SQL that holds for values which the journal gives back, whatever they look like.
    """

    table: Table
    column: Column
    conversion: Conversion | None
    kept: str = ""

    @property
    def label(self) -> str:
        """The column as it is written."""
        return written(self.table.name, (self.column.name,))

    @property
    def place(self) -> tuple[TableName, str]:
        """Where it stands."""
        return self.table.name, self.column.name


def conversions(changes: Sequence[Change]) -> list[tuple[Change, Conversion]]:
    """Returns the changes of type alone."""
    return [(each, each.conversion) for each in changes if each.conversion is not None]


def by_table(changes: Sequence[Change]) -> Iterator[tuple[Table, list[Change]]]:
    """Yields the changes of each table together: it is rewritten once."""
    for _, found in groupby(sorted(changes, key=lambda each: each.table.name), key=lambda e: e.table.name):
        listed = list(found)
        yield listed[0].table, listed


def refuse_unreadable(session: Session, changes: Sequence[Change], *, made_since: bool = False) -> None:
    """Raises SchemaFixRefused for values that the new type cannot read, with their number, the query that
    lists them and the command that resolves them."""
    for change, conversion in conversions(changes):
        listing = conversion.impossible_rows(change.table.name, change.kept)
        values, rows = session.row(many(listing))
        if values:
            raise _unreadable(session, change, conversion, listing, int(values), int(rows), made_since)


def _unreadable(
    session: Session,
    change: Change,
    conversion: Conversion,
    listing: str,
    values: int,
    rows: int,
    made_since: bool,
) -> SchemaFixRefused:
    one, alias = rows == 1, session.target.alias
    key = change.table.primary_key
    what = (
        "change or delete these rows, and what refers to them"
        if key and change.column.name in key.columns
        else "relink, change or delete these rows: "
        f"manage.py integrity_cleanup {alias} --reference {change.label}"
    )
    since = ", made since it was converted" if made_since else ""
    return SchemaFixRefused(
        f"{rows:,} {'row' if one else 'rows'} of {change.label} "
        f"{'has a value' if one else f'have {values:,} values'} that {conversion.to} cannot read{since}",
        where=alias,
        hint=f"List them with: {listing}; then {what}.",
    )


def refuse_collisions(session: Session, changes: Sequence[Change]) -> None:
    """Raises SchemaFixRefused where values that differ now would be one value of a key afterwards."""
    for table, found in by_table([change for change, _ in conversions(changes)]):
        new = {change.column.name: change.conversion for change in found if change.conversion}
        for key in table.keys:
            concerned = [new[name] for name in key.columns if name in new]
            plain = not (key.where or key.expressions) and key.nulls_distinct
            if plain and not all(each.injective for each in concerned):
                _refuse_collision(session, table, key, new)


def _refuse_collision(session: Session, table: Table, key: Key, new: dict[str, Conversion]) -> None:
    values = [new[name].value() if name in new else clauses.name(name) for name in key.columns]
    there = " AND ".join(f"{clauses.name(name)} IS NOT NULL" for name in key.columns)
    listing = (
        f"SELECT {', '.join(values)}, count(*) AS count FROM {clauses.table(table.name)} "
        f"WHERE {there} GROUP BY {', '.join(map(str, range(1, len(values) + 1)))} HAVING count(*) > 1"
    )
    sums = f"SELECT count(*), coalesce(sum(d.count), 0) FROM ({listing}) d".replace("%", "%%")
    groups, rows = session.row(sums)
    if groups:
        alias, columns = session.target.alias, written(table.name, key.columns)
        raise SchemaFixRefused(
            f"{int(rows):,} rows of {columns} would share {int(groups):,} "
            f"{'value' if groups == 1 else 'values'} of a key: they mean the same, written differently",
            where=alias,
            hint=f"List them with: {listing}; then keep one of each, and let what refers to the others refer "
            "to it.",
        )


def touching(schema: Schema, places: set[tuple[TableName, str]]) -> list[ForeignKey]:
    """Returns the foreign keys that speak of any of these columns, on either side."""
    return [
        key
        for key in schema.foreign_keys()
        if any((key.table, name) in places for name in key.columns)
        or any((key.referenced_table, name) in places for name in key.referenced_columns)
    ]


def places(schema: Schema, changes: Sequence[Change]) -> set[tuple[TableName, str]]:
    """Returns where types change; the columns of partitions change with those of their table."""
    found = {change.place for change, _ in conversions(changes)}
    return found | {(leaf.name, name) for table, name in found for leaf in schema.leaves(table)}


def one_sided(engine: Engine, schema: Schema, changes: Sequence[Change]) -> ForeignKey | None:
    """Returns a foreign key whose sides would not fit any more, None where all do."""
    new = {change.place: conversion.to for change, conversion in conversions(changes)}
    new |= {(leaf.name, name): kind for (table, name), kind in new.items() for leaf in schema.leaves(table)}
    for key in touching(schema, set(new)):
        for own, other in zip(key.columns, key.referenced_columns, strict=True):
            here = new.get((key.table, own), schema.table(key.table).column(own).type)
            there = new.get(
                (key.referenced_table, other), schema.table(key.referenced_table).column(other).type
            )
            change = engine.conversion(own, here, there)
            if here != there and change.families[0] is not change.families[1]:
                return key
    return None
