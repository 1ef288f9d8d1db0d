"""PostgreSQL: how the values of a key are told, kept and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integrity.database.engine.keys import Keys
from integrity.database.engine.predicate import Predicate
from integrity.database.postgresql import keys, spelling
from integrity.database.schema import Column, Table
from integrity.database.session import Session


class PostgreSQLKeys(Keys):
    """SQL for keys as texts and as values."""

    def key_text(self, columns: Sequence[str], alias: str = "c") -> str:
        """Byte by byte."""
        return keys.key_text(columns, alias)

    def key_value(self, sql: str) -> str:
        """As text."""
        return keys.key_value(sql)

    def among(self, sql: str, texts: Sequence[str]) -> Predicate:
        """In one parameter."""
        return keys.among(sql, texts)

    def having_key(self, columns: Sequence[Column], texts: Sequence[str]) -> Predicate:
        """By its values, too, where the texts can be nothing else."""
        return keys.having_key(columns, texts)

    def looked_up(self, into: Column, key: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """In one parameter."""
        return keys.looked_up(into, key, values)

    def last_given(self, session: Session, table: Table, column: str) -> int | None:
        """The sequence's."""
        return spelling.last_given(session, table, column)
