"""Makes a plan: what was asked for, what the catalog prescribes, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from django.db import DatabaseError

from integrity.database.schema import TableKind
from integrity.database.session import Session, Target
from integrity.exceptions import (
    NotCheckable,
    PlanRefused,
    ReferentialIntegrityError,
    TooManyRows,
    UnknownReference,
    UnknownTable,
)
from integrity.plans.choosing import Choosing, refuse_many
from integrity.plans.columns import columns_set_null
from integrity.plans.following import leaf_first
from integrity.plans.known import Known
from integrity.plans.plan import NOT_LOOKED_AT, Plan, Step
from integrity.plans.reassigning import Reassigning
from integrity.plans.relinking import Relinking
from integrity.plans.request import Request
from integrity.plans.restoring import Made, Restoring
from integrity.plans.scope import in_scope, spelled_scope
from integrity.plans.survey import Survey, count_orphans, triggers_met
from integrity.plans.wishes import Part, Wish
from integrity.references.awaited import Awaiting, awaiting
from integrity.references.catalog import Catalog
from integrity.references.duplicates import count_duplicates
from integrity.references.reference import Reference, Resolution, written
from integrity.references.resolve import choose, known_references, known_uniques
from integrity.references.uniques import cannot_repeat

__all__ = ["Request", "make_plan"]

_ORDER = (
    Resolution.DELETE,
    Resolution.SET_NULL,
    Resolution.RELINK,
    Resolution.REASSIGN,
    Resolution.RESTORE_PARENT,
    Resolution.KEEP,
)


def make_plan(
    target: Target,
    catalog: Catalog,
    requests: Sequence[Request] = (),
    *,
    max_rows: int | None = None,
    others: Sequence[Reference] = (),
    on_step: Callable[[str], None] | None = None,
) -> Plan:
    """Plans the repair of a target as it is at this moment; changes nothing.

    Args:
        target: what to repair.
        catalog: what should hold there.
        requests: what somebody decided; without any, every reference by its policy. A row goes by
            what is asked for it, else for its missing key, else for its reference; where two speak of
            the same, the later one counts.
        max_rows: refuse a plan that touches more rows than this.
        others: references known from elsewhere.
        on_step: told the reference that is being counted.

    Raises:
        PlanRefused: a resolution would break another rule.
        TooManyRows: more rows would be touched than ``max_rows``.
        UnknownReference, UnknownTable, CatalogError: something named does not exist.
    """
    with target.reading() as session:
        schema = session.schema()
        known = Known(session, schema, catalog, tuple(known_references(schema, catalog, others)))
        plan = _Planner(known, on_step or (lambda label: None)).plan(requests, max_rows)
    if max_rows is not None and plan.touched > max_rows:
        raise TooManyRows(
            f"The plan touches {plan.touched:,} rows, more than --max-rows {max_rows:,}",
            where=target.alias,
            hint="Nothing was changed. Look at the plan, then raise the limit or name fewer references.",
        )
    return plan


@dataclass(frozen=True)
class _Planner:
    known: Known
    on_step: Callable[[str], None]
    made: Made = field(default_factory=dict)

    @property
    def session(self) -> Session:
        return self.known.session

    def plan(self, requests: Sequence[Request], max_rows: int | None) -> Plan:
        notes: list[str] = []
        wishes = self._wishes(requests, notes)
        refuse_many(wishes, self.session.target.alias)
        found = [
            step
            for wish in wishes
            if self._chosen(wish, notes)
            for part in wish.parts()
            if (step := self._step(wish.reference, part, notes))
        ]
        if any(request.reference is None for request in requests or [Request()]):
            notes += self._duplicates()
        survey = Survey(self.session, self.known.schema, self.known.references)
        steps = [self._measured(survey, step) for step in self._ordered(found)]
        notes += self._kept_in_vain(survey, steps)
        return Plan(
            target=self.session.target.alias,
            vendor=self.known.schema.vendor,
            schema_fingerprint=self.known.schema.fingerprint(),
            steps=tuple(replace(step, number=number) for number, step in enumerate(steps, start=1)),
            max_rows=max_rows,
            notes=tuple(notes),
        )

    def _duplicates(self) -> list[str]:
        """What stands in the way of the catalog's uniques: for another plan, but not to be forgotten."""
        session, schema, alias = self.session, self.known.schema, self.session.target.alias
        command, found = f"manage.py integrity_deduplicate {alias}", []
        for rule in known_uniques(schema, self.known.catalog, session):
            if rule.declared is not None or cannot_repeat(schema, rule):
                continue
            try:
                with session.look():
                    shared = count_duplicates(session, schema, rule, samples=0)
            except (ReferentialIntegrityError, DatabaseError) as error:
                if not session.connection.is_usable():
                    raise
                found.append(f"The duplicates of {rule.label} could not be counted: {str(error).strip()}")
                continue
            if shared.values:
                values = f"{shared.values:,} {'value' if shared.values == 1 else 'values'}"
                what = f"{shared.rows:,} rows share {values} of {rule.label}"
                found.append(f"{what}: a plan of its own, {command} --unique {rule.label}")
        return found

    def _wishes(self, requests: Sequence[Request], notes: list[str]) -> list[Wish]:
        """What was asked for each reference."""
        wanted: dict[object, Wish] = {}
        waiting = awaiting(self.known.schema, self.known.catalog)
        for request in requests or [Request()]:
            _refuse_vague(request)
            try:
                chosen = self._references(request, waiting)
            except (UnknownReference, UnknownTable) as error:
                if not request.standing:
                    raise
                notes.append(f"A decision is left out: {error}")
                continue
            for reference in chosen:
                wanted.setdefault(reference.sides, Wish(reference)).add(request)
        return list(wanted.values())

    def _references(self, request: Request, waiting: Sequence[Awaiting]) -> list[Reference]:
        paths = [request.reference] if request.reference else []
        return choose(self.known.references, self.known.schema, paths, waiting=waiting if paths else ())

    def _chosen(self, wish: Wish, notes: list[str]) -> bool:
        """Whether the keys and rows that were chosen can be told: a row that was to be kept must never go
        with the others because nobody can tell it any more."""
        try:
            with self.session.look():
                Choosing(self.known).look(wish)
        except (NotCheckable, PlanRefused) as error:
            if not wish.standing:
                raise
            notes.append(f"{wish.reference.label} {NOT_LOOKED_AT}: {error}")
            return False
        return True

    def _measured(self, survey: Survey, step: Step) -> Step:
        if step.resolution is Resolution.KEEP:
            return step
        with self.session.look():
            if step.resolution is Resolution.REASSIGN:
                self._refuse_doomed(survey, step)
            return survey.measured(step)

    def _kept_in_vain(self, survey: Survey, steps: Sequence[Step]) -> list[str]:
        """A row that somebody keeps as an orphan of one reference may follow another that it refers to."""
        found = []
        for step in steps:
            decided = step.reason or step.until or step.keys or step.chosen_rows
            if step.resolution is Resolution.KEEP and decided:
                with self.session.look():
                    rows = survey.going(step)
                if rows:
                    found.append(
                        f"{rows:,} of the orphans of {step.reference.label} that are to be kept are deleted "
                        "all the same: they refer to rows that go"
                    )
        return found

    def _refuse_doomed(self, survey: Survey, step: Step) -> None:
        """A row that an earlier step deletes is nothing to point at."""
        reference, key = step.reference, tuple(value for _, value in step.values)
        named = tuple(zip(reference.referenced_columns, key, strict=True))
        if survey.goes(reference.referenced_table, named):
            raise PlanRefused(
                f"{reference.label} would be reassigned to {written(reference.referenced_table)} "
                f"{', '.join(map(str, key))}, which this plan deletes",
                where=self.session.target.alias,
                hint="Give the key of a row that stays, or delete in a plan of its own.",
            )

    def _step(self, reference: Reference, part: Part, notes: list[str]) -> Step | None:
        """What is to be done for a reference, its order and what follows still unknown."""
        self.on_step(reference.label)
        request, resolution = part.request, part.request.resolves(reference)
        step = Step(0, resolution, reference, 0, 0, "", reason=request.reason, until=request.until)
        step = replace(step, keys=part.keys, spared=part.spared)
        step = replace(step, chosen_rows=part.rows, spared_rows=part.spared_rows)
        try:
            with self.session.look():
                step = self._counted(step)
            if not step.rows and request.mapping is None:
                return None
            with self.session.look():
                return self._completed(step, request, notes)
        except NotCheckable as error:
            if request.reference is not None and not request.standing:
                raise
            notes.append(f"{reference.label} {NOT_LOOKED_AT}: {error}")
        except PlanRefused as error:
            if not request.standing:
                raise
            notes.append(f"{reference.label} stays as it is, whatever was decided: {error}")
        return None

    def _counted(self, step: Step) -> Step:
        engine, schema = self.known.engine, self.known.schema
        where = in_scope(engine, schema, step)
        rows, missing = count_orphans(self.session, schema, step.reference, where)
        spelled = spelled_scope(engine, schema, step)
        return replace(step, rows=rows, missing_keys=missing, predicate=spelled, orphans=rows)

    def _completed(self, step: Step, request: Request, notes: list[str]) -> Step:
        schema, reference = self.known.schema, step.reference
        if step.resolution is not Resolution.KEEP:
            self._refuse_unchangeable(reference)
        if step.resolution is Resolution.SET_NULL:
            columns = columns_set_null(schema.table(reference.table), reference, self.known.references)
            step = replace(step, values=tuple((name, None) for name in columns))
        elif step.resolution is Resolution.REASSIGN:
            step = Reassigning(self.known).reassigned(step, request)
        elif step.resolution is Resolution.RELINK:
            step = Relinking(self.known).relinked(step, request, notes)
        elif step.resolution is Resolution.RESTORE_PARENT:
            return Restoring(self.known, self.made).restored(step)
        return replace(step, triggers=triggers_met(schema, reference.table, step.change))

    def _ordered(self, steps: list[Step]) -> list[Step]:
        """Deletions first, leaf first, so that nothing is updated that is deleted later."""
        tables = leaf_first([step.reference.table for step in steps], self.known.references)
        return sorted(
            steps,
            key=lambda step: (
                _ORDER.index(step.resolution),
                tables.index(step.reference.table),
                step.reference.columns,
            ),
        )

    def _refuse_unchangeable(self, reference: Reference) -> None:
        table = self.known.schema.table(reference.table)
        if table.kind not in (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION):
            raise PlanRefused(
                f"The rows of {reference.table} cannot be changed: it is a {table.kind}",
                where=reference.label,
                hint="Keep them, or repair the tables that it shows.",
            )


def _refuse_vague(request: Request) -> None:
    if request.general:
        return
    if request.reference is None:
        raise PlanRefused(
            "Missing keys and rows belong to one reference",
            hint="Say which, with --reference TABLE.COLUMN.",
        )
    if request.keys and request.rows:
        raise PlanRefused(
            "One request is about missing keys or about rows, not about both", hint="Ask for each by itself."
        )
