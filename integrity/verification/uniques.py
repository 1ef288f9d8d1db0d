"""Is every unique there, and does it refuse what it must? Those of the catalog, and those that stand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.db import DatabaseError

from integrity.database.identifiers import TableName
from integrity.database.schema import Key, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.detectors.duplicate_rows import kind_of_unique, told_apart
from integrity.detectors.finding import Finding, Severity
from integrity.detectors.missing_unique import unfinished
from integrity.exceptions import ReferentialIntegrityError, TimedOut
from integrity.references.catalog import Catalog
from integrity.references.duplicates import CANNOT_BE_UNIQUE, count_duplicates
from integrity.references.reference import Source
from integrity.references.resolve import known_uniques
from integrity.references.uniques import UniqueRule, cannot_repeat, standing_key
from integrity.verification.result import UniqueState, VerifyResult
from integrity.verification.trial import Outcome


def uniques_to_look_at(
    session: Session, schema: Schema, catalog: Catalog, result: VerifyResult
) -> list[UniqueRule]:
    """Returns the catalog's uniques, each with what stands for it, and every other that the database has;
    one that cannot be read is left out, and said so."""
    wanted = []
    for rule in known_uniques(schema, catalog):
        result.coverage.uniques += 1
        try:
            with session.look():
                wanted.append(replace(rule, declared=standing_key(schema, rule, session)))
        except (ReferentialIntegrityError, DatabaseError) as error:
            _not_looked_at(session, result, rule, error)
    known = {(rule.table, rule.declared.name) for rule in wanted if rule.declared}
    others = [
        UniqueRule(
            table.name,
            key.columns,
            key.name,
            key.where,
            key.nulls_distinct,
            declared=key,
            source=Source.DECLARED,
        )
        for table in schema
        for key in _listed(schema, table)
        if (table.name, key.name) not in known
    ]
    return [*wanted, *others]


def _listed(schema: Schema, table: Table) -> list[Key]:
    """A partition's uniques are those of the table that it is a part of, but for its own."""
    above = [schema.tables[name] for name in table.parents if name in schema.tables]
    partition = table.kind in (TableKind.PARTITION, TableKind.PARTITIONED)
    inherited = {(key.columns, key.where) for each in above for key in each.keys if partition}
    return [key for key in table.keys if not key.primary and (key.columns, key.where) not in inherited]


def look_at_uniques(
    session: Session, schema: Schema, rules: Sequence[UniqueRule], result: VerifyResult, gone: set[str]
) -> None:
    """Adds what is wrong with uniques that do not stand: that they are missing, and the rows in their way.

    Args:
        session: an open reading.
        schema: the target's structure.
        rules: what :func:`uniques_to_look_at` returned.
        result: what is known so far.
        gone: the names of those of which it was said already that something dropped them.
    """
    for rule in (each for each in rules if each.source is Source.CATALOG):
        if rule.declared is None:
            result.problems += [_missing(schema, rule, result.target)] if rule.name not in gone else []
            result.problems += _duplicates(session, schema, rule, result)
        result.coverage.uniques_checked += 1


def _duplicates(
    session: Session, schema: Schema, rule: UniqueRule, result: VerifyResult
) -> Iterator[Finding]:
    if cannot_repeat(schema, rule):
        return
    try:
        with session.look():
            found = count_duplicates(session, schema, rule, samples=0)
    except (ReferentialIntegrityError, DatabaseError) as error:
        result.coverage.uniques_checked -= 1
        _not_looked_at(session, result, rule, error)
        return
    if found.rows:
        yield _problem(
            "duplicate_rows",
            rule,
            f"{found.rows:,} rows share {found.values:,} {'value' if found.values == 1 else 'values'} of "
            f"{rule.label}{kind_of_unique(rule)}",
            f"manage.py integrity_deduplicate {result.target} --unique {shlex.quote(rule.label)}",
            rows=found.rows,
        )


def _not_looked_at(session: Session, result: VerifyResult, rule: UniqueRule, error: Exception) -> None:
    if not session.connection.is_usable():
        raise error
    gap = {"unique": rule.label, "reason": str(error).strip()}
    (result.coverage.timed_out if isinstance(error, TimedOut) else result.coverage.skipped).append(gap)


def _missing(schema: Schema, rule: UniqueRule, target: str) -> Finding:
    table = schema.table(rule.table)
    broken = unfinished(table, rule)
    name = f" {rule.name}" if rule.name else ""
    said = f"Nothing enforces the unique{name} on {rule.label}{kind_of_unique(rule)}"
    if table.kind in CANNOT_BE_UNIQUE:
        hint = f"{rule.table.name} is a {table.kind}: name the table behind it"
    else:
        hint = f"manage.py integrity_makemigrations {target}, then integrity_migrate {target}"
    return _problem(
        "unique_missing",
        rule,
        f"{said}: {broken[0]} is what a failed build left" if broken else said,
        hint,
        evidence={"name": rule.name, "where": rule.where, "invalid": broken},
    )


def conclude_uniques(
    result: VerifyResult,
    schema: Schema,
    rules: Sequence[UniqueRule],
    outcomes: Mapping[tuple[TableName, str], Outcome],
) -> None:
    """Adds to a result every unique that stands, and those that do not refuse what they must."""
    for rule in rules:
        key = rule.declared
        if key is None:
            continue
        outcome = outcomes[rule.table, key.name]
        result.uniques.append(_state(schema.table(rule.table), rule, key, outcome))
        if not outcome.enforced:
            why = f": {outcome.reason}" if outcome.reason else ""
            result.problems.append(
                _problem(
                    "unique_not_enforced",
                    rule,
                    f"The unique {key.name} of {rule.label} accepted a row that repeats a value{why}",
                    "Its index is damaged: build it anew (REINDEX), and look for duplicates before",
                    evidence={"by": outcome.by},
                )
            )
    result.uniques.sort(key=lambda each: (each.table, each.columns, each.name))


def _state(table: Table, rule: UniqueRule, key: Key, outcome: Outcome) -> UniqueState:
    other_name = rule.source is Source.CATALOG and rule.name and key.name != rule.name
    index = table.index(key.name)
    return UniqueState(
        table=rule.table,
        name=key.name,
        columns=rule.columns,
        terms=index.terms if index else rule.columns,
        constraint=key.constraint,
        where=key.where,
        nulls_distinct=key.nulls_distinct,
        source=str(rule.source),
        validated=index is None or index.valid,
        enforced=outcome.enforced,
        by=outcome.by,
        reason=outcome.reason,
        note=f"the catalog calls it {rule.name}" if other_name else "",
    )


def _problem(code: str, rule: UniqueRule, message: str, suggestion: str, **more: object) -> Finding:
    return Finding(
        code=code,
        severity=Severity.ERROR,
        table=rule.table,
        columns=rule.columns,
        source=str(rule.source),
        object=told_apart(rule),
        message=message,
        suggestion=suggestion,
        **more,  # type: ignore[arg-type]
    )
