"""One batch of a deduplication: rows journaled, re-pointed, renamed and taken out, turn by turn.

The journal counts a batch's turns downwards from -1, whatever is done in them, so that a rollback that
goes upwards does exactly the reverse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Table
from integrity.plans.duplicate_steps import DuplicateStep
from integrity.plans.merging import Part
from integrity.plans.row_reading import Row, Rows
from integrity.plans.steps import Change
from integrity.references.orphans import orphaned
from integrity.references.uniques import Duplicates
from integrity.repairs.batch import Counts
from integrity.repairs.changing import Changing
from integrity.repairs.closure import Disagreement
from integrity.repairs.journal import AFTER
from integrity.repairs.ordering import Turn, turns
from integrity.repairs.updating import Assignment, update_rows

_AT_ONCE = 200
"""How many different values one statement assigns."""


@dataclass
class MergedBatch:
    """The work of one transaction; made anew for each. ``own`` counts the step's own rows."""

    rows: Rows
    step: DuplicateStep
    work: Changing
    counts: Counts = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    own: int = 0
    _order: int = -1

    def carry_out(self, parts: Sequence[Part]) -> None:
        """Changes everything that some parts say.

        Raises:
            Disagreement: something forbids it, or a trigger or rule keeps a row from changing.
        """
        for turn in turns(self.rows, parts):
            if turn.deletes:
                self._delete(turn)
            else:
                self._update(turn)
        self.own = sum(len(group.others) for part in parts for group in part.groups)

    # -- taking out ------------------------------------------------------------------------

    def _delete(self, turn: Turn) -> None:
        captured = []
        for reason, some in _by_reason(turn.rows, self.step.label):
            table, locators = self.rows.table_of(some[0]), [row.place[1] for row in some]
            captured.append(self.work.capture(turn.leaf, table, locators, "delete", reason, self._order))
            self.counts[table][Change.DELETE] += len(some)
        self.work.delete(captured)
        self._order -= 1

    # -- changing --------------------------------------------------------------------------

    def _update(self, turn: Turn) -> None:
        by_columns: dict[tuple[str, ...], list[Row]] = {}
        for row in turn.rows:
            by_columns.setdefault(tuple(sorted(row.new)), []).append(row)
        for names, some in by_columns.items():
            for reason, rows in _by_reason(some, self.step.label):
                for start in range(0, len(rows), _AT_ONCE):
                    self._assign(turn.leaf, names, rows[start : start + _AT_ONCE], reason)

    def _assign(self, leaf: Table, names: tuple[str, ...], rows: Sequence[Row], reason: str) -> None:
        table = self.rows.table_of(rows[0])
        locators = [row.place[1] for row in rows]
        captured = self.work.capture(leaf, table, locators, "update", reason, self._order)
        facts = self.work.facts(AFTER, "update", reason, self._order)
        assignments = [self._assignment(leaf, name, rows) for name in names]
        done = update_rows(self.work.session, self.work.journal, captured, assignments, facts)
        if done.changed != len(rows) or len(done.locators) != len(rows):
            raise Disagreement(
                f"{len(rows):,} rows of {leaf.name} were selected, {done.changed:,} updated and "
                f"{len(done.locators):,} found again: a trigger or rule of the table acts on them"
            )
        self._refuse_orphans(leaf, rows, done.locators)
        self.counts[table][self._change(rows[0])] += len(rows)
        self._order -= 1

    def _assignment(self, leaf: Table, name: str, rows: Sequence[Row]) -> Assignment:
        """One value for all of them, or each its own by where it stands."""
        engine = self.work.session.engine
        given = engine.assigned(leaf.column(name))
        values = [row.new[name] for row in rows]
        if all(value == values[0] and type(value) is type(values[0]) for value in values):
            return Assignment(name, None, given, (values[0],))
        cases = " ".join([f"WHEN %s THEN {given}"] * len(rows))
        params: list[Any] = []
        for row, value in zip(rows, values, strict=True):
            params += [row.place[1], value]
        return Assignment(name, None, f"CASE {engine.locator(leaf)} {cases} END", tuple(params))

    def _refuse_orphans(self, leaf: Table, rows: Sequence[Row], locators: Sequence[Any]) -> None:
        """What was re-pointed refers to something: else a trigger changed it again."""
        numbers = {number for row in rows for number in row.parents if self._repointed(row, number)}
        for number in numbers:
            reference = self.rows.references[number]
            where = self.work.session.engine.located(leaf, locators)
            where = where & orphaned(self.work.session.engine, self.work.schema, reference)
            if self.work.count(leaf, where):
                raise Disagreement(f"Rows of {leaf.name} would be orphans after it ({reference.label})")

    def _repointed(self, row: Row, number: int) -> bool:
        """Whether what a row refers to is there already: a value that is still to change is not."""
        reference = self.rows.references[number]
        moved = set(row.new) & set(reference.columns)
        targets = [parent.into or parent for parent in row.parents[number]]
        return bool(moved) and not any(set(each.new) & set(reference.referenced_columns) for each in targets)

    def _change(self, row: Row) -> Change:
        if self.step.action is Duplicates.RENAME:
            return Change.RENAME
        return Change.FILL if row.filled and not row.parents else Change.REPOINT


def _by_reason(rows: Sequence[Row], otherwise: str) -> Iterator[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.reason or otherwise, []).append(row)
    yield from found.items()


def locked_tables(rows: Rows, step: DuplicateStep) -> list[TableName]:
    """The tables that others may not write while a batch is at work: where new values are given, and
    where rows could appear that refer to one that goes, and nothing would keep them out."""
    if step.action is Duplicates.RENAME:
        return [step.table]
    reached = rows.reached(step.table).values()
    free = [each for each in reached if each.declared is None or not each.declared.enforced]
    return sorted({each.table for each in free})
