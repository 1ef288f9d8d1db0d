"""Carries out a step that resolves duplicates: group by group, whole or not at all, until none is left.

Every pass looks at all groups at one moment, and then does them batch by batch: each batch locks its rows,
looks again at what they are by then, and works out anew what follows from them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import DatabaseError

from integrity.detectors.orphaned_rows import plain
from integrity.plans.duplicate_measuring import parts_of, rows_for
from integrity.plans.duplicate_steps import DuplicateStep
from integrity.plans.groups import Group, find_again, find_groups, of_values, value_of
from integrity.plans.merging import Part
from integrity.plans.row_reading import Row, Rows, RowsMoved
from integrity.plans.steps import KeyTexts
from integrity.references.uniques import UniqueRule
from integrity.repairs.batch import Counts
from integrity.repairs.changing import Changing
from integrity.repairs.closure import Disagreement
from integrity.repairs.merged_batch import MergedBatch, locked_tables
from integrity.repairs.refusing import MOST_REFUSALS, reason
from integrity.repairs.result import Refusal
from integrity.repairs.walk import Walk

_MOST_PASSES = 20
_MOST_LOOKS = 5


def deduplicate(walk: Walk, step: DuplicateStep, uniques: Sequence[UniqueRule]) -> None:
    """Carries out a step.

    Raises:
        Interrupted: somebody asked for it; all finished batches stay.
        TooManyRows: more rows than approved; all finished batches stay.
    """
    same = walk.position.get("step") == step.number
    taken = int(walk.position.get("taken", 0)) if same else 0
    work = _Deduplicating(walk, step, uniques)
    walk.taken, walk.position = taken, {"step": step.number, "taken": taken}
    for _ in range(_MOST_PASSES):
        before = walk.touched
        left = work.whole_pass()
        if not left or walk.touched == before:
            break
    walk.refusals.end_step()


@dataclass
class _Deduplicating:
    walk: Walk
    step: DuplicateStep
    uniques: Sequence[UniqueRule]
    refused: set[KeyTexts] = field(default_factory=set)

    def whole_pass(self) -> bool:
        """Does every group that is there now; returns whether some were left for another pass."""
        parts = self._look()
        for part in parts:
            if part.problem:
                self._refuse(part, part.problem)
        waiting = [part for part in parts if not part.problem]
        for batch in self._batches(waiting):
            self.walk.heed()
            begun = time.monotonic()
            self._attempt(batch)
            self.walk.pace.learn(time.monotonic() - begun)
            self.walk.progressed()
        return bool(waiting)

    def _look(self) -> list[Part]:
        """All groups and what follows from them, at one moment and without locks."""
        with _reading(self.walk):
            rows = self._rows(locking=False)
            groups = of_values(self.step.rule, find_groups(rows, self.step.rule), self.step.values)
            groups = [group for group in groups if self._value(group) not in self.refused]
            return parts_of(rows, self.step, groups) if groups else []

    def _rows(self, *, locking: bool) -> Rows:
        walk = self.walk
        return rows_for(walk.session, walk.schema, walk.references, self.uniques, self.step, locking=locking)

    def _value(self, group: Group) -> KeyTexts:
        return value_of(self.step.rule, group.survivor)

    def _batches(self, parts: Sequence[Part]) -> Iterator[list[Part]]:
        """As many parts as a batch should have rows, one of any size at least; no more than approved."""
        batch: list[Part] = []
        for part in parts:
            if self.walk.allowed is not None and self._own([*batch, part]) > self._room():
                break
            if batch and sum(each.size for each in batch) + part.size > self.walk.pace.rows:
                yield batch
                batch = []
            batch.append(part)
        if batch:
            yield batch

    def _own(self, parts: Sequence[Part]) -> int:
        return sum(len(group.others) for part in parts for group in part.groups)

    def _room(self) -> int:
        """How many more of the step's own rows may change: new ones were not approved."""
        return self.step.rows - self.walk.taken

    # -- one batch -------------------------------------------------------------------------

    def _attempt(self, parts: Sequence[Part]) -> None:
        """One batch, or halves of it down to single parts where something forbids it."""
        try:
            self._locked(parts)
        except (Disagreement, DatabaseError) as error:
            if not self.walk.session.connection.is_usable():
                raise
            if len(parts) == 1:
                self._refuse(parts[0], error)
                return
            middle = len(parts) // 2
            self._attempt(parts[:middle])
            self._attempt(parts[middle:])

    def _locked(self, parts: Sequence[Part]) -> None:
        """Another look where rows moved between lock and look; who never stands still is left for later."""
        for attempt in range(_MOST_LOOKS):
            try:
                problems, counts, number, own = self.walk.session.retrying(lambda: self._batch(parts))
            except RowsMoved:
                time.sleep(0.05 * attempt)
                continue
            self.walk.committed(counts, number, own)
            for part in problems:
                self._refuse(part, part.problem)
            return

    def _batch(self, parts: Sequence[Part]) -> tuple[list[Part], Counts, int, int]:
        walk, number = self.walk, self.walk.batch + 1
        with walk.changing():
            rows = self._rows(locking=True)
            tables = [walk.schema.table(name) for name in locked_tables(rows, self.step)]
            walk.session.engine.lock_referenced(walk.session, tables, tables)
            wanted = [group for part in parts for group in part.groups]
            groups = find_again(rows, self.step.rule, wanted)
            fresh = parts_of(rows, self.step, groups) if groups else []
            work = Changing(walk.session, walk.journal, walk.schema, walk.run, self.step.number, number)
            batch = MergedBatch(rows, self.step, work)
            batch.carry_out([part for part in fresh if not part.problem])
            if batch.own:
                walk.write(batch.counts, number, batch.own)
        return [part for part in fresh if part.problem], batch.counts, number, batch.own

    def _refuse(self, part: Part, error: Exception | str) -> None:
        """The rows of a part's groups stay as they are."""
        walk, table = self.walk, self.step.table
        for group in part.groups:
            if self._value(group) in self.refused:
                continue
            self.refused.add(self._value(group))
            walk.result.tally(table).refused += len(group.others)
            for row in group.others:
                if len(walk.result.refusals) < MOST_REFUSALS:
                    walk.result.refusals.append(Refusal(table, _key(row), reason(error)))


def _key(row: Row) -> dict[str, object]:
    """What people call a row: its primary key, or where it stands."""
    names = row.leaf.primary_key.columns if row.leaf.primary_key else ()
    return {name: plain(row.values[name]) for name in names} or {"row": plain(row.place[1])}


@contextmanager
def _reading(walk: Walk) -> Iterator[None]:
    """One moment to look at, on the connection that changes; another attempt while it is busy."""
    engine, session = walk.session.engine, walk.session
    try:
        engine.begin_reading(session)
        with session.look():
            yield
    finally:
        engine.rollback(session)
