"""A run: a plan carried out on a target, one at a time, resumable after anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from django.db import DatabaseError

from integrity.audit import OnProgress, Progress
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session, Target
from integrity.exceptions import (
    Interrupted,
    PlanMismatch,
    ReferentialIntegrityError,
    RepairRunning,
    UnknownRun,
)
from integrity.plans.plan import Plan, Tally
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.references.resolve import known_references, known_uniques
from integrity.references.uniques import UniqueRule
from integrity.repairs.approval import allowed_rows, refuse_more_rows, refuse_other
from integrity.repairs.journal import Journal, RunRecord, now
from integrity.repairs.resolving import resolve
from integrity.repairs.result import RepairResult, State, command_for
from integrity.repairs.target_log import TargetLog
from integrity.repairs.walk import Walk

Stop = Callable[[], str | None]
"""Asked between batches: ``paused`` or ``cancelled`` stop the run, None goes on."""

MIGRATION = "migration"
"""The kind of a run that a migration made: its migration goes on with it."""

_RESUMABLE = (State.RUNNING, State.INTERRUPTED, State.PAUSED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Options:
    """How a run behaves.

    ``approved`` says that somebody approved exactly this plan: then more rows or another schema
    stop it before the first change. ``digests`` may be left out for very large tables; a
    rollback then proves the restored rows alone. ``on_run`` is told the run's number in the
    journal before the first change.
    """

    actor: str = ""
    approved: bool = False
    max_rows: int | None = None
    digests: bool = True
    backup: str = ""
    others: Sequence[Reference] = ()
    on_progress: OnProgress = field(default=lambda progress: None)
    stop: Stop = field(default=lambda: None)
    on_run: Callable[[int], None] = field(default=lambda number: None)


def run_repair(
    target: Target, plan: Plan, *, catalog: Catalog, kind: str = "cleanup", options: Options | None = None
) -> RepairResult:
    """Carries out a plan.

    Args:
        target: what to repair.
        plan: what to do.
        catalog: the same that the plan was made with.
        kind: ``cleanup``, ``reassign``, ``deduplicate`` or ``migration``.
        options: see :class:`Options`.

    Returns:
        What was done, also when rows were refused or somebody stopped it.

    Raises:
        RepairRunning: another repair holds the target.
        PlanMismatch, TooManyRows: what would run is not what was approved; nothing was changed.
        MissingPrivilege: the journal cannot be written, or a table not locked or changed.
    """
    options = options or Options()
    if plan.target != target.alias:
        raise PlanMismatch(
            f"The plan is for {plan.target}, not for {target}", hint="Make a plan for this target."
        )
    with held(target), target.changing() as session:
        schema = session.schema()
        references = known_references(schema, catalog, options.others)
        refuse_other(plan, schema, references)
        uniques = known_uniques(schema, catalog)
        limit = options.max_rows if options.max_rows is not None else plan.max_rows
        if options.approved or limit is not None:
            refuse_more_rows(target, plan, references, uniques, limit, approved=options.approved)
        result = RepairResult(target.alias, kind, plan.hash)
        result.promise(plan)
        if not plan.changing_steps:
            result.state = State.FINISHED
            return result
        journal, log = Journal(session), _log_tried_out(session, schema, catalog, plan)
        result.run = _started(session, journal, schema, plan, result, options, log)
        options.on_run(result.run)
        run = _Run(session, journal, schema, references, plan, result, options, log=log, uniques=uniques)
        return run.carry_out()


def resume_repair(
    target: Target, number: int, *, catalog: Catalog, options: Options | None = None
) -> RepairResult:
    """Goes on with a run that was stopped, by the plan that its journal holds.

    Raises:
        UnknownRun: there is no such run, or it is not one to go on with.
        RepairRunning: it is running.
    """
    options = options or Options()
    with held(target), target.changing() as session:
        journal = Journal(session)
        record = journal.run(number)
        if record.state not in _RESUMABLE or record.kind == "rollback":
            raise UnknownRun(
                f"Run {number} is a {record.kind} that is {record.state}: there is nothing to go on with",
                where=target.alias,
                hint="Make a new plan with: manage.py integrity_plan " + target.alias,
            )
        plan = Plan.from_json(record.plan)
        schema = session.schema()
        references = known_references(schema, catalog, options.others)
        refuse_other(plan, schema, references)
        result = _remembered(target, record, plan)
        log = _log_tried_out(session, schema, catalog, plan)
        session.retrying(lambda: journal.note(number, state=str(State.RUNNING), error="", finished_at=None))
        options.on_run(number)
        uniques = known_uniques(schema, catalog)
        run = _Run(session, journal, schema, references, plan, result, options, record.position, log, uniques)
        return run.carry_out()


def list_runs(target: Target) -> list[RunRecord]:
    """Returns the runs of a target's journal, the newest first; one whose process died counts as
    interrupted."""
    with target.changing() as session:
        records = Journal(session).runs()
    if any(record.state is State.RUNNING for record in records):
        with target.engine.hold_target(target, LOCK) as free:
            for record in records:
                if free and record.state is State.RUNNING:
                    record.state = State.INTERRUPTED
    return records


def find_run(target: Target, number: int) -> RunRecord:
    """Returns a run of a target's journal.

    Raises:
        UnknownRun: when it has none of that number.
    """
    with target.changing() as session:
        return Journal(session).run(number)


LOCK = "repair"


@contextmanager
def held(target: Target) -> Iterator[None]:
    """Holds a target for one repair.

    Raises:
        RepairRunning: while another process has it.
    """
    with target.engine.hold_target(target, LOCK) as free:
        if not free:
            raise RepairRunning(
                "A repair of this target is running",
                where=target.alias,
                hint="Wait for its end, or stop it; manage.py integrity_log shows how far it is.",
            )
        yield


@dataclass
class _Run:
    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    plan: Plan
    result: RepairResult
    options: Options
    position: dict[str, object] = field(default_factory=dict)
    log: TargetLog | None = None
    uniques: Sequence[UniqueRule] = ()
    at: str = ""

    def carry_out(self) -> RepairResult:
        begun = time.monotonic()
        try:
            self._steps()
            self._end(State.FINISHED)
        except Interrupted as wish:
            self._end(State.PAUSED if "paused" in wish.what else State.CANCELLED, str(wish))
        except KeyboardInterrupt as error:
            self._give_up(State.INTERRUPTED, "stopped by Ctrl-C")
            what = f"Run {self.result.run} was stopped between two batches"
            raise Interrupted(what, where=self.plan.target, hint=self._resume) from error
        except Exception as error:
            if isinstance(error, ReferentialIntegrityError) and not isinstance(error, PlanMismatch):
                error.hint = f"{error.hint} {self._resume}".strip()
            self._give_up(State.FAILED, str(error))
            raise
        finally:
            self.result.duration_s += time.monotonic() - begun
        return self.result

    @property
    def _resume(self) -> str:
        command = f"manage.py {self._command} {self.plan.target} --resume {self.result.run}"
        if self.result.kind == MIGRATION:
            command = f"manage.py integrity_migrate {self.plan.target}"
        return f"Every finished batch is kept and journaled. Go on with: {command}"

    @property
    def _command(self) -> str:
        return command_for(self.result.kind)

    def _give_up(self, state: State, error: str) -> None:
        """What stopped the run is told, whatever happens while it is written down."""
        with suppress(ReferentialIntegrityError, DatabaseError):
            self._end(state, error)

    def _steps(self) -> None:
        walk = Walk(
            self.session,
            self.journal,
            self.schema,
            self.references,
            self.result.run or 0,
            self.result,
            position=dict(self.position),
            batch=int(str(self.position.get("batch") or 0)),
            max_rows=self.options.max_rows if self.options.max_rows is not None else self.plan.max_rows,
            allowed=allowed_rows(self.plan) if self.options.approved else None,
            stop=self.options.stop,
            progressed=self._progressed,
            log=self.log,
            uniques=self.uniques,
            resume_with=self._command,
        )
        done = int(str(self.position.get("step") or 0))
        for step in self.plan.changing_steps:
            if step.number >= done:
                self.at = step.label
                resolve(walk, step)

    def _progressed(self) -> None:
        touched = sum(tally.touched for tally in self.result.rows.values())
        self.options.on_progress(Progress(min(touched, self.plan.touched), self.plan.touched, self.at))

    def _end(self, state: State, error: str = "") -> None:
        self.result.state = state
        self.result.error = error if state is State.FAILED else ""
        facts = {
            "state": str(state),
            "error": error,
            "rows": {str(table): vars(tally) for table, tally in self.result.rows.items()},
            "refusals": [refusal.as_json() for refusal in self.result.refusals],
            "finished_at": now(),
        }
        if self.session.connection.is_usable():
            self.session.retrying(lambda: self.journal.note(self.result.run or 0, **facts))


def _log_tried_out(session: Session, schema: Schema, catalog: Catalog, plan: Plan) -> TargetLog | None:
    """The target's own log, proved to take entries before the first change; None where it has none."""
    log = TargetLog.of(session, schema, catalog)
    if log is not None:
        log.try_out(plan.blast_radius())
    return log


def _started(
    session: Session,
    journal: Journal,
    schema: Schema,
    plan: Plan,
    result: RepairResult,
    options: Options,
    log: TargetLog | None,
) -> int:
    """Records the run with the state of everything that it will touch, before the first change."""
    moment = now()
    record = RunRecord(
        number=0,
        kind=result.kind,
        state=State.RUNNING,
        plan_hash=plan.hash,
        plan=plan.as_json(),
        structure=schema.structure(),
        actor=options.actor,
        started_at=moment,
        updated_at=moment,
        backup=options.backup,
    )
    if options.digests:
        compared = [name for name in plan.blast_radius() if log is None or name != log.table]
        record.digests = {str(name): digest_of(session, schema, name) for name in compared}

    def work() -> int:
        with session.transaction():
            journal.ensure()
            return journal.start(record)

    return session.retrying(work)


def digest_of(session: Session, schema: Schema, table: TableName) -> str:
    """Returns a table's digest as the journal and a proof write it: ``rows:hashes``.

    It is taken as a reading, so that texts do not depend on the session's settings and no writer
    is kept out.
    """
    session.engine.begin_reading(session)
    try:
        digest = session.engine.digest(session, schema.table(table))
    finally:
        session.engine.rollback(session)
    return f"{digest.rows}:{digest.digest}"


def _remembered(target: Target, record: RunRecord, plan: Plan) -> RepairResult:
    """What a stopped run had done, as its journal says."""
    tables = {str(table): table for table in plan.blast_radius()}
    result = RepairResult(target.alias, record.kind, record.plan_hash, run=record.number)
    result.rows = {tables[name]: Tally(**tally) for name, tally in record.rows.items() if name in tables}
    for tally in result.rows.values():
        tally.refused = 0
    result.promise(plan)
    return result
