"""Statements that are tried or measured: what they would violate, and how much work they are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from integrity.database.access import Access, Work
from integrity.database.engine.opening import Opening
from integrity.database.session import Session


class Trials(Opening):
    """Trying and measuring statements."""

    yardstick: str
    """A query of about a millisecond that reads no table: how fast the machine is at this moment."""
    names_violated_key: bool
    """Whether an error says which foreign key was violated."""

    @abstractmethod
    def begin_trial(self, session: Session) -> None:
        """Begins a transaction in which foreign keys bind at once; it is always rolled back."""

    @abstractmethod
    def violated_key(self, error: BaseException) -> str | None:
        """The name of the foreign key that an error is about, empty where the database does not
        say which; None for any other error."""

    @abstractmethod
    def violated_unique(self, error: BaseException) -> str | None:
        """How the database names the unique that an error is about; None for any other error."""

    @abstractmethod
    def accesses(
        self, session: Session, sql: str, params: Sequence[Any], *, prefer_index: bool = False
    ) -> list[Access]:
        """How a query would reach its tables, without running it.

        Args:
            session: an open reading.
            sql: the query, with parameters in the ``%s`` style.
            params: their values.
            prefer_index: whether to ask what the plan would be on a table too large to be scanned.
        """

    @abstractmethod
    def begin_measuring(self, session: Session, statement_timeout_ms: int) -> None:
        """Within a reading: nothing can be written by what runs, rows without an order come in the same
        one each time, and from now on a statement may take so long."""

    @abstractmethod
    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """Runs a query once, and says how much work it was."""
