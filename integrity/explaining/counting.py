"""Counts what an error is about, in the database that it came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from django.db import DatabaseError

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName, column
from integrity.diagnosis.causes import causes_of
from integrity.exceptions import ReferentialIntegrityError
from integrity.explaining.advice import advised
from integrity.explaining.explanation import Candidate, Explanation
from integrity.explaining.place import Known, Place
from integrity.explaining.reported import ErrorKind, Reported
from integrity.explaining.wording import parts
from integrity.plans.survey import count_orphans
from integrity.references.constraint_state import constraint_state
from integrity.references.duplicates import count_duplicates, holding
from integrity.references.masking import MASKED, any_masked
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference
from integrity.references.uniques import bound

Result = TypeVar("Result")

_MANY = 50
"""So many references at most are counted where an error leaves open which it is about."""


def counted(reported: Reported, known: Known, place: Place, said: Explanation) -> Explanation:
    """Returns the whole answer: names, counts, reasons, commands."""
    said = replace(said, target=known.target.alias)
    if reported.kind is ErrorKind.DUPLICATE:
        said = _duplicates(reported, known, place, said)
    elif len(place.references) > 1:
        said = _several(known, place, said)
    else:
        said = _of_one(reported, known, place.references[0], said)
    return _without_masked(advised(said, reported, known, place), reported)


def _of_one(reported: Reported, known: Known, reference: Reference, said: Explanation) -> Explanation:
    said = _named(said, known, reference, reported)
    if reported.kind is ErrorKind.STILL_REFERENCED:
        return _referring(known, reference, said, _values(reported, reference.referenced_columns))
    if reported.kind is ErrorKind.UNUSABLE_KEY:
        return said
    return _orphans(known, reference, said, _values(reported, reference.columns))


def _without_masked(said: Explanation, reported: Reported) -> Explanation:
    """Takes a masked value out of what the database itself said."""
    if MASKED not in said.values:
        return said

    def clean(text: str) -> str:
        return text.replace(repr(reported.values)[1:-1], MASKED)

    return replace(said, message=clean(said.message), gaps=tuple(map(clean, said.gaps)))


def _named(said: Explanation, known: Known, reference: Reference, reported: Reported) -> Explanation:
    values = _values(reported, reference.columns)
    hidden = any_masked(known.catalog, reference.table, reference.columns) or any_masked(
        known.catalog, reference.referenced_table, reference.referenced_columns
    )
    return replace(
        said,
        reference=reference.label,
        constraint=reported.constraint or reference.name,
        constraint_state=constraint_state(reference.declared),
        schema=reference.table.schema,
        table=reference.table.name,
        columns=reference.columns,
        referenced_schema=reference.referenced_table.schema,
        referenced_table=reference.referenced_table.name,
        referenced_columns=reference.referenced_columns,
        values=(MASKED,) * len(values) if hidden else values,
    )


def _values(reported: Reported, columns: Sequence[str]) -> tuple[str, ...]:
    return parts(reported.values, len(columns)) if reported.keys else ()


def _orphans(known: Known, reference: Reference, said: Explanation, values: Sequence[str]) -> Explanation:
    gaps: list[str] = []
    total = _tried(known, gaps, partial(count_orphans, known.session, known.schema, reference))
    rows = None
    if values:
        where = _equal(known, reference.table, reference.columns, values)
        rows = _tried(
            known, gaps, lambda: _count(known, reference.table, where & _breaking(known, reference))
        )
    more = total[0] - (rows or 0) if total else None
    why = partial(causes_of, known.session, known.schema, known.catalog, reference)
    causes = _tried(known, gaps, why) if total and total[0] else ()
    return replace(
        said,
        rows=rows,
        more_like_it=more,
        missing_keys=total[1] if total else None,
        causes=causes or (),
        gaps=(*said.gaps, *gaps),
    )


def _referring(known: Known, reference: Reference, said: Explanation, values: Sequence[str]) -> Explanation:
    """Rows that refer to the row that cannot go, through this reference and through others."""
    gaps: list[str] = []
    if not values:
        return replace(said, gaps=(*said.gaps, "The error does not name the row."))
    by_key = dict(zip(reference.referenced_columns, values, strict=True))
    found = {}
    for each in known.references:
        if each.referenced_table != reference.referenced_table or not set(each.referenced_columns) <= set(
            by_key
        ):
            continue
        wanted = [by_key[name] for name in each.referenced_columns]
        where = _equal(known, each.table, each.columns, wanted)
        found[each.label] = _tried(known, gaps, partial(_count, known, each.table, where))
    rows = found.pop(reference.label, None)
    others = tuple(Candidate(label, count) for label, count in found.items() if count)
    return replace(
        said,
        rows=rows,
        more_like_it=sum(each.rows for each in others),
        also=others,
        gaps=(*said.gaps, *gaps),
    )


def _several(known: Known, place: Place, said: Explanation) -> Explanation:
    """SQLite does not say which foreign key: those with orphans come first."""
    gaps: list[str] = []
    found = []
    for each in place.references[:_MANY]:
        count = _tried(known, gaps, partial(count_orphans, known.session, known.schema, each))
        found.append(Candidate(each.label, count[0] if count else 0))
    found.sort(key=lambda each: -each.rows)
    return replace(
        said,
        also=tuple(found),
        more_like_it=sum(each.rows for each in found),
        gaps=(*said.gaps, *gaps),
    )


def _duplicates(reported: Reported, known: Known, place: Place, said: Explanation) -> Explanation:
    if place.table is None:
        return said
    gaps: list[str] = []
    columns = place.columns
    values = parts(reported.values, len(columns)) if reported.keys and columns else ()
    rows = None
    if values:
        where = _repeating(known, place.table, place, values)
        rows = _tried(known, gaps, partial(_count, known, place.table, where))
    total = _tried(known, gaps, partial(_surplus, known, place)) if place.key is None else 0
    hidden = any_masked(known.catalog, place.table, columns)
    return replace(
        said,
        constraint=said.constraint or (place.key.name if place.key else ""),
        constraint_state="holds for every row" if place.key else "is not there",
        schema=place.table.schema,
        table=place.table.name,
        columns=columns,
        values=(MASKED,) * len(values) if hidden else values,
        rows=rows,
        more_like_it=None if total is None else max(total - max((rows or 0) - 1, 0), 0),
        gaps=(*said.gaps, *gaps),
    )


def _surplus(known: Known, place: Place) -> int:
    """How many rows are one too many, over all values."""
    return count_duplicates(known.session, known.schema, place.rule, samples=0).surplus if place.rule else 0


def _repeating(known: Known, name: TableName, place: Place, values: Sequence[str]) -> Predicate:
    """The condition that a row ``c`` has these values, as the unique compares them."""
    if place.rule is None:
        return _equal(known, name, place.columns, values)
    engine, table = known.session.engine, known.schema.table(name)
    given = tuple(
        None if value == "null" and not place.rule.nulls_distinct and table.column(each).nullable else value
        for each, value in zip(place.columns, values, strict=True)
    )
    return holding(engine, table, place.rule, given) & bound(place.rule, engine, table)


def _equal(known: Known, table: TableName, columns: Sequence[str], values: Sequence[str]) -> Predicate:
    """The condition that a row ``c`` has these values, given as the server wrote them."""
    found = known.schema.table(table)
    tests = [f"{column(name, 'c')} = {known.session.engine.given(found.column(name))}" for name in columns]
    return Predicate(" AND ".join(tests), tuple(values))


def _breaking(known: Known, reference: Reference) -> Predicate:
    return orphaned(known.session.engine, known.schema, reference)


def _count(known: Known, table: TableName | None, where: Predicate) -> int:
    if table is None:
        return 0
    source = known.session.engine.source(known.schema.table(table))
    return int(known.session.value(f"SELECT count(*) FROM {source} c WHERE {where.sql}", where.params))


def _tried(known: Known, gaps: list[str], look: Callable[[], Result]) -> Result | None:
    """What a look found, None where it could not be had; the answer goes on without it."""
    try:
        with known.session.look():
            return look()
    except (ReferentialIntegrityError, DatabaseError) as error:
        if not known.session.connection.is_usable():
            raise
        gaps.append(f"Not counted: {str(error).strip()}")
        return None
