"""Taking a run back: exactly, newest batch first, and with a proof."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError

from integrity.audit import Progress
from integrity.database.identifiers import TableName, column
from integrity.database.schema import Schema, fingerprint, without
from integrity.database.session import Session, Target
from integrity.detectors.orphaned_rows import plain
from integrity.exceptions import Interrupted, ReferentialIntegrityError, RollbackRefused, UnknownRun
from integrity.plans.plan import Tally
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.references.resolve import known_references
from integrity.repairs.closure import Disagreement
from integrity.repairs.journal import (
    ACTION,
    BATCH,
    BEFORE,
    IMAGE,
    ORDER,
    REASON,
    SEQ,
    UNDONE,
    Images,
    Journal,
    RunRecord,
    now,
)
from integrity.repairs.restoring import Refused, Restorer
from integrity.repairs.result import Refusal, RollbackResult, State, TableProof
from integrity.repairs.run import Options, digest_of, held
from integrity.repairs.standing import InTheWay, MadeBy, in_the_way

_TAKE_BACK = (
    State.FINISHED, State.FAILED, State.INTERRUPTED, State.RUNNING, State.PAUSED, State.CANCELLED, State.PARTLY_ROLLED_BACK,
)  # fmt: skip
_MOST_REFUSALS = 1_000


@dataclass(frozen=True)
class Selection:
    """Which rows of a run come back: of these tables, through these references, with these keys.

    Empty means all. ``keys`` are primary-key values as text, one tuple a row.
    """

    tables: tuple[TableName, ...] = ()
    references: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.references or self.keys)


def roll_back(
    target: Target,
    number: int,
    *,
    catalog: Catalog,
    unvalidate: bool = False,
    selection: Selection | None = None,
    made_by: MadeBy | None = None,
    reversed_names: Sequence[str] = (),
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
        reversed_names: schema objects that were taken back before: the proof leaves them out.
        options: actor, progress and stop.

    Returns:
        What came back, what was refused, and the proof.

    Raises:
        UnknownRun: no such run, or nothing of it is left to take back.
        RollbackRefused: a foreign key, or a changed schema, stands in the way; nothing was changed.
        RepairRunning: a repair holds the target.
    """
    options = options or Options()
    with held(target), target.changing() as session:
        schema = session.schema()
        journal = Journal(session)
        record = journal.run(number)
        if record.kind == "rollback" or record.state not in _TAKE_BACK:
            raise UnknownRun(
                f"Run {number} is a {record.kind} that is {record.state}: there is nothing to take back",
                where=target.alias,
            )
        references = known_references(schema, catalog, options.others)
        work = _Rollback(session, journal, schema, references, record, selection or Selection(), options)
        work.refuse_other_columns()
        keys = work.standing(made_by or {})
        if keys and not unvalidate:
            raise _refusal(target, number, keys)
        return work.carry_out(keys, tuple(reversed_names))


def _refusal(target: Target, number: int, keys: Sequence[InTheWay]) -> RollbackRefused:
    command = f"manage.py integrity_rollback {target} {number}"
    refused = RollbackRefused(
        "; ".join(map(str, keys)),
        where=target.alias,
        hint=f"Nothing was changed. Either take the migrations back too: {command} --with-migrations; "
        f"or let old rows break the key: {command} --unvalidate.",
    )
    refused.keys = tuple(keys)
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
    result: RollbackResult = field(init=False)

    def __post_init__(self) -> None:
        alias = self.session.target.alias
        self.result = RollbackResult(alias, "rollback", self.record.plan_hash, of=self.record.number)
        self.images = [each for each in self.journal.tables(self.record.number) if self._wanted(each.table)]

    def _wanted(self, table: TableName) -> bool:
        return not self.selection.tables or table in self.selection.tables

    def refuse_other_columns(self) -> None:
        """Rows cannot come back into a table that is gone or lost a column."""
        for images in self.images:
            table = self.schema.tables.get(images.table)
            lost = [name for name in images.columns if table is None or name not in table.column_names]
            if lost:
                raise RollbackRefused(
                    f"{images.table} no longer has {', '.join(lost) if table else 'its table'}",
                    where=self.session.target.alias,
                    hint=f"The rows are still in {images.name}: copy them from there.",
                )

    def standing(self, made_by: MadeBy) -> list[InTheWay]:
        """The foreign keys in the way of what would come back."""
        chosen = {each: self._chosen(each, "c") for each in self.images}
        literal = {each: sql for each, (sql, params) in chosen.items() if not params}
        if len(literal) < len(chosen):
            literal = {each: self._numbered(each) for each in chosen}
        return in_the_way(self.session, self.schema, self.record, self.images, made_by, literal)

    def _numbered(self, images: Images) -> str:
        """A selection by its journal numbers, where its keys would need parameters."""
        where, params = self._chosen(images, "c")
        rows = self.session.rows(f"SELECT c.{SEQ} FROM {images.sql} c WHERE {where}", params)
        return self.journal.seqs([row[0] for row in rows], "c").sql

    def _chosen(self, images: Images, alias: str) -> tuple[str, list[Any]]:
        parts = [f"{alias}.{UNDONE} IS NULL", f"{alias}.{IMAGE} = '{BEFORE}'"]
        params: list[Any] = []
        if self.selection.references:
            parts.append(f"{alias}.{REASON} IN ({', '.join(['%s'] * len(self.selection.references))})")
            params += self.selection.references
        if self.selection.keys:
            key = self.schema.table(images.table).primary_key
            names = key.columns if key else images.columns[:1]
            one = " AND ".join(f"CAST({column(name, alias)} AS text) = %s" for name in names)
            given = [each for each in self.selection.keys if len(each) == len(names)]
            parts.append("(" + (" OR ".join([f"({one})"] * len(given)) or "1 = 0") + ")")
            params += [value for each in given for value in each]
        return " AND ".join(parts), params

    # -- carrying out ----------------------------------------------------------------------

    def carry_out(self, keys: Sequence[InTheWay], reversed_names: tuple[str, ...]) -> RollbackResult:
        begun = time.monotonic()
        total = self._left()
        if not total:
            raise UnknownRun(
                f"Nothing of run {self.record.number} is left to take back as asked",
                where=self.session.target.alias,
                hint="manage.py integrity_log shows what it did and what came back.",
            )
        self.result.run = self._start()
        try:
            self._batches(keys, total)
            self._prove(keys, reversed_names)
            self._end(State.FINISHED)
        except (Exception, KeyboardInterrupt) as error:
            self._end(State.INTERRUPTED if isinstance(error, KeyboardInterrupt) else State.FAILED, str(error))
            if isinstance(error, KeyboardInterrupt):
                raise self._interrupted() from error
            raise
        finally:
            self.result.duration_s = time.monotonic() - begun
        return self.result

    def _interrupted(self) -> Interrupted:
        return Interrupted(
            "The rollback was stopped between two batches",
            where=self.session.target.alias,
            hint=f"What came back stays. Go on with: manage.py integrity_rollback {self.session.target} {self.record.number}",
        )

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
        total = 0
        for images in self.images:
            where, params = self._chosen(images, "c")
            total += int(self.session.value(f"SELECT count(*) FROM {images.sql} c WHERE {where}", params))
        return total + sum(len(seqs) for images in self.images for seqs in self._made(images).values())

    def _batches(self, keys: Sequence[InTheWay], total: int) -> None:
        with ExitStack() as whole:
            if keys:
                whole.enter_context(self.session.transaction())
                whole.enter_context(self.session.engine.lifted(self.session, [each.key for each in keys]))
            part = self.session.nested if keys else self.session.transaction
            numbers = sorted(
                {number for images in self.images for number in self._numbers(images)}, reverse=True
            )
            for number in numbers:
                if self.options.stop():
                    raise self._interrupted()
                self._batch(number, part)
                self.options.on_progress(Progress(min(self._done(), total), total))

    def _done(self) -> int:
        return sum(tally.restored + tally.deleted + tally.refused for tally in self.result.rows.values())

    def _numbers(self, images: Images) -> list[int]:
        sql = f"SELECT DISTINCT {BATCH} FROM {images.sql} WHERE {UNDONE} IS NULL"
        return [row[0] for row in self.session.rows(sql)]

    def _batch(self, number: int, part: Callable[[], AbstractContextManager[None]]) -> None:
        """Deleted rows in (parents first), updated rows back (last first), made rows out."""
        for images, order in self._groups(number, "delete", "ASC"):
            self._restore(images, number, order, "delete", part)
        for images, order in self._groups(number, "update", "DESC"):
            self._restore(images, number, order, "update", part)
        for images in self.images:
            made = self._made(images).get(number)
            if made and not self.selection:
                self._attempt(images, made, "insert", part)

    def _groups(self, number: int, action: str, direction: str) -> list[tuple[Images, int]]:
        found: list[tuple[int, Images]] = []
        for images in self.images:
            sql = (
                f"SELECT DISTINCT {ORDER} FROM {images.sql} WHERE {BATCH} = %s AND {ACTION} = %s "
                f"AND {IMAGE} = '{BEFORE}' AND {UNDONE} IS NULL"
            )
            found += [(row[0], images) for row in self.session.rows(sql, [number, action])]
        ordered = sorted(found, key=lambda each: each[0], reverse=direction == "DESC")
        return [(images, order) for order, images in ordered]

    def _restore(
        self,
        images: Images,
        number: int,
        order: int,
        action: str,
        part: Callable[[], AbstractContextManager[None]],
    ) -> None:
        where, params = self._chosen(images, "c")
        sql = (
            f"SELECT c.{SEQ} FROM {images.sql} c WHERE {where} AND c.{BATCH} = %s AND c.{ORDER} = %s "
            f"AND c.{ACTION} = %s ORDER BY c.{SEQ}"
        )
        seqs = [row[0] for row in self.session.rows(sql, [*params, number, order, action])]
        for at in range(0, len(seqs), 5_000):
            self._attempt(images, seqs[at : at + 5_000], action, part)

    def _made(self, images: Images) -> dict[int, list[int]]:
        """Rows that the repair made, by batch."""
        sql = f"SELECT {BATCH}, {SEQ} FROM {images.sql} WHERE {ACTION} = 'insert' AND {UNDONE} IS NULL"
        found: dict[int, list[int]] = {}
        if not self.selection:
            for number, seq in self.session.rows(sql):
                found.setdefault(number, []).append(seq)
        return found

    # -- one group of rows -----------------------------------------------------------------

    def _attempt(
        self, images: Images, seqs: list[int], action: str, part: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Restores rows together, or in halves down to single rows when something forbids it."""
        restorer = Restorer(self.session, self.journal, self.schema, self.references, images)

        def work() -> list[Refused]:
            with part(), self._quiet(restorer):
                refused = {"delete": restorer.insert, "update": restorer.revert, "insert": restorer.remove}[
                    action
                ](seqs)
                left = {each.seq for each in refused}
                self.journal.undo(images, [seq for seq in seqs if seq not in left], self.result.run or 0)
            return refused

        try:
            refused = self.session.retrying(work)
        except (Disagreement, DatabaseError) as error:
            if not self.session.connection.is_usable():
                raise
            if len(seqs) > 1:
                middle = len(seqs) // 2
                self._attempt(images, seqs[:middle], action, part)
                self._attempt(images, seqs[middle:], action, part)
                return
            reason = error.what if isinstance(error, ReferentialIntegrityError) else str(error).strip()
            refused = [Refused(seqs[0], reason)]
        self._count(restorer, len(seqs), refused, action)

    @contextmanager
    def _quiet(self, restorer: Restorer) -> Iterator[None]:
        """No trigger of the users acts on rows that come back."""
        with ExitStack() as stack:
            for leaf in self.schema.leaves(restorer.table.name):
                stack.enter_context(self.session.engine.suppress_triggers(self.session, leaf))
            yield

    def _count(self, restorer: Restorer, rows: int, refused: Sequence[Refused], action: str) -> None:
        table = restorer.images.table
        tally: Tally = self.result.tally(table)
        tally.refused += len(refused)
        if action == "insert":
            tally.deleted += rows - len(refused)
        else:
            tally.restored += rows - len(refused)
            self.result.proof.tables.setdefault(table, TableProof()).restored += rows - len(refused)
        for each in refused[: _MOST_REFUSALS - len(self.result.refusals)]:
            key = {name: plain(value) for name, value in restorer.key(each.seq).items()}
            self.result.refusals.append(Refusal(table, key, each.reason))

    # -- the proof -------------------------------------------------------------------------

    def _prove(self, keys: Sequence[InTheWay], reversed_names: tuple[str, ...]) -> None:
        """Compares every touched table, and the structure, with what the run's journal recorded."""
        proof = self.result.proof
        names = {*reversed_names, *(each.key.name for each in keys)}
        after = self.session.schema()
        proof.schema_before = fingerprint(without(self.record.structure, names))
        proof.schema_after = fingerprint(without(as_recorded(after), names))
        known = {str(name): name for name in after.tables}
        for text, digest in self.record.digests.items():
            if text in known:
                table = proof.tables.setdefault(known[text], TableProof())
                table.digest_before = digest
                table.digest_after = digest_of(self.session, after, known[text])

    def _end(self, state: State, error: str = "") -> None:
        self.result.state = state
        if not self.session.connection.is_usable():
            return
        facts = {
            "rows": {str(table): vars(tally) for table, tally in self.result.rows.items()},
            "refusals": [refusal.as_json() for refusal in self.result.refusals],
            "finished_at": now(),
            "error": error,
        }
        self.journal.update(self.result.run or 0, state=str(state), **facts)
        left = any(self._anything_left(images) for images in self.journal.tables(self.record.number))
        after = State.PARTLY_ROLLED_BACK if left else State.ROLLED_BACK
        if self._done() or not left:
            self.journal.update(self.record.number, state=str(after))

    def _anything_left(self, images: Images) -> bool:
        sql = (
            f"SELECT EXISTS (SELECT 1 FROM {images.sql} WHERE {UNDONE} IS NULL "
            f"AND ({IMAGE} = '{BEFORE}' OR {ACTION} = 'insert'))"
        )
        return bool(self.session.value(sql))


def as_recorded(schema: Schema) -> dict[str, Any]:
    """A structure as it is after a trip through JSON, as the journal's is."""
    return dict(json.loads(json.dumps(schema.structure())))
