"""Explains the orphans of one reference, in a handful of set-based statements whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError

from integrity import conf
from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.causes.cause import Cause
from integrity.references.causes.created import Span, created_column, profile
from integrity.references.causes.parents import Parents, look_at_parents
from integrity.references.causes.rules import Facts, causes, may_be_oldest
from integrity.references.causes.survey import Survey, Surveyor
from integrity.references.distinct_keys import orphans_by_key
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference


@dataclass(frozen=True)
class Examination:
    """What was found of a reference's orphans.

    ``top`` are the commonest missing keys with their rows; ``nulls`` the rows that refer to nothing;
    ``created`` how the orphans lie in time, empty where nothing says; ``gap`` why no causes are given.
    """

    rows: int = 0
    missing_keys: int = 0
    nulls: int = 0
    top: tuple[tuple[tuple[Any, ...], int], ...] = ()
    causes: tuple[Cause, ...] = ()
    created: dict[str, Any] = field(default_factory=dict)
    gap: str = ""


def attribute(session: Session, schema: Schema, reference: Reference) -> list[Cause]:
    """Returns the causes of a reference's orphans, empty where there are none.

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    return list(examine(session, schema, reference).causes)


def examine(session: Session, schema: Schema, reference: Reference) -> Examination:
    """Counts the orphans of a reference exactly, and explains them as far as the evidence goes.

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    where = orphaned(session.engine, schema, reference)
    if not _any(session, schema, reference, where):
        return Examination()
    rows, nulls, span = _look_at_rows(session, schema, reference)
    try:
        with session.nested():
            parents = look_at_parents(session, schema, reference)
            surveyor = Surveyor(session, schema, reference, where, parents, span)
            survey = surveyor.survey(conf.sample_rows())
            facts = Facts(reference, survey, parents, span, rows - nulls)
            if may_be_oldest(facts):
                facts = replace(facts, oldest=surveyor.oldest())
            return _examination(survey, nulls, causes(facts), _created(survey, span))
    except (ReferentialIntegrityError, DatabaseError) as error:
        if not session.connection.is_usable():
            raise
        surveyor = Surveyor(session, schema, reference, where, Parents(), None, explains=False)
        counted = _examination(surveyor.survey(conf.sample_rows()), nulls)
        return replace(counted, gap=str(error).strip() or type(error).__name__)


def _any(session: Session, schema: Schema, reference: Reference, where: Predicate) -> bool:
    """Whether there is an orphan at all."""
    found = orphans_by_key(session, schema, reference, where)
    if found is not None:
        return found
    source = session.engine.source(schema.table(reference.table))
    return session.value(f"SELECT 1 FROM {source} c WHERE {where.sql} LIMIT 1", where.params) is not None


def _examination(
    survey: Survey, nulls: int, found: Sequence[Cause] = (), created: dict[str, Any] | None = None
) -> Examination:
    top = tuple((each.key, each.rows) for each in survey.top)
    return Examination(survey.rows, survey.missing_keys, nulls, top, tuple(found), created or {})


def _look_at_rows(session: Session, schema: Schema, reference: Reference) -> tuple[int, int, Span | None]:
    """All rows, those that refer to nothing, and the time in which they were created: one scan."""
    table = schema.table(reference.table)
    some = " OR ".join(f"{column(name, 'c')} IS NULL" for name in reference.columns)
    several = len(reference.columns) > 1
    nulls = (
        f"sum(CASE WHEN {some} THEN 1 ELSE 0 END)"
        if several
        else f"count(*) - count({column(reference.columns[0], 'c')})"
    )
    counted = f"count(*) AS n, {nulls} AS nulls"
    told = created_column(session.vendor, table)
    times = f"min({column(told.name, 'c')}) AS t0, max({column(told.name, 'c')}) AS t1" if told else "0 AS t0"
    ends = f"{session.engine.epoch('t0')}, {session.engine.epoch('t1')}" if told else "NULL, NULL"
    sql = f"SELECT n, nulls, {ends} FROM (SELECT {counted}, {times} FROM {session.engine.source(table)} c) s"
    rows, empty, first, last = session.row(sql)
    known = told is not None and first is not None and last is not None
    return int(rows), int(empty or 0), Span(told.name, float(first), float(last)) if told and known else None


def _created(survey: Survey, span: Span | None) -> dict[str, Any]:
    if span is None:
        return {}
    first = min((each.first for each in survey.groups if each.first is not None), default=None)
    last = max((each.last for each in survey.groups if each.last is not None), default=None)
    return profile(span, survey.days, first, last)
