"""Rows that break one foreign key and, as far as can be, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from integrity.database.identifiers import column as quoted
from integrity.database.identifiers import quote_columns, quote_table
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session
from integrity.verification.values import NULL, CannotBuild, Value, beside, existing, made, unused


@dataclass(frozen=True)
class TrialRow:
    """A row as one SQL value for each stored column; ``copied`` values speak of the row ``c``."""

    values: dict[str, Value]
    copied: bool

    def statement(self, session: Session, table: Table) -> tuple[str, list[object]]:
        """Returns the INSERT with its parameters."""
        given = ", ".join(value.sql for value in self.values.values())
        source = f"SELECT {given} FROM {session.engine.source(table)} c LIMIT 1"
        sql = (
            f"INSERT INTO {quote_table(table.name)} ({quote_columns(self.values)}) "
            f"{session.engine.insert_prefix(table)} {source if self.copied else f'VALUES ({given})'}"
        )
        return sql, [param for value in self.values.values() for param in value.params]


def trial_rows(session: Session, schema: Schema, key: ForeignKey) -> Iterator[TrialRow]:
    """Yields rows to try, the most natural first.

    Where the database does not name the key that refused a row (SQLite), only rows that refer
    to nothing else, or to what is there, are any proof.

    Raises:
        CannotBuild: when a value cannot be made.
    """
    table = schema.table(key.table)
    filled = bool(session.value(f"SELECT EXISTS (SELECT 1 FROM {session.engine.source(table)} c)"))
    name, bogus = _missing(session, schema, key)
    missing = {name: bogus}
    rest = {each: made(session, table.column(each)) for each in key.columns if each != name}
    fresh = _fresh(table, set(key.columns))
    kept = {each: _or_made(value, each) for each, value in rest.items()}
    if filled and session.engine.names_violated_key:
        other = {each: beside(session, column) for each, column in fresh.items()}
        yield TrialRow(_copy(table) | other | kept | missing, copied=True)
    safe = _elsewhere(session, schema, key, name)
    if filled:
        yield TrialRow(_copy(table) | _unique(session, fresh) | kept | safe | missing, copied=True)
    yield TrialRow(_made(session, table, fresh) | rest | safe | missing, copied=False)


def ordinary_row(session: Session, schema: Schema, table: Table, filled: Collection[str]) -> TrialRow:
    """Returns a row made by type, with values in ``filled``, that refers to what is there.

    Raises:
        CannotBuild: when a value cannot be made, or there is nothing to refer to.
    """
    values = {
        each.name: NULL if each.nullable and each.name not in filled else made(session, each)
        for each in table.stored_columns
    }
    for key in table.foreign_keys:
        if all(name in filled or not table.column(name).nullable for name in key.columns):
            values |= _existing(session, schema, key)
    return TrialRow(values, copied=False)


def _or_made(value: Value, name: str) -> Value:
    """What the copied row has; a NULL there would make a row that refers to nothing."""
    return Value(f"COALESCE({quoted(name, 'c')}, {value.sql})", value.params)


def _copy(table: Table) -> dict[str, Value]:
    return {each.name: Value(quoted(each.name, "c")) for each in table.stored_columns}


def _made(session: Session, table: Table, fresh: dict[str, Column]) -> dict[str, Value]:
    return {
        each.name: NULL if each.nullable and each.name not in fresh else made(session, each)
        for each in table.stored_columns
    }


def _unique(session: Session, fresh: dict[str, Column]) -> dict[str, Value]:
    return {name: NULL if each.nullable else beside(session, each) for name, each in fresh.items()}


def _fresh(table: Table, missing: set[str]) -> dict[str, Column]:
    """One column of each key that must not repeat a value: the last that is no reference, if any."""
    referring = {name for key in table.foreign_keys for name in key.columns}
    found: dict[str, Column] = {}
    for key in table.keys:
        own = [name for name in key.columns if not table.column(name).generated]
        if not own or missing & set(own) or set(found) & set(own):
            continue
        name = ([each for each in own if each not in referring] or own)[-1]
        found[name] = table.column(name)
    return found


def _missing(session: Session, schema: Schema, key: ForeignKey) -> tuple[str, Value]:
    """One referencing column, if possible of no other key, and a value that its parents lack:
    that is enough to break a reference of several columns, too."""
    table, parent = schema.table(key.table), schema.table(key.referenced_table)
    shared = {name for other in _others(table, key) for name in other.columns}
    pairs = zip(key.columns, key.referenced_columns, strict=True)
    name, referenced = min(pairs, key=lambda pair: pair[0] in shared)
    return name, unused(session, table.column(name), parent, referenced)


def _elsewhere(session: Session, schema: Schema, key: ForeignKey, bogus: str) -> dict[str, Value]:
    """The columns of all other keys: NULL, or what is there.

    Raises:
        CannotBuild: when another key must refer to something and cannot.
    """
    table = schema.table(key.table)
    values: dict[str, Value] = {}
    for other in _others(table, key):
        free = [name for name in other.columns if name not in key.columns and table.column(name).nullable]
        if free:
            values |= dict.fromkeys(free, NULL)
        elif bogus in other.columns or set(values) & set(other.columns):
            raise CannotBuild(f"its columns also refer to {other.referenced_table}")
        else:
            values |= _existing(session, schema, other)
    return values


def _existing(session: Session, schema: Schema, key: ForeignKey) -> dict[str, Value]:
    row = existing(session, schema.table(key.referenced_table), key.referenced_columns)
    if row is None:
        raise CannotBuild(f"{key.referenced_table} is empty")
    table = schema.table(key.table)
    pairs = zip(key.columns, row, strict=True)
    return {name: Value(session.engine.given(table.column(name)), (value,)) for name, value in pairs}


def _others(table: Table, key: ForeignKey) -> list[ForeignKey]:
    return [other for other in table.foreign_keys if other.sides != key.sides]
