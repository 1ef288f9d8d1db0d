"""Which rows a step is about: the orphans of its reference, those with some missing keys, or chosen ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import literal as text_literal
from integrity.database.schema import Schema
from integrity.exceptions import PlanRefused
from integrity.plans.steps import KeyTexts, Step
from integrity.references.orphans import orphaned, refers
from integrity.references.reference import Reference, Resolution, written

SEPARATOR = "\x1f"
"""What stands between the values of a key where it is one text (ASCII: unit separator)."""


def in_scope(engine: Engine, schema: Schema, step: Step) -> Predicate:
    """Returns the condition that a row ``c`` is one that a step resolves.

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    where = _wanted(engine, schema, step)
    if step.mapping:
        where = where & _held(engine, step, (old for old, _ in step.mapping))
    return where


def spelled_scope(engine: Engine, schema: Schema, step: Step) -> str:
    """The same as SQL for people, values and all, but for a mapping."""
    where = _wanted(engine, schema, step)
    values = iter(where.params)
    return re.sub(r"%%|%s", lambda met: met[0] if met[0] == "%%" else literal(next(values)), where.sql)


def named(engine: Engine, schema: Schema, reference: Reference, rows: Iterable[KeyTexts]) -> Predicate:
    """Returns the condition that a row ``c`` is one of these; unknown for NULL keys, which SQLite allows."""
    table, names = schema.table(reference.table), row_columns(schema, reference)
    return engine.having_key([table.column(name) for name in names], [key_text(each) for each in rows])


def key_text(key: Iterable[Any]) -> str:
    """A key as the engines' ``key_text`` has it."""
    return SEPARATOR.join(map(str, key))


def key_values(text: str) -> KeyTexts:
    """The values of a key from its text."""
    return tuple(text.split(SEPARATOR))


def literal(value: Any) -> str:
    """A value as SQL for people; percent signs twice, as in every statement here."""
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).upper()
    if isinstance(value, list):
        return f"ARRAY[{', '.join(map(literal, value))}]"
    plain = str(value) if isinstance(value, (int, float)) else text_literal(str(value))
    return plain.replace("%", "%%")


def _wanted(engine: Engine, schema: Schema, step: Step) -> Predicate:
    where = orphaned(engine, schema, step.reference)
    if step.resolution is Resolution.RESTORE_PARENT:
        where = where & Predicate(refers(step.reference))
    if step.keys:
        where = where & _held(engine, step, step.keys)
    if step.spared:
        where = where & _untrue(_held(engine, step, step.spared))
    if step.chosen_rows:
        where = where & named(engine, schema, step.reference, step.chosen_rows)
    if step.spared_rows:
        where = where & _untrue(named(engine, schema, step.reference, step.spared_rows))
    return where


def row_columns(schema: Schema, reference: Reference) -> tuple[str, ...]:
    """Returns the columns by which single rows of a reference's table are chosen: its primary key.

    Raises:
        PlanRefused: it has none.
    """
    key = schema.table(reference.table).primary_key
    if key is None:
        raise PlanRefused(
            f"{written(reference.table)} has no primary key: its rows cannot be told apart",
            where=reference.label,
            hint="Decide about missing keys, or about the whole reference.",
        )
    return key.columns


def _untrue(condition: Predicate) -> Predicate:
    return Predicate(f"({condition.sql}) IS NOT TRUE", condition.params)


def _held(engine: Engine, step: Step, keys: Iterable[KeyTexts]) -> Predicate:
    """The condition that a row holds one of these keys; unknown where it is partly NULL."""
    return engine.among(engine.key_text(step.reference.columns), [key_text(each) for each in keys])
