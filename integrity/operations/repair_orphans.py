"""Resolves the orphans of a reference inside a migration, by the same repair that commands run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from django.db import connections

from integrity import conf
from integrity.database import clauses
from integrity.database.identifiers import Path, TableName, parse_path
from integrity.database.schema import Action, Schema
from integrity.database.session import Target, engine_for
from integrity.exceptions import PlanMismatch, SchemaFixRefused, TooManyRows, UnknownRun, UnknownTable
from integrity.operations.alteration import Alteration
from integrity.operations.operation import CatalogOperation
from integrity.plans import Plan, Request, make_plan
from integrity.references import load_catalog
from integrity.references.catalog import Catalog
from integrity.references.django_models import others_of
from integrity.references.reference import Reference, Resolution, written
from integrity.references.resolve import default_name
from integrity.repairs import (
    Options,
    RepairResult,
    RunRecord,
    State,
    list_runs,
    resume_repair,
    roll_back,
    run_repair,
)
from integrity.repairs.run import MIGRATION

_TAKEN_BACK = (State.ROLLED_BACK,)
_STOPPED = (State.INTERRUPTED, State.FAILED, State.PAUSED, State.CANCELLED)


class RepairOrphans(CatalogOperation):
    """Repairs the orphans of one reference, batch by batch and journaled; re-entrant, reversible.

    It works on connections of its own, each batch a transaction, so that a process that is killed goes
    on at the next ``migrate``. No orphan is nothing to do. More rows than ``max_rows`` stop it before
    the first change; rows that are refused stop the migration at its end, the others stay repaired.
    The reverse takes back what the operation did here, from the journal of the target, and lets the
    rows come back under a key that stands: on PostgreSQL that one is NOT VALID again.

    Args:
        reference: the reference as it is written in catalogs: ``orders.user_id``.
        action: ``delete``, ``set_null``, ``reassign`` or another resolution that is carried out.
        max_rows: the most rows that may be changed, those that follow included; None: any number.
        to: the referenced columns, ``profiles.id``, where neither catalog nor target says so.
        on_delete: what deleting a referenced row does, together with ``to``.
        key: the key that ``reassign`` points the orphans at; empty: the catalog's system row.
    """

    kind = "repair"
    restores_rows = True
    locks = ()
    reverse_locks = ()

    def __init__(
        self,
        *,
        reference: str,
        action: str,
        max_rows: int | None = None,
        to: str = "",
        on_delete: str = "NO ACTION",
        key: tuple[str, ...] = (),
    ) -> None:
        path = parse_path(reference)
        self.reference = reference
        self.action = str(Resolution(action))
        self.max_rows = max_rows
        self.to = to
        self.on_delete = on_delete
        self.key = tuple(key)
        self.table = written(TableName(path.schema or "public", path.table))
        self.name = "_".join(["repair", path.table, *path.columns])[:63]

    @property
    def path(self) -> Path:
        """The reference, read."""
        return parse_path(self.reference)

    def describe(self) -> str:
        """One line."""
        most = "" if self.max_rows is None else f", at most {self.max_rows:,} rows"
        return f"Orphans of {self.reference}: {self.action}{most}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    def statements(self, vendor: str) -> list[str]:
        """What is done, as comments: as plain SQL it would leave nothing to take back."""
        limit = "" if self.max_rows is None else "; more rows than that stop it before the first change"
        said = [
            f"{self.describe()}{limit}",
            "Done batch by batch on connections of its own, journaled, with all rows that follow. By hand: "
            f"manage.py integrity_cleanup TARGET --reference '{self.reference}' --action {self.action}",
        ]
        if self.to:
            said.append(f"The rows: SELECT * FROM {self._orphans(vendor)}")
        return [f"-- {line}" for line in said]

    def reverse_statements(self, vendor: str) -> list[str]:
        """What is taken back."""
        return [f"-- Orphans of {self.reference}: every row comes back as it was, from the journal"]

    def _orphans(self, vendor: str) -> str:
        to = parse_path(self.to)
        schema = engine_for(vendor).default_schema
        parent = clauses.table(TableName(to.schema or schema, to.table))
        pairs = list(zip(self.path.columns, to.columns, strict=True))
        given = " AND ".join(f"c.{clauses.name(name)} IS NOT NULL" for name, _ in pairs)
        same = " AND ".join(f"p.{clauses.name(key)} = c.{clauses.name(name)}" for name, key in pairs)
        child = clauses.table(self.written_table(vendor))
        return f"{child} c WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {same})"

    # -- carrying out ----------------------------------------------------------------------

    def make(self, work: Alteration) -> None:
        """Goes on with what was stopped, then repairs what is left.

        Raises:
            SchemaFixRefused: more rows than ``max_rows``, or rows that cannot be repaired.
        """
        repair = _Repair.of(self, work)
        for record in repair.runs():
            if record.state in _STOPPED:
                repair.resume(record)
        plan = repair.plan()
        if plan.changing_steps:
            self._refuse_more(plan, work)
            repair.run(plan)

    def unmake(self, work: Alteration) -> None:
        """Takes back every run that this made here, the newest first."""
        repair = _Repair.of(self, work)
        for record in repair.runs():
            repair.take_back(record)

    def _refuse_more(self, plan: Plan, work: Alteration) -> None:
        if self.max_rows is None or plan.touched <= self.max_rows:
            return
        follow = plan.touched - plan.rows
        more = f", and {follow:,} rows follow from them" if follow else ""
        named = f"{principal(work.alias)} --reference '{self.reference}' --action {self.action}"
        raise SchemaFixRefused(
            f"{plan.rows:,} {'row breaks' if plan.rows == 1 else 'rows break'} "
            f"{plan.orphan_changes[0].reference}{more}: more than max_rows={self.max_rows:,}",
            where=f"{work.alias}, {work.migration}",
            hint=f"Nothing was changed. Look at them: manage.py integrity_plan {named}. Then raise max_rows "
            f"in the migration, or resolve them before it: manage.py integrity_cleanup {named}.",
        )


@dataclass(frozen=True)
class _Repair:
    """The repair of one operation in one target."""

    operation: RepairOrphans
    target: Target
    catalog: Catalog
    migration: str
    table: TableName
    others: tuple[Reference, ...]

    @classmethod
    def of(cls, operation: RepairOrphans, work: Alteration) -> _Repair:
        target = Target(principal(work.alias))
        schema = work.look()
        others = (*_literal(operation, schema), *others_of(target))
        table = schema.resolve(operation.path)
        return cls(operation, target, load_catalog(target.alias), work.migration, table, others)

    @property
    def options(self) -> Options:
        return Options(
            actor=f"{MIGRATION} {self.migration}".strip(),
            max_rows=self.operation.max_rows,
            others=self.others,
        )

    def runs(self) -> list[RunRecord]:
        """What this operation did in the target, the newest first: its journal says so, whichever host
        or process it was."""
        return [
            record
            for record in list_runs(self.target)
            if record.kind == MIGRATION
            and record.actor == self.options.actor
            and record.state not in _TAKEN_BACK
            and any(self._is_ours(step["reference"]) for step in record.plan["steps"] if "reference" in step)
        ]

    def _is_ours(self, reference: dict[str, object]) -> bool:
        columns = reference["columns"]
        assert isinstance(columns, (list, tuple))
        return reference["table"] == vars(self.table) and set(columns) == set(self.operation.path.columns)

    def plan(self) -> Plan:
        """What is to be done now."""
        operation = self.operation
        request = Request(operation.path, Resolution(operation.action), to=operation.key or None)
        plan = make_plan(self.target, self.catalog, [request], others=self.others)
        return replace(plan, max_rows=operation.max_rows)

    def run(self, plan: Plan) -> None:
        """Carries it out."""
        self._judge(run_repair(self.target, plan, catalog=self.catalog, kind=MIGRATION, options=self.options))

    def resume(self, record: RunRecord) -> None:
        """Goes on with a run that was stopped; a new one follows where the structure is another by now."""
        try:
            self._judge(resume_repair(self.target, record.number, catalog=self.catalog, options=self.options))
        except TooManyRows:
            raise
        except PlanMismatch:
            return

    def take_back(self, record: RunRecord) -> None:
        """Puts a run's rows back; what somebody changed since stops the migration."""
        with suppress(UnknownRun):  # nothing of it is left, or it never changed a row
            back = roll_back(
                self.target, record.number, catalog=self.catalog, unvalidate=True, options=self.options
            )
            if back.refused:
                first = back.refusals[0]
                raise SchemaFixRefused(
                    f"{back.refused:,} rows of run {record.number} did not come back; the first, "
                    f"{first.table} {first.key}: {first.reason}",
                    where=self.target.alias,
                    hint="The others did. manage.py integrity_log "
                    f"{self.target} --run {back.run} names them. Correct that and run this again.",
                )

    def _judge(self, result: RepairResult) -> None:
        if result.refused:
            reason = result.refusals[0].reason if result.refusals else "see the log"
            named = f"{self.target} --reference '{self.operation.reference}' --action …"
            raise SchemaFixRefused(
                f"{result.refused:,} rows could not be repaired by {self.operation.action}: {reason}",
                where=f"{self.target}, {self.operation.reference}",
                hint=f"The others are repaired (run {result.run}). Resolve these, then run this again: "
                f"manage.py integrity_cleanup {named}",
            )
        if result.state is not State.FINISHED:
            raise SchemaFixRefused(
                f"Repair run {result.run} was {str(result.state).replace('_', ' ')}",
                where=self.target.alias,
                hint=f"Go on with: manage.py integrity_migrate {self.target}.",
            )


def _literal(operation: RepairOrphans, schema: Schema) -> Iterator[Reference]:
    """The reference as the migration writes it, for a target in which nothing else says it."""
    if operation.to:
        to = parse_path(operation.to)
        with suppress(UnknownTable):
            yield Reference(
                table=schema.resolve(operation.path),
                columns=operation.path.columns,
                referenced_table=schema.resolve(to),
                referenced_columns=to.columns,
                name=default_name(operation.path),
                on_delete=Action(operation.on_delete),
            )


def principal(alias: str) -> str:
    """Returns the target that an alias reaches past a pooler; itself where it is no such alias."""
    others = (each for each in connections.databases if each != alias)
    return next((each for each in others if conf.direct_alias(each) == alias), alias)
