"""One batch: rows locked, journaled with all that follows from them, and changed leaf first.

Nothing acts by itself. Rows that a CASCADE, SET NULL or SET DEFAULT would touch are found
through every known reference, enforced or not, captured like the orphans themselves, and
changed before what they refer to goes. When anything does not agree, the batch is given up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.exceptions import PlanRefused
from integrity.plans.columns import columns_set_null
from integrity.plans.following import leaf_first
from integrity.plans.plan import Change, Step
from integrity.plans.relinking import new_value
from integrity.plans.scope import key_text
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference
from integrity.repairs.changing import Changing
from integrity.repairs.closure import Closure, Disagreement, TooManyFollow, referring
from integrity.repairs.journal import AFTER, Captured, Journal
from integrity.repairs.updating import Assignment, update_rows

Counts = dict[TableName, dict[Change, int]]


@dataclass(frozen=True)
class Piece:
    """Rows of ``leaf`` for which ``where`` holds, found through ``reference``, and what becomes of them."""

    reference: Reference
    leaf: Table
    where: Predicate
    change: Change
    most: int


@dataclass
class Batch:
    """The work of one transaction; made anew for each.

    ``most`` is how many rows may follow before they must go first, None where there is no limit;
    ``orphans`` says which rows the step is about, and ``own`` counts those that were changed.
    """

    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    run: int
    number: int
    step: Step
    orphans: Predicate
    most: int | None = 10_000
    own: int = 0
    counts: Counts = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    _order: int = 0

    @property
    def _work(self) -> Changing:
        return Changing(self.session, self.journal, self.schema, self.run, self.step.number, self.number)

    def carry_out(self, piece: Piece, locators: Sequence[Locator]) -> int:
        """Changes the locked rows of a piece that still are what they were, and all that follows.

        Returns:
            How many of them: some may have changed while their locks were waited for.

        Raises:
            Disagreement: something forbids it, or a trigger or rule keeps a row from changing.
            TooManyFollow: what follows must go first.
        """
        closure = self._closure()
        still = self.session.engine.located(piece.leaf, locators) & piece.where
        held = closure.claimed(piece.leaf, still, len(locators))
        if not held:
            return 0
        if piece.change is Change.DELETE:
            self._spread(closure, piece.reference, [(piece.leaf, held)])
        else:
            own = piece.reference.sides == self.step.reference.sides
            wrong = orphaned(self.session.engine, self.schema, self.step.reference) if own else piece.where
            self._update(piece.reference, piece.leaf, held, piece.change, wrong)
        return len(held)

    def delete_together(self, rows: Sequence[tuple[Table, Sequence[Locator]]]) -> int:
        """Deletes orphans that forbid one another unless they go at once.

        Args:
            rows: each table that holds some of them, with these.

        Returns:
            How many of them still are what they were.

        Raises:
            Disagreement: something forbids it by now.
        """
        closure, held = self._closure(), []
        for leaf, locators in rows:
            still = self.session.engine.located(leaf, locators) & self.orphans
            held.append((leaf, closure.claimed(leaf, still, len(locators))))
        self._spread(closure, self.step.reference, [(leaf, found) for leaf, found in held if found])
        return sum(len(found) for _, found in held)

    def _spread(
        self, closure: Closure, reference: Reference, rows: Sequence[tuple[Table, Sequence[Locator]]]
    ) -> None:
        closure.spread(reference, rows)
        self._ends(closure)
        self._delete(closure)

    def _closure(self) -> Closure:
        return Closure(
            self.session, self.schema, self.references, self.step.reference, self.orphans, self.most
        )

    # -- where deletion ends ---------------------------------------------------------------

    def _ends(self, closure: Closure) -> None:
        """Sets NULL or the default where rows that stay refer to rows that go."""
        for level in closure.levels:
            for change in (Change.SET_NULL, Change.SET_DEFAULT):
                for reference, leaf in closure.referring(change, level.leaf):
                    where = referring(self.session, self.schema, reference, level.leaf, level.locators)
                    found = closure.claimed(leaf, where, self.most or 10_000_000)
                    if self.most is not None and len(found) >= self.most:
                        raise TooManyFollow(reference, leaf, where)
                    if found:
                        self._update(reference, leaf, found, change, where)

    def _update(
        self, reference: Reference, leaf: Table, held: Sequence[Locator], change: Change, wrong: Predicate
    ) -> None:
        """Journals and updates locked rows; afterwards ``wrong`` must hold for none of them."""
        assignments = self._assignments(reference, leaf, change, held)
        self._refuse_referenced(leaf, held, {each.column for each in assignments})
        captured = self._capture(leaf, held, reference, "update")
        facts = self._work.facts(AFTER, "update", reference.label, self._order)
        done = update_rows(self.session, self.journal, captured, assignments, facts)
        if done.changed != len(held) or len(done.locators) != len(held):
            raise Disagreement(
                f"{len(held):,} rows of {leaf.name} were selected, {done.changed:,} updated and "
                f"{len(done.locators):,} found again: a trigger or rule of the table acts on them"
            )
        if change is Change.SET_DEFAULT:
            wrong = wrong | orphaned(self.session.engine, self.schema, reference)
        if self._work.count(leaf, self.session.engine.located(leaf, done.locators) & wrong):
            raise Disagreement(f"Rows of {leaf.name} would be orphans after it, too ({reference.label})")
        self._tally(reference, change, len(held))

    def _assignments(
        self, reference: Reference, leaf: Table, change: Change, held: Sequence[Locator]
    ) -> tuple[Assignment, ...]:
        if change is Change.SET_NULL:
            try:
                names = columns_set_null(self.schema.table(reference.table), reference, self.references)
            except PlanRefused as error:
                raise Disagreement(error.what) from error
            return tuple(Assignment(name, None) for name in names)
        if change is Change.SET_DEFAULT:
            defaults = {name: leaf.column(name).default or "NULL" for name in reference.columns}
            return tuple(Assignment(name, None, sql.replace("%", "%%")) for name, sql in defaults.items())
        if change is Change.RELINK:
            return self._relinked(leaf, held)
        return tuple(Assignment(name, value) for name, value in self.step.values)

    def _relinked(self, leaf: Table, held: Sequence[Locator]) -> tuple[Assignment, ...]:
        """What the mapping says for the keys of these rows, and no others: a mapping can be long."""
        engine, names = self.session.engine, self.step.reference.columns
        located = engine.located(leaf, held)
        sql = f"SELECT DISTINCT {engine.key_text(names)} FROM {engine.source(leaf)} AS c WHERE {located.sql}"
        here = {row[0] for row in self.session.rows(sql, located.params)}
        mapping = tuple(pair for pair in self.step.mapping if key_text(pair[0]) in here)
        step = replace(self.step, mapping=mapping)
        found = ((name, new_value(engine, step, leaf.column(name))) for name in names)
        return tuple(Assignment(name, None, sql, tuple(params)) for name, (sql, params) in found)

    def _refuse_referenced(self, leaf: Table, held: Sequence[Locator], written: set[str]) -> None:
        """What refers to a value that is about to change would be lost with it."""
        for reference, child in self._closure().referring(None, leaf):
            if written & set(reference.referenced_columns):
                where = referring(self.session, self.schema, reference, leaf, held)
                rows = self._work.count(child, where)
                if rows:
                    how = f"refer to the value that would change ({reference.label})"
                    raise Disagreement(f"{rows:,} rows of {child.name} {how}")

    # -- deleting --------------------------------------------------------------------------

    def _delete(self, closure: Closure) -> None:
        """Journals everything that goes, referenced tables first, and deletes it the other way."""
        names = [level.reference.table for level in closure.levels]
        captured: list[Captured] = []
        for name in reversed(leaf_first(names, self.references)):
            for level in (each for each in closure.levels if each.reference.table == name):
                captured.append(self._capture(level.leaf, level.locators, level.reference, "delete"))
                self._tally(level.reference, Change.DELETE, len(level.locators))
            self._order += 1
        leaves = {each.leaf.name: each.leaf for each in captured}
        for leaf in reversed(leaves.values()):
            self._work.delete([each for each in captured if each.leaf.name == leaf.name])

    # -- journaling ------------------------------------------------------------------------

    def _capture(
        self, leaf: Table, locators: Sequence[Locator], reference: Reference, action: str
    ) -> Captured:
        captured = self._work.capture(leaf, reference.table, locators, action, reference.label, self._order)
        if action == "update":
            self._order += 1
        return captured

    def _tally(self, reference: Reference, change: Change, rows: int) -> None:
        self.counts[reference.table][change] += rows
        if reference.sides == self.step.reference.sides and change is self.step.change:
            self.own += rows
