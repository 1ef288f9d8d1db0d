"""Looks at references in depth: how many rows, why, and whether they are worth keeping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from django.db import DatabaseError

from integrity.audit import OnProgress, Progress
from integrity.database.identifiers import Path
from integrity.database.schema import Column
from integrity.database.session import Session, Target
from integrity.detectors.orphaned_rows import plain
from integrity.diagnosis.causes import ProbableCause, causes_of
from integrity.diagnosis.diagnosis import (
    Age,
    Amount,
    Diagnosis,
    DiagnosisResult,
    KeyType,
    Referring,
    table_facts,
)
from integrity.diagnosis.questions import Questions
from integrity.exceptions import ReferentialIntegrityError, TimedOut
from integrity.plans.plan import Change
from integrity.plans.survey import Survey
from integrity.references.awaited import awaiting
from integrity.references.catalog import Catalog
from integrity.references.constraint_state import constraint_state
from integrity.references.masking import is_masked
from integrity.references.reference import Reference, written
from integrity.references.resolve import choose, known_references

Result = TypeVar("Result")


def diagnose(
    target: Target,
    catalog: Catalog,
    *,
    only: Sequence[Path] = (),
    others: Sequence[Reference] = (),
    statement_timeout_ms: int | None = None,
    on_progress: OnProgress | None = None,
) -> DiagnosisResult:
    """Diagnoses references; changes nothing.

    Args:
        target: what to look at.
        catalog: what should hold there (an empty catalog: what is declared).
        only: the references to look at in depth; without any, all that have orphans, in brief.
        others: references known from elsewhere, such as the site's models.
        statement_timeout_ms: how long one question may take.
        on_progress: told before each reference.

    Raises:
        ReferentialIntegrityError: when the target cannot be opened or the catalog has a mistake.
    """
    with target.reading(statement_timeout_ms=statement_timeout_ms) as session:
        schema = session.schema()
        known = known_references(schema, catalog, others)
        chosen = choose(known, schema, only, waiting=awaiting(schema, catalog))
        result = DiagnosisResult(target.alias, schema.vendor, schema.version, bool(only))
        result.coverage.references = len(chosen)
        for number, reference in enumerate(chosen):
            if on_progress:
                on_progress(Progress(number, len(chosen), reference.label))
            _diagnose(session, Questions(session.engine, schema, catalog, known, reference), result)
        result.coverage.snapshot = "one" if session.engine.one_moment(session) else "per_reference"
    return result


def _diagnose(session: Session, questions: Questions, result: DiagnosisResult) -> None:
    """One reference; what cannot be looked at is a gap in the coverage."""
    label = questions.reference.label
    try:
        with session.look():
            found = _counted(session, questions)
    except TimedOut as error:
        result.coverage.timed_out.append({"reference": label, "reason": str(error)})
        return
    except (ReferentialIntegrityError, DatabaseError) as error:
        if not session.connection.is_usable():
            raise
        result.coverage.skipped.append({"reference": label, "reason": str(error).strip()})
        return
    result.coverage.checked += 1
    if result.in_depth:
        _InDepth(session, questions, found).look()
    if result.in_depth or found.orphans:
        result.references.append(found)


def _counted(session: Session, questions: Questions) -> Diagnosis:
    reference = questions.reference
    declared = reference.declared
    orphans, missing = session.row(questions.count_orphans())
    rows, nulls = session.row(questions.count_rows())
    return Diagnosis(
        reference=reference.label,
        referenced=written(reference.referenced_table, reference.referenced_columns),
        constraint=declared.name if declared else reference.name,
        constraint_state=constraint_state(declared),
        on_delete=str(reference.on_delete),
        parents=int(session.value(questions.count_parents())),
        rows=int(rows),
        nulls=int(nulls),
        orphans=int(orphans),
        missing_keys=int(missing),
        types=tuple(_types(questions)),
    )


def _types(questions: Questions) -> list[KeyType]:
    return [
        KeyType(here.name, here.type, there.name, there.type, _comparison(questions, there, here))
        for here, there in (
            (questions.table.column(own), questions.parent.column(key))
            for own, key in questions.reference.pairs
        )
    ]


def _comparison(questions: Questions, there: Column, here: Column) -> str:
    if here.type == there.type:
        return "the same type"
    sql = questions.engine.equal(there, "p", here, "c")
    return "by their text: the types do not fit" if "(p)::text" in sql else "different types that fit"


@dataclass
class _InDepth:
    """One reference on its way; each question that fails is a gap, and the others are asked all the same."""

    session: Session
    questions: Questions
    found: Diagnosis

    def look(self) -> None:
        """Asks everything."""
        asked, found = self.questions, self.found
        found.masked = tuple(
            each for each in asked.table.column_names if is_masked(asked.catalog, asked.table.name, each)
        )
        tables = {each.name: each for each in (asked.table, asked.parent)}
        found.tables = tuple(map(table_facts, tables.values()))
        if asked.schema.vendor == "sqlite":
            found.types = self._try("stored types", self._stored) or found.types
        if not found.orphans:
            return
        found.top_missing_keys = self._try("missing keys", self._missing) or ()
        found.samples = self._try("samples", self._samples) or ()
        found.causes = self._try("causes", self._causes) or ()
        ages = [self._try(each.name, partial(self._age, each)) for each in asked.made]
        found.ages = tuple(each for each in ages if each)
        amounts = [self._try(each.name, partial(self._amount, each)) for each in asked.amounts]
        found.amounts = tuple(each for each in amounts if each)
        found.referring = self._try("what refers to them", self._referring) or ()

    def _try(self, about: str, question: Callable[[], Result]) -> Result | None:
        try:
            with self.session.look():
                return question()
        except (ReferentialIntegrityError, DatabaseError) as error:
            if not self.session.connection.is_usable():
                raise
            self.found.gaps.append(f"{about}: {str(error).strip()}")
            return None

    def _stored(self) -> tuple[KeyType, ...]:
        first, *rest = self.found.types
        here, there = (
            {
                str(kind): int(rows)
                for kind, rows in self.session.rows(self.questions.stored_types(parent=each))
            }
            for each in (False, True)
        )
        return (replace(first, stored_as=here, referenced_stored_as=there), *rest)

    def _missing(self) -> tuple[dict[str, Any], ...]:
        if self.questions.masked:
            return ()
        return tuple(
            {"key": [plain(value) for value in key], "rows": int(count)}
            for *key, count in self.session.rows(self.questions.missing_keys())
        )

    def _samples(self) -> tuple[dict[str, Any], ...]:
        names = self.questions.sample_columns
        if not names:
            return ()
        found = self.session.rows(self.questions.samples())
        return tuple(dict(zip(names, map(plain, row), strict=True)) for row in found)

    def _age(self, made: Column) -> Age:
        first, last, first_row, last_row = (
            None if each is None else str(each) for each in self.session.row(self.questions.age(made))
        )
        months = self.session.rows(self.questions.months(made))
        by_month = tuple((str(month or "?"), int(rows)) for month, rows in months)
        return Age(made.name, first, last, first_row, last_row, by_month)

    def _amount(self, column: Column) -> Amount:
        rows, total = self.session.row(self.questions.amount(column))
        return Amount(column.name, int(rows), plain(total))

    def _causes(self) -> tuple[ProbableCause, ...]:
        asked = self.questions
        return causes_of(self.session, asked.schema, asked.catalog, asked.reference)

    def _referring(self) -> tuple[Referring, ...]:
        """Through every reference and at every level, each row once, as a deletion would meet them."""
        asked = self.questions
        survey = Survey(self.session, asked.schema, asked.references)
        return tuple(
            Referring(each.reference.label, each.rows, each.depth, _change(each.change))
            for each in survey.effects(asked.reference.table, asked.orphans)
        )


def _change(change: Change) -> str:
    return "forbids it" if change is Change.RESTRICT else str(change)
