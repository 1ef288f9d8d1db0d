"""SQLite: statements that are tried or measured: what they would violate, and how much work they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrity.database.access import Access, Work
from integrity.database.engine.trials import Trials
from integrity.database.session import Session
from integrity.database.sqlite import plans
from integrity.database.sqlite.engine.opening import overdue


class SQLiteTrials(Trials):
    """Trying and measuring statements."""

    yardstick = plans.YARDSTICK
    names_violated_key = False

    def begin_trial(self, session: Session) -> None:
        """With enforcement on: the switch works only outside a transaction."""
        session.execute("PRAGMA foreign_keys = ON")
        self.begin_changing(session)

    def violated_key(self, error: BaseException) -> str | None:
        """SQLite says that one was violated, never which."""
        return "" if "FOREIGN KEY constraint failed" in str(error) else None

    def violated_unique(self, error: BaseException) -> str | None:
        """``table.column, …``, or ``index 'name'`` where it indexes expressions."""
        _, found, named = str(error).partition("UNIQUE constraint failed: ")
        return named.strip() if found else None

    def accesses(
        self, session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool = False
    ) -> list[Access]:
        """By EXPLAIN QUERY PLAN."""
        return plans.accesses(session, sql, params)

    def begin_measuring(self, session: Session, statement_timeout_ms: int) -> None:
        """``query_only``; rows come in the order of the table or index that is read."""
        session.execute("PRAGMA query_only = ON")
        session.statement_timeout_ms = statement_timeout_ms

    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """By counting the instructions of the virtual machine."""
        return plans.work(session, sql, params, lambda: overdue(session))
