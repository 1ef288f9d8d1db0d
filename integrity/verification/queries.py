"""The plans of the catalog's hot queries: by which index they reach their table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from django.db import DatabaseError

from integrity.database.access import Access
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import Session, Target
from integrity.detectors.finding import Finding, Severity
from integrity.exceptions import CatalogError, ReferentialIntegrityError, UnknownTable
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogQuery
from integrity.verification.parameters import NoValue, bind, values_of
from integrity.verification.result import QueryPlan


def query_plans(target: Target, catalog: Catalog) -> list[QueryPlan]:
    """Returns the plan of each ``[[query]]`` as it is now: before the migrations as well as after.

    Raises:
        CatalogError: for a query about a table that is not there, or a name without a value.
    """
    with target.reading() as session:
        return plans_of(session, session.schema(), catalog)


def plans_of(session: Session, schema: Schema, catalog: Catalog) -> list[QueryPlan]:
    """Returns the plan of each ``[[query]]`` within an open reading."""
    return [plan_of(session, schema, catalog, query) for query in catalog.queries]


def plan_of(session: Session, schema: Schema, catalog: Catalog, query: CatalogQuery) -> QueryPlan:
    """Returns the plan of one ``[[query]]`` within an open reading.

    Raises:
        CatalogError: for a query about a table that is not there, or a name without a value.
    """
    where = f"{catalog.file}, {query.entry}"
    table = _table(schema, query, where) if query.table else None
    accepted = tuple(_accepted(schema, catalog, table, query)) if table else ()
    access = possible = None
    error = ""
    try:
        with session.look():
            access, possible = _accesses(session, schema, query, table, where)
    except CatalogError:
        raise
    except (ReferentialIntegrityError, DatabaseError) as failure:
        error = str(failure).strip()
    shown = query.table or (access.table if access else "")
    return QueryPlan(
        query.name, shown, query.index, query.before, access, possible, accepted, query.rationale, error,
        query.after, frozenset(_names(schema, table)) if table else None,
    )  # fmt: skip


def _table(schema: Schema, query: CatalogQuery, where: str) -> Table:
    try:
        return schema.table(schema.resolve(query.table))
    except UnknownTable as error:
        raise CatalogError(error.what, where=where, hint=error.hint) from error


def _accesses(
    session: Session, schema: Schema, query: CatalogQuery, table: Table | None, where: str
) -> tuple[Access | None, Access | None]:
    values = dict.fromkeys(query.parameters)
    with suppress(NoValue):  # an empty table: the plan for any value will do
        values = values_of(session, query.parameters, where=where)
    bound = bind(query.sql, values, where=where)
    names = _names(schema, table) if table else None
    chosen = session.engine.accesses(session, bound.sql, bound.params)
    possible = session.engine.accesses(session, bound.sql, bound.params, prefer_index=True)
    return access_among(chosen, names), access_among(possible, names)


def access_among(accesses: Iterable[Access], names: Collection[str] | None) -> Access | None:
    """The access to the query's table; where it is read more than once, the worst of them."""
    mine = [each for each in accesses if names is None or each.table.lower() in names]
    return min(mine, key=lambda each: bool(each.index), default=None)


def _names(schema: Schema, table: Table) -> set[str]:
    return {each.name.name.lower() for each in (table, *schema.leaves(table.name))}


def _accepted(schema: Schema, catalog: Catalog, table: Table, query: CatalogQuery) -> Iterator[str]:
    """The expected index, and those that say the same under another name or on a partition."""
    yield query.index
    wanted = {entry.columns for entry in (*catalog.indexes, *catalog.uniques) if entry.name == query.index}
    wanted |= {index.columns for index in table.indexes if index.name == query.index}
    for each in (table, *schema.leaves(table.name)):
        yield from (index.name for index in each.indexes if index.columns in wanted and index.valid)


def queries_without_index(schema: Schema, plans: Iterable[QueryPlan]) -> Iterator[Finding]:
    """Yields the queries that cannot use the index that the catalog expects."""
    for plan in plans:
        if plan.error or plan.after == "scan" or plan.uses_index or not (plan.table or plan.access):
            continue
        by = f"the index {plan.index}" if plan.index else "an index"
        how = f"it reads {plan.table} by {plan.access}" if plan.access else f"it does not read {plan.table}"
        known = plan.table and schema.resolve(plan.table)
        yield Finding(
            code="query_without_index",
            severity=Severity.ERROR,
            table=known or TableName(schema.default_schema, plan.table),
            columns=(),
            source="catalog",
            object=plan.name,
            message=f"The query {plan.name} cannot use {by}: {how}",
            suggestion="Apply phase 1 with integrity_migrate, or correct the [[query]]",
            evidence=plan.as_json(),
        )
