"""PostgreSQL: functions, triggers and views that are the users' own."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.engine.routines import Routines
from integrity.database.postgresql import comparing, faults, routines
from integrity.database.routines import Examined, Routine
from integrity.database.session import Session


class PostgreSQLRoutines(Routines):
    """What runs in a target by itself."""

    def routines(self, session: Session) -> list[Routine]:
        """Three queries."""
        return routines.routines(session)

    def function_names(self, session: Session) -> frozenset[str]:
        """Of the server, of extensions and of the users, whatever schema they are in."""
        return frozenset(name for (name,) in session.rows(routines.FUNCTION_NAMES))

    def examine_routines(
        self, session: Session, known: Sequence[Routine], chosen: Sequence[Routine]
    ) -> Examined:
        """By the server's own parser, statement by statement."""
        return faults.examine(session, known, chosen)

    def routine_differs(self, session: Session, routine: Routine, create: str) -> bool:
        """A body by its words, a view by its plan."""
        return comparing.differs(session, routine, create)

    def replacing(self, create: str) -> str:
        """CREATE OR REPLACE, but for triggers."""
        return routines.replacing(create)
