"""The repair runs that an operation of a migration makes in a target: its journal says which they are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections

from integrity import conf
from integrity.database.session import Target
from integrity.exceptions import PlanMismatch, SchemaFixRefused, TooManyRows, UnknownRun
from integrity.operations.admission import refuse_unadmitted
from integrity.operations.alteration import Alteration
from integrity.operations.operation import CatalogOperation
from integrity.plans import Plan
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
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


@dataclass(frozen=True)
class OwnRuns:
    """The runs of one operation in one target, whichever host or process made them.

    ``is_ours`` tells by the step of a recorded plan; ``about`` and ``command`` are for messages: by what
    it is repaired, and how that is done by hand.
    """

    target: Target
    catalog: Catalog
    migration: str
    is_ours: Callable[[dict[str, Any]], bool]
    about: str
    command: str
    max_rows: int | None = None
    others: tuple[Reference, ...] = ()

    @property
    def options(self) -> Options:
        """How they run."""
        return Options(
            actor=f"{MIGRATION} {self.migration}".strip(),
            approved=conf.approvals() is not None,
            max_rows=self.max_rows,
            others=self.others,
        )

    def runs(self) -> list[RunRecord]:
        """What still stands of them, the newest first."""
        return [
            record
            for record in list_runs(self.target)
            if record.kind == MIGRATION
            and record.actor == self.options.actor
            and record.state not in _TAKEN_BACK
            and any(map(self.is_ours, record.plan["steps"]))
        ]

    def go_on(self) -> None:
        """Goes on with whatever was stopped."""
        for record in self.runs():
            if record.state in _STOPPED:
                self._resume(record)

    def run(self, plan: Plan) -> None:
        """Carries out a plan.

        Raises:
            ApprovalNeeded: a second person has to approve it first.
            SchemaFixRefused: rows were refused, or somebody stopped it.
        """
        refuse_unadmitted(plan, self.options.actor, begun=False)
        self._judge(run_repair(self.target, plan, catalog=self.catalog, kind=MIGRATION, options=self.options))

    def take_back(self, record: RunRecord) -> None:
        """Puts a run's rows back; what somebody changed since stops the migration.

        Raises:
            SchemaFixRefused: rows did not come back.
        """
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

    def _resume(self, record: RunRecord) -> None:
        """A new run follows where the structure is another by now."""
        refuse_unadmitted(Plan.from_json(record.plan), self.options.actor, begun=True)
        try:
            self._judge(resume_repair(self.target, record.number, catalog=self.catalog, options=self.options))
        except TooManyRows:
            raise
        except PlanMismatch:
            return

    def _judge(self, result: RepairResult) -> None:
        if result.refused:
            reason = result.refusals[0].reason if result.refusals else "see the log"
            raise SchemaFixRefused(
                f"{result.refused:,} rows could not be repaired by {self.about}: {reason}",
                where=self.target.alias,
                hint=f"The others are repaired (run {result.run}). Resolve these, then run this again: "
                f"{self.command}",
            )
        if result.state is not State.FINISHED:
            raise SchemaFixRefused(
                f"Repair run {result.run} was {str(result.state).replace('_', ' ')}",
                where=self.target.alias,
                hint=f"Go on with: manage.py integrity_migrate {self.target}.",
            )


class RepairOperation(CatalogOperation):
    """An operation that changes rows by repair runs of its own, which its reverse takes back."""

    kind = "repair"
    restores_rows = True
    locks = ()
    reverse_locks = ()

    def make(self, work: Alteration) -> None:
        """Goes on with what was stopped, then repairs what is left.

        Raises:
            SchemaFixRefused: more rows than ``max_rows``, or rows that cannot be repaired.
        """
        own = self.own_runs(work)
        own.go_on()
        plan = self.planned(own)
        if plan.changing_steps:
            if own.max_rows is not None and plan.touched > own.max_rows:
                raise self.too_many(plan, own)
            own.run(replace(plan, max_rows=own.max_rows))

    def unmake(self, work: Alteration) -> None:
        """Takes back every run that this made here, the newest first."""
        own = self.own_runs(work)
        for record in own.runs():
            own.take_back(record)

    @abstractmethod
    def own_runs(self, work: Alteration) -> OwnRuns:
        """Which runs are its own."""

    @abstractmethod
    def planned(self, own: OwnRuns) -> Plan:
        """What is to be done now."""

    @abstractmethod
    def too_many(self, plan: Plan, own: OwnRuns) -> SchemaFixRefused:
        """Why a plan that touches more rows than ``max_rows`` is not carried out."""


def principal(alias: str) -> str:
    """Returns the target that an alias reaches past a pooler; itself where it is no such alias."""
    others = (each for each in connections.databases if each != alias)
    return next((each for each in others if conf.direct_alias(each) == alias), alias)
