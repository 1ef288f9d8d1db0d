"""Is every reference's constraint there, as the catalog says it, and are those there that were?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import DatabaseError

from integrity.database.schema import ForeignKey, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.detectors.finding import Finding, Severity
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.reference import Reference, Source, written
from integrity.references.uniques import standing_key
from integrity.verification.result import ExpectedConstraint

_CANNOT_BE_BOUND = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW, TableKind.FOREIGN, TableKind.VIRTUAL)


def problem(code: str, reference: Reference, message: str, suggestion: str = "", **more: Any) -> Finding:
    """Returns a finding about a reference, an error unless said otherwise."""
    return Finding(
        code=code,
        severity=more.pop("severity", Severity.ERROR),
        table=reference.table,
        columns=reference.columns,
        referenced_table=reference.referenced_table,
        referenced_columns=reference.referenced_columns,
        source=str(reference.source),
        message=message,
        suggestion=suggestion,
        **more,
    )


def missing_constraint(schema: Schema, reference: Reference, target: str) -> Iterator[Finding]:
    """Yields the constraint that a reference should have and has not."""
    if reference.declared or reference.source in (Source.DECLARED, Source.INFERRED):
        return
    if any(
        schema.table(name).kind in _CANNOT_BE_BOUND
        for name in (reference.table, reference.referenced_table)
        if name in schema.tables
    ):
        return
    yield problem(
        "constraint_missing",
        reference,
        f"{reference} has no foreign key",
        f"manage.py integrity_makemigrations {target}, then integrity_migrate {target}",
        object=reference.name,
    )


def different_constraint(schema: Schema, reference: Reference) -> Iterator[Finding]:
    """Yields in what a constraint differs from what the catalog says of it."""
    key = reference.declared
    if key is None or reference.source is not Source.CATALOG:
        return
    for event, is_so, should in (
        ("DELETE", key.on_delete, reference.on_delete),
        ("UPDATE", key.on_update, reference.on_update),
    ):
        if is_so is not should:
            yield problem(
                "wrong_action",
                reference,
                f"{shown(key)} has ON {event} {is_so}, the catalog says {should}",
                "Correct the catalog, or drop the constraint and make it again",
                object=f"{key.name} {event}",
            )
    if schema.vendor != "sqlite" and key.match is not reference.match:
        yield problem(
            "wrong_match",
            reference,
            f"{shown(key)} has MATCH {key.match}, the catalog says {reference.match}",
            "Correct the catalog, or drop the constraint and make it again",
            object=key.name,
        )


def lost_constraints(
    session: Session, schema: Schema, expected: Sequence[ExpectedConstraint], target: str
) -> Iterator[Finding]:
    """Yields the constraints that a migration made and that are gone."""
    for each in expected:
        table = schema.tables.get(each.table)
        if table and _stands(session, schema, table, each):
            continue
        gone = "" if table else ", with its table"
        kind = "unique" if each.unique else "foreign key"
        yield Finding(
            code="constraint_lost",
            severity=Severity.ERROR,
            table=each.table,
            columns=each.columns,
            object=each.name,
            message=f"The {kind} {each.name} on {written(each.table, each.columns)}, made by "
            f"{each.made_by}, is gone{gone}: something dropped it since",
            suggestion=f"manage.py integrity_migrate {target}: reverse to before {each.made_by} "
            "and apply it again; then find what dropped it (an ORM's push, a rebuilt table)",
            evidence={"made_by": each.made_by},
        )


def _stands(session: Session, schema: Schema, table: Table, each: ExpectedConstraint) -> bool:
    if each.unique is None:
        return any(set(key.columns) == set(each.columns) for key in table.foreign_keys)
    try:
        with session.look():
            return standing_key(schema, each.unique, session) is not None
    except (ReferentialIntegrityError, DatabaseError):
        return any(key.name == each.name for key in table.keys)


def shown(key: ForeignKey) -> str:
    """A foreign key for people, who may know it by its columns alone."""
    where = written(key.table, key.columns)
    return f"The foreign key {key.name} of {where}" if key.name else f"The foreign key of {where}"
