"""What is kept of a target: the journal's tables, and backups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path as FilePath

from integrity.database.identifiers import TableName
from integrity.database.schema import Column, Table
from integrity.database.session import Session, Target


class Keeping(ABC):
    """The journal's tables and values, and backups."""

    @abstractmethod
    def journal_table(self, name: str) -> TableName:
        """Where a table of the journal lives."""

    @abstractmethod
    def create_journal(self, session: Session) -> None:
        """Makes the journal's schema and ``runs`` table where missing."""

    @abstractmethod
    def has_table(self, session: Session, table: TableName) -> bool:
        """Whether a table of exactly that name is there."""

    @abstractmethod
    def serial(self) -> str:
        """The column type of a key that counts up by itself."""

    @abstractmethod
    def stored_as(self, column: Column) -> str:
        """The type in which the journal keeps a column; may be empty."""

    @abstractmethod
    def restored_as(self, column: Column, sql: str) -> str:
        """SQL that turns a journaled value back into the column's own type."""

    @abstractmethod
    def same(self, left: str, right: str, column: Column) -> str:
        """SQL that holds where a live value (left) is exactly the journaled one (right), NULLs included."""

    @abstractmethod
    def same_key(self, left: str, right: str, column: Column) -> str:
        """SQL that holds where a live value (left) of a key equals the journaled one (right), and by
        which an index finds it."""

    def same_image(self, left: str, right: str, column: Column) -> str:
        """The same for two journaled values."""
        return self.same(left, right, column)

    def row_text(self, columns: Sequence[str]) -> str:
        """SQL for a whole row as one text, by which rows without a key are found fast; empty where
        something hidden tells them apart."""
        return ""

    def hidden_identity(self, table: Table) -> str:
        """The name of an identity that rows have beside their columns, empty where there is none."""
        return ""

    @abstractmethod
    def backup(self, target: Target, folder: FilePath) -> FilePath:
        """Takes a backup into ``folder`` and returns its file.

        Raises:
            BackupFailed: with the reason.
        """
