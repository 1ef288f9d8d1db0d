"""How values are compared and spelled in SQL, and which rows a comparison is made with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from integrity.database.json_forms import JsonForms
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.database.spelling import Form


class Comparison(ABC):
    """SQL by which values are compared."""

    @abstractmethod
    def equal(self, parent: Column, parent_sql: str, child: Column, child_sql: str) -> str:
        """SQL that holds where a foreign key would find the parent's value equal to the child's.

        Raises:
            NotCheckable: when the types cannot be compared.
        """

    @abstractmethod
    def understood(self, session: Session, table: Table, expressions: Sequence[str]) -> list[str]:
        """What the database itself makes of expressions over a row ``c`` of a table, without running
        them: two that it understands alike compute the same."""

    @abstractmethod
    def source(self, table: Table) -> str:
        """The FROM item for the rows that a foreign key on ``table`` would bind."""

    @abstractmethod
    def parent_source(self, table: Table) -> str:
        """The FROM item in which referenced values are looked up."""

    @abstractmethod
    def spelled(self, sql: str, form: Form) -> str:
        """SQL for a value as text in one of the forms by which spellings are compared, byte by byte."""

    @abstractmethod
    def json_forms(self, column: Column) -> JsonForms:
        """How JSON in a column is read and made."""

    @abstractmethod
    def epoch(self, sql: str) -> str:
        """SQL for a moment in seconds since 1970, NULL where a value is none."""
