"""Drops a function, trigger or view that cannot be repaired."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.routines import Routine
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.operation import bounded
from integrity.operations.record import Origin
from integrity.operations.routine_operation import Kept, RoutineOperation


class DropRoutine(RoutineOperation):
    """Drops one function, trigger or view, whose definition the migration holds; re-entrant, reversible.

    It is kept whole in the target's journal, with its owner, rights, comment and firing: the reverse brings
    it back as it was. It stops where something else stands under its name. Another engine is left as it is.

    Args:
        routine: ``function``, ``trigger`` or ``view``.
        name: its name as in catalogs.
        definition: its CREATE statement, as the database gives it.
        vendor: the engine whose definition this is.
        table: a trigger's table.
    """

    kind = "dropped_routine"

    def __init__(self, *, routine: str, name: str, definition: str, vendor: str, table: str = "") -> None:
        super().__init__(routine=routine, name=name, table=table)
        self.definition = definition
        self.vendor = vendor

    def describe(self) -> str:
        """One line."""
        return f"Drop {self.titled}"

    @property
    def migration_name_fragment(self) -> str:
        """What is done."""
        return f"drop_{super().migration_name_fragment}"

    def statements(self, vendor: str) -> list[str]:
        """It goes."""
        return bounded([self.dropping(vendor)], vendor) if vendor == self.vendor else []

    def reverse_statements(self, vendor: str) -> list[str]:
        """It comes back."""
        return bounded([self.definition.rstrip(";")], vendor) if vendor == self.vendor else []

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """What stands is what was meant."""
        if schema.vendor == self.vendor:
            found = self._found(session, schema)
            yield Check("routine", self.titled, message="it is dropped" if found else "it is gone already")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """It is gone."""
        if schema.vendor == self.vendor:
            left = self._same(self.standing(session, schema))
            verdict = Verdict.FAILED if left else Verdict.PASSED
            message = "it is still there" if left else "it is gone"
            yield Check("routine", self.titled, verdict, message, moment=Moment.AFTER)

    def _found(self, session: Session, schema: Schema) -> Routine | None:
        standing = self.standing(session, schema)
        same = self._same(standing)
        if standing and not same:
            raise self.refuse(
                f"The {self.titled} is another one by now: {' '.join(standing[0].definition.split())}",
                "It was left as it is. Look again: integrity_makemigrations.",
            )
        return same[0] if same else None

    def _same(self, standing: list[Routine]) -> list[Routine]:
        return [each for each in standing if each.definition.split() == self.definition.split()]

    def make(self, work: Alteration) -> None:
        """Drops it, unless it is gone."""
        if work.session.engine.vendor == self.vendor:
            schema = work.look()
            work.within_bounds(lambda: self._make(work, schema))

    def _make(self, work: Alteration, schema: Schema) -> None:
        home, found = self.home(schema), self._found(work.session, schema)
        if found is not None:
            work.execute(found.drop)
            self.keep(work, home, Kept(label=found.label, before=found.make))
        elif self.kept(work, home) is None:
            self.keep(work, home, Kept(), Origin.ADOPTED)

    def unmake(self, work: Alteration) -> None:
        """Makes it again as it was; one that was gone before stays gone."""
        schema = work.look()
        work.within_bounds(lambda: self._unmake(work, schema))

    def _unmake(self, work: Alteration, schema: Schema) -> None:
        home = self.home(schema)
        found = self.kept(work, home)
        if found is None:
            return
        if found[1] is Origin.MADE:
            if standing := [
                each for each in self.standing(work.session, schema) if each.label == found[0].label
            ]:
                raise self.refuse(
                    f"There is another {self.titled}: {' '.join(standing[0].definition.split())}",
                    "Drop or rename it, and reverse the migration again.",
                )
            self.restore(work, found[0].before)
        self.forget(work, home)
