"""How people look through the rows of a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from integrity.database.engine.predicate import Predicate
from integrity.database.schema import Column, Table

if TYPE_CHECKING:
    from integrity.database.row_order import RowOrder, Shown


class Browsing(ABC):
    """Rows in order, values as people read them."""

    @abstractmethod
    def row_order(self, table: Table, *, by_key: bool = True) -> RowOrder:
        """The order in which a table is read page by page; of a partitioned one without a key, each
        partition has its own. ``by_key`` says whether places may tell the values of its key."""

    @abstractmethod
    def shown(self, value: Column, sql: str, letters: int) -> Shown:
        """How people read a value of a column, cut after so many letters."""

    @abstractmethod
    def readable(self, sql: str, letters: int | None) -> tuple[str, str]:
        """SQL for any value as a text that people read, cut after so many letters, and SQL for how many
        bytes a binary one has, which then has no text; with None the whole text, in hexadecimal where it
        is binary."""

    @abstractmethod
    def written_as(self, value: Column, sql: str, text: str) -> Predicate:
        """The condition that a value is written so as :meth:`key_text` writes it, in a form by which an
        index finds it. A text that no value of the type can have is an error of the database."""

    @abstractmethod
    def begins(self, value: Column, sql: str, prefix: str) -> Predicate:
        """The condition that a value, written out, begins with a text, in small or capital letters."""
