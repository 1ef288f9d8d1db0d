"""How rows are told apart, claimed, changed and digested."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from integrity.database.engine.comparison import Comparison
from integrity.database.engine.predicate import Predicate
from integrity.database.schema import Column, Table
from integrity.database.session import Session

Locator = Any
"""What tells a row from all others within one transaction: a ctid, a rowid, or a key's values."""


@dataclass(frozen=True)
class Digest:
    """What the rows of a table amount to: their number and an order-free sum of their hashes."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Stretch:
    """A piece of a table in physical order: the condition, and the position after it."""

    where: Predicate
    position: Any


class Rows(Comparison):
    """Finding, claiming and changing rows."""

    @abstractmethod
    def locator(self, table: Table, alias: str = "c") -> str:
        """SQL for the locator of a row."""

    @abstractmethod
    def located(self, table: Table, locators: Sequence[Locator], alias: str = "c") -> Predicate:
        """The condition that a row is one of ``locators``."""

    @abstractmethod
    def stretches(self, session: Session, table: Table, position: Any, size: int) -> Stretch | None:
        """The next stretch of about ``size`` rows of a table in physical order after ``position``
        (None: from the start), or None at the end."""

    @abstractmethod
    def claim(self, session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
        """Locks up to ``limit`` rows that fulfil ``where`` against others; returns their locators."""

    @abstractmethod
    def paired(self, pairs: Sequence[tuple[int, Locator]]) -> tuple[str, list[Any]]:
        """A FROM item ``m(seq, loc)`` with these pairs of numbers and locators, and its parameters."""

    @abstractmethod
    def given(self, column: Column) -> str:
        """SQL for a parameter that becomes a value of a column's own type."""

    @abstractmethod
    def given_rows(
        self, session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
    ) -> AbstractContextManager[tuple[str, list[Any]]]:
        """A FROM item ``g(n, v1, v2 …)`` with its parameters: numbered rows of values, as
        :meth:`key_value` reads them, that compare as ``columns`` do. One at a time."""

    @abstractmethod
    def assigned(self, column: Column) -> str:
        """SQL for a parameter, as :meth:`key_value` reads it, that is assigned to a column: what does not
        fit it is an error."""

    @abstractmethod
    def update_located(
        self,
        session: Session,
        table: Table,
        assignments: str,
        values: Sequence[Any],
        pairs: Sequence[tuple[int, Locator]],
        *,
        keyed: bool,
    ) -> dict[int, Locator]:
        """Updates the rows of ``pairs``; returns the locator that each changed one has afterwards.

        ``keyed`` says that the assignment changes columns of the row's key.
        """

    @abstractmethod
    def digest(self, session: Session, table: Table) -> Digest:
        """Digests every row of a table, order-free, every stored column and the key."""
