"""PostgreSQL: statements that are tried or measured: what they would violate, and how much work they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrity.database.access import Access, Work
from integrity.database.engine.trials import Trials
from integrity.database.postgresql import errors, plans
from integrity.database.session import Session


class PostgreSQLTrials(Trials):
    """Trying and measuring statements."""

    yardstick = plans.YARDSTICK
    names_violated_key = True

    def begin_trial(self, session: Session) -> None:
        """Deferrable keys are checked at once, too."""
        self.begin_changing(session)
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def violated_key(self, error: BaseException) -> str | None:
        """SQLSTATE 23503 names its constraint."""
        return errors.violated_key(error)

    def violated_unique(self, error: BaseException) -> str | None:
        """SQLSTATE 23505 names its constraint or index; of a partitioned table, the partition's."""
        return errors.violated_unique(error)

    def accesses(
        self, session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool = False
    ) -> list[Access]:
        """By EXPLAIN."""
        return plans.accesses(session, sql, params, prefer_index=prefer_index)

    def begin_measuring(self, session: Session, statement_timeout_ms: int) -> None:
        """A reading refuses writes as it is; a scan must not begin where another one happens to be."""
        session.execute("SET LOCAL synchronize_seqscans = off")
        session.execute(f"SET LOCAL statement_timeout = {int(statement_timeout_ms)}")

    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """By EXPLAIN (ANALYZE, BUFFERS)."""
        return plans.work(session, sql, params)
