"""The rows that stand in the way of a unique: which, and what to do with them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connections

from integrity import conf
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import CatalogError, SchemaFixRefused
from integrity.operations.check import Check, Moment, Verdict
from integrity.references.catalog import load_catalog
from integrity.references.duplicates import Duplicated, Repeated, count_duplicates
from integrity.references.masking import MASKED, is_masked
from integrity.references.uniques import UniqueRule, standing_key

NAMED = 10
"""So many values are named."""

KEYS = 3
"""So many keys of each are named: the command that resolves them shows the others."""


def refuse_duplicates(session: Session, schema: Schema, rule: UniqueRule) -> None:
    """Raises SchemaFixRefused where rows break ``rule``: how many, which, what to run."""
    found = count_duplicates(session, schema, rule, samples=NAMED)
    if found.rows:
        alias = session.target.alias
        hint = f"Nothing stays of the attempt. {resolve(alias, rule)}"
        raise SchemaFixRefused(in_the_way(alias, rule, found), where=alias, hint=hint)


def duplicates_check(session: Session, schema: Schema, rule: UniqueRule) -> Check:
    """Returns whether rows stand in the way of a unique."""
    found = count_duplicates(session, schema, rule, samples=NAMED)
    if not found.rows:
        return Check("duplicates", rule.label, message="no duplicates")
    alias = session.target.alias
    message, hint = in_the_way(alias, rule, found), resolve(alias, rule)
    return Check("duplicates", rule.label, Verdict.FAILED, message, hint)


def unique_check(session: Session, schema: Schema, rule: UniqueRule) -> Check:
    """Returns whether a unique stands, in an index that is valid."""
    key = standing_key(schema, rule, session)
    verdict = Verdict.PASSED if key else Verdict.FAILED
    message = f"{key.name or 'the primary key'} is active" if key else f"Nothing enforces {rule.name}"
    return Check("unique", rule.label, verdict, message, moment=Moment.AFTER)


def in_the_way(alias: str, rule: UniqueRule, found: Duplicated) -> str:
    """Returns how many rows stand in the way of a unique, and the first of them."""
    one = found.values == 1
    listed = "; ".join(_named(alias, rule, found))
    more = f"; and {found.values - NAMED:,} more" if found.values > NAMED else ""
    return (
        f"{found.values:,} {'value' if one else 'values'} of {rule.label} {'stands' if one else 'stand'} in "
        f"{found.rows:,} rows: {listed}{more}"
    )


def resolve(alias: str, rule: UniqueRule) -> str:
    """Returns what makes the unique possible."""
    command = f"manage.py integrity_deduplicate {alias} --unique {shlex.quote(rule.label)}"
    return f"Resolve them, then run it again: {command}."


def _named(alias: str, rule: UniqueRule, found: Duplicated) -> Iterator[str]:
    hidden = _hidden(alias, rule, (*rule.columns, *found.key))
    for each in found.samples[:NAMED]:
        yield f"{_values(rule.columns, each.value, hidden)} in {each.rows:,} rows{_keys(found, each, hidden)}"


def _keys(found: Duplicated, sample: Repeated, hidden: set[str]) -> str:
    if not sample.keys:
        return ""
    listed = ", ".join(_values(found.key, each, hidden) for each in sample.keys[:KEYS])
    more = ", …" if sample.rows > KEYS else ""
    return f" ({', '.join(found.key)} {listed}{more})"


def _values(columns: Sequence[str], values: Sequence[Any], hidden: set[str]) -> str:
    shown = [
        MASKED if name in hidden else "NULL" if value is None else str(value)
        for name, value in zip(columns, values, strict=True)
    ]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"


def _hidden(alias: str, rule: UniqueRule, columns: Sequence[str]) -> set[str]:
    """The columns that a catalog of this database masks; all where a catalog cannot be read."""
    names = [each for each in connections.databases if alias in (each, conf.direct_alias(each))]
    try:
        catalogs = [load_catalog(each) for each in names]
    except CatalogError:
        return set(columns)
    return {name for name in columns for catalog in catalogs if is_masked(catalog, rule.table, name)}
