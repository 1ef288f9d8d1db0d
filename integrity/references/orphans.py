"""Which rows break a reference: the anti-join, for every engine alike.

A row with a NULL among its referencing columns refers to nothing (match SIMPLE). ``NOT EXISTS``
is used because ``NOT IN`` finds nothing at all once a referenced value is NULL, and
``LEFT JOIN … IS NULL`` counts NULL references as orphans.
"""

from __future__ import annotations

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Match, Schema, TableKind
from integrity.exceptions import NotCheckable
from integrity.references.reference import Reference
from integrity.references.rights import refuse_unseen


def orphaned(engine: Engine, schema: Schema, reference: Reference) -> Predicate:
    """Returns the condition that a row ``c`` of the referencing table is an orphan.

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    refuse_uncheckable(schema, reference)
    if reference.match is Match.FULL:
        some = " OR ".join(f"{column(name, 'c')} IS NOT NULL" for name in reference.columns)
        return Predicate(f"({some}) AND {missing(engine, schema, reference)}")
    return Predicate(f"{refers(reference)} AND {missing(engine, schema, reference)}")


def refers(reference: Reference) -> str:
    """SQL that holds where a row ``c`` refers to something: no referencing column is NULL."""
    return " AND ".join(f"{column(name, 'c')} IS NOT NULL" for name in reference.columns)


def missing(engine: Engine, schema: Schema, reference: Reference) -> str:
    """SQL that holds where what a row ``c`` refers to does not exist."""
    parents = engine.parent_source(schema.table(reference.referenced_table))
    return f"NOT EXISTS (SELECT 1 FROM {parents} p WHERE {joined(engine, schema, reference)})"


def joined(engine: Engine, schema: Schema, reference: Reference, child: str = "c", parent: str = "p") -> str:
    """SQL that holds where the row ``parent`` is what the row ``child`` refers to."""
    here, there = schema.table(reference.table), schema.table(reference.referenced_table)
    conditions = [
        engine.equal(there.column(key), column(key, parent), here.column(name), column(name, child))
        for name, key in reference.pairs
    ]
    return " AND ".join(conditions)


_NO_ROWS = (TableKind.VIRTUAL,)


def refuse_uncheckable(schema: Schema, reference: Reference) -> None:
    """Raises NotCheckable for a reference that this version cannot check rightly."""
    if reference.match in (Match.PARTIAL, Match.PERIOD):
        raise NotCheckable(f"MATCH {reference.match} is not supported yet", where=str(reference))
    for name in (reference.table, reference.referenced_table):
        if not schema.knows(name):
            raise NotCheckable(f"There is no table {name}", where=str(reference))
        table = schema.table(name)
        if table.kind in _NO_ROWS:
            raise NotCheckable(f"{name} is a {table.kind}", where=str(reference))
    for name, columns in (
        (reference.table, reference.columns),
        (reference.referenced_table, reference.referenced_columns),
    ):
        if not schema.table(name).has_columns(columns):
            raise NotCheckable(f"{name} has no column {', '.join(columns)}", where=str(reference))
        refuse_unseen(schema, name, columns, str(reference))
