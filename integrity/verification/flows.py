"""The catalog's flows: statements of the application that must work with enforcement on.

Each runs in a transaction that is rolled back. What a rollback does not take back is the
application's own: sequences that its statements draw from move on, as they do in the application.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.detectors.finding import Finding, Severity
from integrity.exceptions import NoRoom, ReadOnlyTarget, ReferentialIntegrityError, TargetBusy
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogFlow
from integrity.verification.parameters import bind, values_of
from integrity.verification.result import FlowResult


def run_flow(session: Session, catalog: Catalog, flow: CatalogFlow) -> FlowResult:
    """Runs a flow and takes it back.

    Raises:
        NoValue: when a parameter's query finds no row.
        CatalogError: for a name without a value.
        TargetBusy, ReadOnlyTarget, NoRoom: when it could not be run at all.
    """
    where = f"{catalog.file}, {flow.entry}"
    session.engine.begin_trial(session)
    try:
        values = values_of(session, flow.parameters, where=where)
        bound = [bind(statement, values, where=where) for statement in flow.statements]
        for number, statement in enumerate(bound, start=1):
            try:
                session.execute(statement.sql, statement.params)
            except (TargetBusy, ReadOnlyTarget, NoRoom):
                raise
            except (ReferentialIntegrityError, DatabaseError) as error:
                text = " ".join(flow.statements[number - 1].split())
                return FlowResult(flow.name, len(bound), number, text, str(error).strip())
        return FlowResult(flow.name, len(bound))
    finally:
        session.engine.rollback(session)


def broken_flow(schema: Schema, flow: FlowResult) -> Iterator[Finding]:
    """Yields the statement in which a flow fails."""
    if flow.ok:
        return
    yield Finding(
        code="flow_failed",
        severity=Severity.ERROR,
        table=TableName(schema.default_schema, ""),
        columns=(),
        source="catalog",
        object=flow.name,
        message=f"The flow {flow.name!r} fails in statement {flow.failed} of {flow.statements}: {flow.error}",
        suggestion="Correct the application before the constraints bind it, or correct the [[flow]]",
        evidence=flow.as_json(),
    )
