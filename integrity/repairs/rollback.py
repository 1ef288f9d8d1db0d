"""Taking a run back: exactly, newest batch first, and with a proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

from django.db import DatabaseError

from integrity.audit import Progress
from integrity.database.schema import Schema
from integrity.database.session import Session, Target
from integrity.exceptions import (
    CatalogError,
    Interrupted,
    ReferentialIntegrityError,
    RollbackRefused,
    UnknownRun,
)
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.references.resolve import catalog_reference, known_references
from integrity.repairs.journal import Journal, RunRecord, now
from integrity.repairs.obstacles import Obstacles
from integrity.repairs.proving import prove
from integrity.repairs.result import RollbackResult, State
from integrity.repairs.run import Options, held
from integrity.repairs.selection import Chosen, Selection
from integrity.repairs.standing import InTheWay, MadeBy
from integrity.repairs.standing_uniques import UniqueInTheWay
from integrity.repairs.taking_back import TakingBack
from integrity.repairs.target_log import TargetLog

TAKEN_BACK = (
    State.FINISHED,
    State.FAILED,
    State.INTERRUPTED,
    State.RUNNING,
    State.PAUSED,
    State.CANCELLED,
    State.PARTLY_ROLLED_BACK,
)


def roll_back(
    target: Target,
    number: int,
    *,
    catalog: Catalog,
    unvalidate: bool = False,
    selection: Selection | None = None,
    made_by: MadeBy | None = None,
    options: Options | None = None,
) -> RollbackResult:
    """Takes back what a run did.

    Args:
        target: the repaired target.
        number: the run, as its journal numbers it.
        catalog: what should hold in the target.
        unvalidate: let rows come back as orphans under foreign keys that stand; these bind new
            rows only afterwards.
        selection: only some rows; all when None or empty.
        made_by: which migration made which foreign key, for the message.
        options: actor, progress and stop.

    Returns:
        What came back, what was refused, and the proof.

    Raises:
        UnknownRun: no such run, or nothing of it is left to take back.
        RollbackRefused: a foreign key, a unique or a changed schema stands in the way; nothing was changed.
        RepairRunning: a repair holds the target.
    """
    options = options or Options()
    with held(target), target.changing() as session:
        work = _work(session, number, catalog, selection or Selection(), options)
        keys = work.unobstructed(made_by or {}, unvalidate=unvalidate)
        return work.carry_out(keys)


def _work(
    session: Session, number: int, catalog: Catalog, selection: Selection, options: Options
) -> _Rollback:
    schema, journal = session.schema(), Journal(session)
    record = journal.run(number)
    if record.kind == "rollback" or record.state not in TAKEN_BACK:
        raise UnknownRun(
            f"Run {number} is a {record.kind} that is {record.state}: there is nothing to take back",
            where=session.target.alias,
        )
    references = usable_references(schema, catalog, options.others)
    log = TargetLog.of_rollback(session, schema, catalog)
    return _Rollback(session, journal, schema, references, record, selection, options, log)


def usable_references(schema: Schema, catalog: Catalog, others: Sequence[Reference]) -> list[Reference]:
    """The references that still make sense: the journal is enough to roll back, whatever the catalog says."""
    usable = []
    for entry in catalog.references:
        with suppress(CatalogError):
            catalog_reference(schema, catalog, entry)
            usable.append(entry)
    return known_references(schema, replace(catalog, references=tuple(usable)), others)


def _refusal(target: Target, number: int, found: Sequence[InTheWay | UniqueInTheWay]) -> RollbackRefused:
    command = f"manage.py integrity_rollback {target} {number}"
    hint = f"Either take the migrations back too: {command} --with-migrations; "
    hint += f"or let old rows break the key: {command} --unvalidate."
    if any(isinstance(each, UniqueInTheWay) for each in found):
        hint = f"Take the migrations back too: {command} --with-migrations; or drop the unique. "
        hint += "No unique can let old rows break it, so --unvalidate does not help."
    keys = tuple(found)
    refused = RollbackRefused(
        "; ".join(map(str, found)), where=target.alias, hint=f"Nothing was changed. {hint}"
    )
    refused.keys = keys
    return refused


@dataclass
class _Rollback:
    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    record: RunRecord
    selection: Selection
    options: Options
    log: TargetLog | None = None
    result: RollbackResult = field(init=False)

    def __post_init__(self) -> None:
        alias = self.session.target.alias
        self.result = RollbackResult(alias, "rollback", self.record.plan_hash, of=self.record.number)
        everything = self.journal.tables(self.record.number)
        self.images = [each for each in everything if self.selection.wants(each.table)]
        self.chosen = Chosen(self.session, self.schema, self.selection)

    def unobstructed(self, made_by: MadeBy, *, unvalidate: bool) -> list[InTheWay]:
        """Returns the foreign keys under which the rows come back, where that is wanted.

        Raises:
            RollbackRefused: something stands in the way.
        """
        obstacles = Obstacles(self.session, self.schema, self.record, self.images, self.chosen)
        obstacles.refuse_other_columns()
        keys, uniques = obstacles.standing(made_by), obstacles.standing_uniques(made_by)
        if uniques or (keys and not unvalidate):
            raise _refusal(self.session.target, self.record.number, [*uniques, *keys])
        obstacles.refuse_converted()
        return keys

    # -- carrying out ----------------------------------------------------------------------

    def carry_out(self, keys: Sequence[InTheWay]) -> RollbackResult:
        begun = time.monotonic()
        total = self._left()
        if not total and not self._was_cut_off():
            raise UnknownRun(
                f"Nothing of run {self.record.number} is left to take back as asked",
                where=self.session.target.alias,
                hint="manage.py integrity_log shows what it did and what came back.",
            )
        if self.log is not None:
            self.log.try_out(images.table for images in self.images)
        self.result.run = self.session.retrying(self._start)
        self.options.on_run(self.result.run)
        try:
            self._batches(keys, total)
            prove(self.session, self.record, self.result.proof, {each.key.name for each in keys})
            left = self.journal.tables(self.record.number)
            self.result.proof.partial = any(self.chosen.anything_left(each) for each in left)
            self._end(State.FINISHED)
        except KeyboardInterrupt as error:
            self._give_up(State.INTERRUPTED, "stopped by Ctrl-C")
            raise self._interrupted() from error
        except Exception as error:
            if isinstance(error, ReferentialIntegrityError) and not isinstance(error, Interrupted):
                error.hint = f"{error.hint} {self._go_on(keys)}".strip()
            self._give_up(State.INTERRUPTED if isinstance(error, Interrupted) else State.FAILED, str(error))
            raise
        finally:
            self.result.duration_s = time.monotonic() - begun
        return self.result

    def _was_cut_off(self) -> bool:
        """Whether a rollback of this run brought everything back, and ended before it could say so."""
        if self.selection or any(self.chosen.anything_left(each) for each in self.images):
            return False
        return any(each.of == self.record.number for each in self.journal.runs())

    def _interrupted(self) -> Interrupted:
        return Interrupted(
            "The rollback was stopped between two batches",
            where=self.session.target.alias,
            hint=self._go_on(),
        )

    def _go_on(self, keys: Sequence[InTheWay] = ()) -> str:
        """How to come to the end of it; under keys that stand, one transaction holds all of it."""
        stands = "No row came back" if keys and not self.result.rows else "What came back stays"
        command = f"manage.py integrity_rollback {self.session.target} {self.record.number}"
        return f"{stands}. Go on with: {command}, and the options that you gave."

    def _start(self) -> int:
        moment = now()
        record = RunRecord(
            number=0,
            kind="rollback",
            state=State.RUNNING,
            plan_hash=self.record.plan_hash,
            plan={},
            structure=self.schema.structure(),
            actor=self.options.actor,
            started_at=moment,
            updated_at=moment,
            of=self.record.number,
        )
        with self.session.transaction():
            return self.journal.start(record)

    def _left(self) -> int:
        made = sum(len(seqs) for images in self.images for seqs in self.chosen.made(images).values())
        return made + sum(self.chosen.count(images) for images in self.images)

    def _batches(self, keys: Sequence[InTheWay], total: int) -> None:
        work = TakingBack(
            self.session,
            self.journal,
            self.schema,
            self.references,
            self.images,
            self.chosen,
            self.result,
            self.log,
        )
        found = {number for images in self.images for number in self.chosen.batches(images)}
        with ExitStack() as whole:
            if keys:
                whole.push(self._forget)
                whole.enter_context(self.session.transaction())
                lifted = self.session.engine.lifted(self.session, self.schema, [each.key for each in keys])
                whole.enter_context(lifted)
            for number in sorted(found, reverse=True):
                if self.options.stop():
                    raise self._interrupted()
                work.batch(number, self.session.nested if keys else self.session.transaction)
                self.options.on_progress(Progress(min(self._done(), total), total))

    def _forget(self, kind: object, error: object, trace: object) -> None:
        """Where one transaction held everything and was given up, nothing came back."""
        if kind is not None:
            self.result.rows.clear()
            self.result.proof.tables.clear()

    def _done(self) -> int:
        return sum(tally.restored + tally.deleted + tally.refused for tally in self.result.rows.values())

    # -- writing down ----------------------------------------------------------------------

    def _give_up(self, state: State, error: str) -> None:
        """What stopped the rollback is told, whatever happens while it is written down."""
        with suppress(ReferentialIntegrityError, DatabaseError):
            self._end(state, error)

    def _end(self, state: State, error: str = "") -> None:
        self.result.state = state
        if self.session.connection.is_usable():
            self.session.retrying(lambda: self._write(state, error))

    def _write(self, state: State, error: str) -> None:
        facts = {
            "rows": {str(table): vars(tally) for table, tally in self.result.rows.items()},
            "refusals": [refusal.as_json() for refusal in self.result.refusals],
            "finished_at": now(),
            "error": error,
        }
        self.journal.note(self.result.run or 0, state=str(state), **facts)
        left = any(self.chosen.anything_left(each) for each in self.journal.tables(self.record.number))
        if not left:
            self.journal.note(self.record.number, state=str(State.ROLLED_BACK))
        elif any(tally.restored + tally.deleted for tally in self.result.rows.values()):
            self.journal.note(self.record.number, state=str(State.PARTLY_ROLLED_BACK))
