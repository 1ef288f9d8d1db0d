"""Makes a function, trigger or view, in the place of another where one stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import DatabaseError

from integrity.database.routines import Routine, RoutineKind
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import NotCheckable, ReferentialIntegrityError
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.operation import bounded
from integrity.operations.record import Origin
from integrity.operations.routine_operation import Kept, RoutineOperation
from integrity.references.entry_reading import for_vendor


class CreateRoutine(RoutineOperation):
    """Makes a function, trigger or view by its CREATE statement; re-entrant, reversible.

    One that is the same already is adopted. Another one of that name is replaced and kept whole in the
    target's journal, with its owner, rights, comment and firing: the reverse brings it back. PostgreSQL
    replaces functions and views in place, so that what uses them goes on; a trigger is dropped and made in
    one transaction. An engine without a statement is left as it is.

    Args:
        routine: ``function``, ``trigger`` or ``view``.
        name: its name as in catalogs: ``touch``, ``app.touch``.
        create: its CREATE statement by vendor: ``{"postgresql": …, "sqlite": …}``, under ``""`` that of all
            others.
        table: a trigger's table.
    """

    kind = "routine"

    def __init__(self, *, routine: str, name: str, create: Mapping[str, str], table: str = "") -> None:
        super().__init__(routine=routine, name=name, table=table)
        self.create = dict(create)

    def describe(self) -> str:
        """One line."""
        return f"Create {self.titled}"

    def statements(self, vendor: str) -> list[str]:
        """Its statement; what stands in its place is known only there."""
        create = for_vendor(self.create, vendor)
        return bounded([create.strip().rstrip(";")], vendor) if create else []

    def reverse_statements(self, vendor: str) -> list[str]:
        """It goes; what stood there before is in the target's journal."""
        if not for_vendor(self.create, vendor):
            return []
        return bounded([self.dropping(vendor), "-- and what stood in its place comes back"], vendor)

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """Says what stands in its place."""
        if create := for_vendor(self.create, schema.vendor):
            standing = self.standing(session, schema)
            yield Check("routine", self.titled, message=_met(session, standing, create))

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """It stands, and refers to nothing that is gone."""
        if not for_vendor(self.create, schema.vendor):
            return
        standing = self.standing(session, schema)
        known = session.engine.routines(session)
        faults = session.engine.examine_routines(session, known, standing).faults
        verdict = Verdict.PASSED if standing else Verdict.FAILED
        message = "it stands" if standing else f"there is no {self.titled}"
        for fault in faults[:1]:
            verdict, message = Verdict.NOTED, f"it stands, but: {fault.said}"
        yield Check("routine", self.titled, verdict, message, moment=Moment.AFTER)

    def make(self, work: Alteration) -> None:
        """Makes it, unless it stands."""
        create = for_vendor(self.create, work.session.engine.vendor).strip().rstrip(";")
        if create:
            schema = work.look()
            work.within_bounds(lambda: self._make(work, schema, create))

    def _make(self, work: Alteration, schema: Schema, create: str) -> None:
        home, before = self.home(schema), self.standing(work.session, schema)
        try:
            with work.session.nested():
                self._put(work, before, create)
                after = self.standing(work.session, schema)
                changed = [each for each in after if each.definition not in _definitions(before)]
                if not changed:
                    raise _Same
        except _Same:
            if self.kept(work, home) is None:
                self.keep(work, home, Kept(), Origin.ADOPTED)
            return
        made = changed[0]
        replaced = [each for each in before if each.label == made.label]
        old = replaced[0].make if replaced else ()
        self.keep(work, home, Kept(made.label, made.definition, made.drop, old))

    def _put(self, work: Alteration, before: list[Routine], create: str) -> None:
        """In place where the engine can; a view with other columns and a trigger are made anew."""
        if not before:
            work.execute(create)
        elif work.sqlite:
            if work.session.engine.routine_differs(work.session, before[0], create):
                self._anew(work, before[0], create)
        elif self.routine is RoutineKind.TRIGGER:
            self._anew(work, before[0], create)
        else:
            self._in_place(work, before, create)

    def _anew(self, work: Alteration, before: Routine, create: str) -> None:
        work.execute(before.drop)
        work.execute(create)

    def _in_place(self, work: Alteration, before: list[Routine], create: str) -> None:
        """A function of which there are several forms is not made anew: which it was is not known."""
        try:
            with work.session.nested():
                work.execute(work.session.engine.replacing(create))
        except (DatabaseError, ReferentialIntegrityError):
            if len(before) > 1:
                raise
            self._anew(work, before[0], create)
            if self.routine is RoutineKind.FUNCTION:
                for statement in before[0].make[1:]:
                    work.execute(statement)  # its owner, rights and comment

    def unmake(self, work: Alteration) -> None:
        """Brings back what stood before; what was adopted stays."""
        schema = work.look()
        work.within_bounds(lambda: self._unmake(work, schema))

    def _unmake(self, work: Alteration, schema: Schema) -> None:
        home = self.home(schema)
        found = self.kept(work, home)
        if found is None:
            return
        kept, origin = found
        if origin is Origin.MADE:
            standing = [each for each in self.standing(work.session, schema) if each.label == kept.label]
            if standing and standing[0].definition != kept.definition:
                raise self.refuse(
                    f"The {self.titled} was changed since",
                    "Take that change back first, or keep the routine and take the operation out.",
                    where=work.alias,
                )
            self._back(work, standing, kept)
        self.forget(work, home)

    def _back(self, work: Alteration, standing: list[Routine], kept: Kept) -> None:
        if self.routine is RoutineKind.FUNCTION and kept.before and not work.sqlite:
            try:
                with work.session.nested():
                    self.restore(work, kept.before)
                return
            except (DatabaseError, ReferentialIntegrityError):
                pass  # it returns something else: it is made anew
        if self.routine is RoutineKind.VIEW and kept.before and standing and not work.sqlite:
            replacing = work.session.engine.replacing(kept.before[0])
            try:
                with work.session.nested():
                    work.execute(replacing)
                return
            except (DatabaseError, ReferentialIntegrityError):
                pass  # other columns: it is made anew
        for each in standing:
            work.execute(each.drop)
        self.restore(work, kept.before)


class _Same(Exception):
    """What stood already is just what would be made."""


def _definitions(routines: list[Routine]) -> set[str]:
    return {each.definition for each in routines}


def _met(session: Session, standing: list[Routine], create: str) -> str:
    try:
        if not standing:
            return "its name is free"
        if any(not session.engine.routine_differs(session, each, create) for each in standing):
            return "it stands already"
    except NotCheckable as error:
        return error.what
    return "another one stands there: it is replaced, and kept in the journal"
