"""The rows that stand in the way of a foreign key: how many, and what to do with them."""

from __future__ import annotations

from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Verdict
from integrity.operations.foreign_key import as_reference
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference

_ACTIONS = "delete|set_null|reassign|keep"


def refuse_orphans(work: Alteration, schema: Schema, key: ForeignKey) -> None:
    """Raises SchemaFixRefused where rows break ``key``: how many, of which reference, what to run."""
    reference = as_reference(key)
    rows = _count(work.session, schema, reference)
    if rows:
        raise SchemaFixRefused(
            _in_the_way(rows, reference, key), where=work.alias, hint=_resolve(work.alias, reference)
        )


def orphans_check(session: Session, schema: Schema, key: ForeignKey, *, binds_old_rows: bool) -> Check:
    """Returns whether rows break ``key``: in the way of one that binds all rows, else good to know."""
    reference = as_reference(key)
    rows, alias = _count(session, schema, reference), session.target.alias
    if not rows:
        return Check("orphans", str(reference), Verdict.PASSED, "no orphans")
    if binds_old_rows:
        message = _in_the_way(rows, reference, key)
        return Check("orphans", str(reference), Verdict.FAILED, message, _resolve(alias, reference))
    message = f"{_rows(rows)} {reference}: new ones are refused, these stay until they are resolved"
    return Check("orphans", str(reference), Verdict.NOTED, message, f"manage.py integrity_plan {alias}")


def _count(session: Session, schema: Schema, reference: Reference) -> int:
    predicate = orphaned(session.engine, schema, reference)
    source = session.engine.source(schema.table(reference.table))
    sql = f"SELECT count(*) FROM {source} c WHERE {predicate.sql}"
    return int(session.value(sql, predicate.params))


def _rows(rows: int) -> str:
    return f"{rows:,} {'row breaks' if rows == 1 else 'rows break'}"


def _in_the_way(rows: int, reference: Reference, key: ForeignKey) -> str:
    return f"{_rows(rows)} {reference}, so {key.name} cannot be validated"


def _resolve(alias: str, reference: Reference) -> str:
    return (
        f"Resolve them first: manage.py integrity_cleanup {alias} "
        f"--reference '{reference.label}' --action {_ACTIONS}. New rows are bound already."
    )
