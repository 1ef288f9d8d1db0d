"""How the values of a key are told, kept and found again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from integrity.database.engine.predicate import Predicate
from integrity.database.schema import Column, Table
from integrity.database.session import Session


class Keys(ABC):
    """SQL for keys as texts and as values."""

    @abstractmethod
    def key_text(self, columns: Sequence[str], alias: str = "c") -> str:
        """SQL for the values of a key as one text, byte by byte; NULL where one of them is."""

    @abstractmethod
    def key_value(self, sql: str) -> str:
        """SQL for a value of a key that becomes a parameter again, or part of a stored plan."""

    @abstractmethod
    def among(self, sql: str, texts: Sequence[str]) -> Predicate:
        """The condition that a text is one of any number of texts."""

    @abstractmethod
    def having_key(self, columns: Sequence[Column], texts: Sequence[str]) -> Predicate:
        """The condition that a row ``c`` has one of these primary keys, as :meth:`key_text` has them; found
        by the key's index where its type allows."""

    @abstractmethod
    def looked_up(self, into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """SQL, with its parameters, for what ``values`` has under the text ``key``, to become a value
        of the column ``into``."""

    @abstractmethod
    def last_given(self, session: Session, table: Table, column: str) -> int | None:
        """The last number that was given out for a column, None where nothing remembers it."""
