"""Which rows a step is about: the orphans of its reference, or only those with certain missing keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import literal as text_literal
from integrity.database.schema import Schema
from integrity.plans.steps import KeyTexts, Step
from integrity.references.orphans import orphaned, refers
from integrity.references.reference import Resolution

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
        spared = _held(engine, step, step.spared)
        where = where & Predicate(f"({spared.sql}) IS NOT TRUE", spared.params)
    return where


def _held(engine: Engine, step: Step, keys: Iterable[KeyTexts]) -> Predicate:
    """The condition that a row holds one of these keys; unknown where it is partly NULL."""
    return engine.among(engine.key_text(step.reference.columns), [key_text(each) for each in keys])
