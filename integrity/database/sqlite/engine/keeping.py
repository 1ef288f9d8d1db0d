"""SQLite: what is kept of a target: the journal's tables, and backups."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from integrity.database.engine.keeping import Keeping
from integrity.database.identifiers import TableName
from integrity.database.room import removed_when_failed
from integrity.database.schema import Column, Table
from integrity.database.session import Session, Target
from integrity.database.sqlite import introspection
from integrity.database.sqlite.engine.rows import key_columns


class SQLiteKeeping(Keeping):
    """The journal's tables and values, and backups."""

    def journal_table(self, name: str) -> TableName:
        """Beside the others, by its prefix."""
        return TableName(introspection.MAIN, introspection.JOURNAL_PREFIX + name)

    def create_journal(self, session: Session) -> None:
        """Nothing: there are no schemas."""

    def has_table(self, session: Session, table: TableName) -> bool:
        """By the schema table."""
        sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %s"
        return session.value(sql, [table.name]) is not None

    def serial(self) -> str:
        """The rowid."""
        return "INTEGER"

    def stored_as(self, column: Column) -> str:
        """No type: a value keeps its own storage class."""
        return ""

    def restored_as(self, column: Column, sql: str) -> str:
        """As it is."""
        return sql

    def same(self, left: str, right: str, column: Column) -> str:
        """The same storage class and bytes, whatever the column's collation."""
        return f"(typeof({left}) = typeof({right}) AND {left} COLLATE BINARY IS {right})"

    def same_key(self, left: str, right: str, column: Column) -> str:
        """IS: a primary key may hold NULLs here (SQLite manual, "Quirks" 5)."""
        return f"{left} IS {right}"

    def hidden_identity(self, table: Table) -> str:
        """The rowid, where no INTEGER PRIMARY KEY is its name (SQLite manual, "ROWIDs")."""
        key = key_columns(table)
        alias = len(key) == 1 and table.column(key[0]).type.upper() == "INTEGER"
        return "" if alias else table.rowid

    def backup(self, target: Target, folder: Path) -> Path:
        """SQLite's online backup: consistent while others write."""
        file = folder / f"{target.alias}-{time.strftime('%Y%m%d-%H%M%S')}.sqlite3"
        beside = file.with_name(f"{file.name}-journal")
        with (
            target.changing() as session,
            removed_when_failed(file, beside),
            closing(sqlite3.connect(file)) as copy,
        ):
            session.connection.connection.backup(copy)
        return file
