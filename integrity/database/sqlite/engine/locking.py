"""SQLite: how others are kept away, or found in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from integrity.database.engine.locking import Locking
from integrity.database.locks import StatementLock
from integrity.database.schema import Table
from integrity.database.session import Session, Target
from integrity.database.sqlite import lock_file, statement_locks
from integrity.database.sqlite.engine.opening import database_file


class SQLiteLocking(Locking):
    """Locks on a target, on tables, and who holds them."""

    @contextmanager
    def hold_target(
        self, target: Target, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
    ) -> Iterator[bool]:
        """A lock of the operating system on a file beside it: it ends with the process."""
        with lock_file.held(database_file(target), name, wait, on_wait) as held:
            yield held

    def lock_referenced(self, session: Session, tables: Sequence[Table], changed: Sequence[Table]) -> None:
        """Nothing: BEGIN IMMEDIATE has locked the file."""

    def statement_locks(self, statements: Sequence[str]) -> list[StatementLock]:
        """Of the file, for writers."""
        return list(statement_locks.statement_locks(statements))
