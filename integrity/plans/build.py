"""Makes a plan: what was asked for, what the catalog prescribes, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import DataError

from integrity.database.engine import Predicate
from integrity.database.identifiers import Path, TableName, column, parse_table, quote_columns, quote_table
from integrity.database.schema import Key, Schema, TableKind
from integrity.database.session import Session, Target
from integrity.exceptions import CatalogError, NotCheckable, PlanRefused, TooManyRows
from integrity.plans.columns import columns_set_null, refuse_computed
from integrity.plans.following import leaf_first
from integrity.plans.plan import NOT_LOOKED_AT, Plan, Step, SystemRow
from integrity.plans.survey import Survey, count_orphans, triggers_met
from integrity.references.catalog import Catalog
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference, Resolution, written
from integrity.references.resolve import choose, known_references


@dataclass(frozen=True)
class Request:
    """What somebody asks for: a resolution for one reference, or for all (``reference`` None).

    ``resolution`` None means by policy, ``suggested`` by what the delete action suggests where
    there is no policy. ``to`` is the referenced key that ``reassign`` points at (None: the
    system row).
    """

    reference: Path | None = None
    resolution: Resolution | None = None
    suggested: bool = False
    to: tuple[str, ...] | None = None
    reason: str = ""
    until: str = ""


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
        requests: what somebody decided; without any, every reference by its policy. Where two
            speak of one reference, the later one counts.
        max_rows: refuse a plan that touches more rows than this.
        others: references known from elsewhere.
        on_step: told the reference that is being counted.

    Raises:
        PlanRefused: a resolution would break another rule.
        TooManyRows: more rows would be touched than ``max_rows``.
        UnknownReference, UnknownTable, CatalogError: something named does not exist.
    """
    with target.reading() as session:
        planner = _Planner(session, session.schema(), catalog, tuple(others), on_step or (lambda label: None))
        plan = planner.plan(requests, max_rows)
    if max_rows is not None and plan.touched > max_rows:
        raise TooManyRows(
            f"The plan touches {plan.touched:,} rows, more than --max-rows {max_rows:,}",
            where=target.alias,
            hint="Nothing was changed. Look at the plan, then raise the limit or name fewer references.",
        )
    return plan


@dataclass(frozen=True)
class _Planner:
    session: Session
    schema: Schema
    catalog: Catalog
    others: tuple[Reference, ...]
    on_step: Callable[[str], None]

    def plan(self, requests: Sequence[Request], max_rows: int | None) -> Plan:
        references = known_references(self.schema, self.catalog, self.others)
        wanted: dict[object, tuple[Reference, Request]] = {}
        for request in requests or [Request()]:
            paths = [request.reference] if request.reference else []
            for reference in choose(references, self.schema, paths):
                wanted[reference.sides] = (reference, request)
        notes: list[str] = []
        found = [each for pair in wanted.values() if (each := self._step(*pair, references, notes))]
        survey = Survey(self.session, self.schema, references)
        steps = [self._measured(survey, step) for step in self._ordered(found, references)]
        return Plan(
            target=self.session.target.alias,
            vendor=self.schema.vendor,
            schema_fingerprint=self.schema.fingerprint(),
            steps=tuple(replace(step, number=number) for number, step in enumerate(steps, start=1)),
            max_rows=max_rows,
            notes=tuple(notes),
        )

    def _measured(self, survey: Survey, step: Step) -> Step:
        if step.resolution is Resolution.KEEP:
            return step
        with self.session.look():
            if step.resolution is Resolution.REASSIGN:
                self._refuse_doomed(survey, step)
            return survey.measured(step)

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

    def _step(
        self, reference: Reference, request: Request, references: Sequence[Reference], notes: list[str]
    ) -> Step | None:
        """What is to be done for a reference, its order and what follows still unknown."""
        self.on_step(reference.label)
        try:
            with self.session.look():
                where = orphaned(self.session.engine, self.schema, reference)
                rows, missing = count_orphans(self.session, self.schema, reference)
        except NotCheckable as error:
            if request.reference is not None:
                raise
            notes.append(f"{reference.label} {NOT_LOOKED_AT}: {error}")
            return None
        if not rows:
            return None
        step = Step(0, _resolution(reference, request), reference, rows, missing, where.sql, orphans=rows)
        step = replace(step, reason=request.reason, until=request.until)
        with self.session.look():
            return self._completed(step, request, references)

    def _completed(self, step: Step, request: Request, references: Sequence[Reference]) -> Step:
        if step.resolution is not Resolution.KEEP:
            self._refuse_unchangeable(step.reference)
        if step.resolution is Resolution.SET_NULL:
            table = self.schema.table(step.reference.table)
            columns = columns_set_null(table, step.reference, references)
            step = replace(step, values=tuple((name, None) for name in columns))
        elif step.resolution is Resolution.REASSIGN:
            step = self._reassigned(step, request)
        return replace(step, triggers=triggers_met(self.schema, step.reference.table, step.change))

    def _ordered(self, steps: list[Step], references: Sequence[Reference]) -> list[Step]:
        """Deletions first, leaf first, so that nothing is updated that is deleted later."""
        tables = leaf_first([step.reference.table for step in steps], references)
        kinds = [Resolution.DELETE, Resolution.SET_NULL, Resolution.REASSIGN, Resolution.KEEP]
        return sorted(
            steps,
            key=lambda step: (
                kinds.index(step.resolution),
                tables.index(step.reference.table),
                step.reference.columns,
            ),
        )

    def _refuse_unchangeable(self, reference: Reference) -> None:
        table = self.schema.table(reference.table)
        if table.kind not in (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION):
            raise PlanRefused(
                f"The rows of {reference.table} cannot be changed: it is a {table.kind}",
                where=reference.label,
                hint="Keep them, or repair the tables that it shows.",
            )

    # -- reassigning -----------------------------------------------------------------------

    def _reassigned(self, step: Step, request: Request) -> Step:
        reference = step.reference
        refuse_computed(self.schema.table(reference.table), reference)
        row = None if request.to else self.system_row(reference)
        if row is None:
            key = self._given(reference, request.to or ())
        else:
            key = tuple(dict(row.key)[name] for name in reference.referenced_columns)
        values = tuple(zip(reference.columns, key, strict=True))
        self._refuse_collisions(step, values)
        return replace(step, values=values, system_row=row)

    def _given(self, reference: Reference, to: tuple[str, ...]) -> tuple[Any, ...]:
        """The key of a row that exists, as the row itself has it."""
        if len(to) != len(reference.columns):
            raise PlanRefused(
                f"--to gives {len(to)} values for the {len(reference.columns)} columns of {reference.label}",
                hint="Give one for each column, separated by commas.",
            )
        table, columns = reference.referenced_table, reference.referenced_columns
        where = " AND ".join(f"{column(name)} = %s" for name in columns)
        sql = f"SELECT {quote_columns(columns)} FROM {quote_table(table)} WHERE {where}"
        try:
            found = self.session.rows(sql, to)
        except DataError:
            found = []
        if not found:
            raise PlanRefused(
                f"{written(table)} has no row {', '.join(map(str, to))}",
                where=reference.label,
                hint="Give the key of a row that exists, or leave --to out for the system row.",
            )
        return found[0]

    def system_row(self, reference: Reference) -> SystemRow:
        """Returns the row of the referenced table that the catalog allows reassignment to."""
        parent = self.schema.table(reference.referenced_table)
        written_down = {self._system_table(name): values for name, values in self.catalog.system_rows.items()}
        values = written_down.get(parent.name)
        if values is None:
            raise PlanRefused(
                f"There is no system row for {written(parent.name)}, to which orphans could be reassigned",
                where=str(self.catalog.file or f"{self.session.target}, without a catalog"),
                hint=f"Describe it as [system_row.{written(parent.name)}] in the catalog, "
                "or give a key with --to.",
            )
        for name in values:
            parent.column(name)
        missing = [name for name in reference.referenced_columns if name not in values]
        if missing:
            raise CatalogError(
                f"The system row of {written(parent.name)} gives no {', '.join(missing)}",
                where=f"{self.catalog.file}, [system_row.{written(parent.name)}]",
                hint="Orphans are pointed at that value: write it down.",
            )
        key = tuple((name, values[name]) for name in reference.referenced_columns)
        self._refuse_dangling(parent.name, values)
        return SystemRow(parent.name, key, tuple(values.items()), self._exists(parent.name, key))

    def _system_table(self, name: str) -> TableName:
        try:
            return self.schema.resolve(parse_table(name))
        except Exception as error:
            raise CatalogError(str(error), where=f"{self.catalog.file}, [system_row.{name}]") from error

    def _exists(self, table: TableName, key: tuple[tuple[str, Any], ...]) -> bool:
        where = " AND ".join(f"{column(name)} = %s" for name, _ in key)
        sql = f"SELECT EXISTS (SELECT 1 FROM {quote_table(table)} WHERE {where})"
        return bool(self.session.value(sql, [value for _, value in key]))

    def _refuse_dangling(self, table: TableName, values: dict[str, Any]) -> None:
        """A system row that is an orphan itself would only move the damage."""
        for reference in known_references(self.schema, self.catalog, self.others):
            given = [values.get(name) for name in reference.columns]
            if reference.table != table or any(value is None for value in given):
                continue
            key = tuple(zip(reference.referenced_columns, given, strict=True))
            itself = all(values.get(name) == value for name, value in key)
            if not (reference.referenced_table == table and itself) and not self._exists(
                reference.referenced_table, key
            ):
                raise PlanRefused(
                    f"The system row of {written(table)} would be an orphan of {reference}",
                    where=f"{self.catalog.file}, [system_row.{written(table)}]",
                    hint="Give it a referenced row that exists.",
                )

    def _refuse_collisions(self, step: Step, values: tuple[tuple[str, Any], ...]) -> None:
        """A unique over the referencing columns lets at most one row point at the same parent."""
        table, new = self.schema.table(step.reference.table), dict(values)
        for key in table.keys:
            if key.expressions or not set(key.columns) & set(new):
                continue
            alike = self._collisions(step, key, new)
            if alike:
                raise PlanRefused(
                    f"Reassigning {step.reference.label} would break {key.name or 'the primary key'} "
                    f"({', '.join(key.columns)}): {alike:,} rows would be alike",
                    where=self.session.target.alias,
                    hint="Choose delete or set_null, or reassign them to different rows.",
                )

    def _collisions(self, step: Step, key: Key, new: dict[str, Any]) -> int:
        """How many rows would be alike: orphans, and those that hold the new values already."""
        source = self.session.engine.source(self.schema.table(step.reference.table))
        orphan = orphaned(self.session.engine, self.schema, step.reference)
        held = [name for name in key.columns if name in new]
        rest = [name for name in key.columns if name not in new]
        same = " AND ".join(f"{column(name, 'c')} = %s" for name in held)
        where = orphan | Predicate(same, tuple(new[name] for name in held))
        if key.nulls_distinct:
            where = where & Predicate(
                " AND ".join(["1 = 1", *(f"{column(n, 'c')} IS NOT NULL" for n in rest)])
            )
        if key.where:
            where = where & Predicate(key.where.replace("%", "%%"))
        names = [f"k{place}" for place in range(len(rest))]
        listed = ", ".join(f"{column(name, 'c')} AS {k}" for name, k in zip(rest, names, strict=True))
        rows = f"SELECT {listed or '0 AS k0'} FROM {source} c WHERE {where.sql}"
        groups = f"SELECT count(*) AS n FROM ({rows}) k GROUP BY {', '.join(names) or 'k0'}"
        sql = f"SELECT coalesce(sum(n), 0) FROM ({groups} HAVING count(*) > 1) g"
        return int(self.session.value(sql, where.params))


def _resolution(reference: Reference, request: Request) -> Resolution:
    if request.resolution is not None:
        return request.resolution
    decided = reference.suggestion if request.suggested else reference.policy
    return decided or Resolution.KEEP
