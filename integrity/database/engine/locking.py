"""How others are kept away, or found in the way."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from integrity.database.engine.opening import Opening
from integrity.database.locks import Blocker, Lock, StatementLock
from integrity.database.schema import Table
from integrity.database.session import Session, Target
from integrity.database.usage import Connections


class Locking(Opening):
    """Locks on a target, on tables, and who holds them."""

    @abstractmethod
    def hold_target(
        self, target: Target, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
    ) -> AbstractContextManager[bool]:
        """Holds a lock on the whole target under ``name``, across processes and (PostgreSQL) hosts,
        until left or until the process dies. Gives False when somebody else still holds it
        after ``wait`` seconds; ``on_wait`` is told once when somebody does."""

    @abstractmethod
    def lock_referenced(self, session: Session, tables: Sequence[Table], changed: Sequence[Table]) -> None:
        """Keeps others from changing ``tables`` (parents) until the transaction ends.

        Raises:
            MissingPrivilege: with the GRANT, without the right to lock.
            TargetBusy: when not granted in time.
        """

    def blockers(self, session: Session, tables: Sequence[Table], lock: Lock) -> list[Blocker]:
        """Returns whose transactions a lock on these tables would wait for, where that can be known."""
        return []

    @abstractmethod
    def statement_locks(self, statements: Sequence[str]) -> list[StatementLock]:
        """Returns what each statement of a script locks, by its text; those that lock nothing that anybody
        would notice and say nothing (``BEGIN``, ``SET``) are left out."""

    def connections_in_use(self, session: Session) -> Connections | None:
        """Returns who uses the connections of a server, None where there is no server."""
        return None
