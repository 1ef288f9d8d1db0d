"""SQLite: functions, triggers and views that are the users' own."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.engine.routines import Routines
from integrity.database.routines import Examined, Routine
from integrity.database.session import Session
from integrity.database.sqlite import routines


class SQLiteRoutines(Routines):
    """What runs in a target by itself."""

    def routines(self, session: Session) -> list[Routine]:
        """One query."""
        return routines.routines(session)

    def function_names(self, session: Session) -> frozenset[str]:
        """SQLite's own and those that the connection brings; an application may bring others."""
        return frozenset(name for (name,) in session.rows(routines.FUNCTIONS))

    def examine_routines(
        self, session: Session, known: Sequence[Routine], chosen: Sequence[Routine]
    ) -> Examined:
        """Compiled alone, on a copy of the structure."""
        return routines.examine(session, chosen)

    def routine_differs(self, session: Session, routine: Routine, create: str) -> bool:
        """By its text, which is kept as it was written."""
        return routines.differs(routine, create)

    def replacing(self, create: str) -> str:
        """SQLite replaces nothing."""
        return create
