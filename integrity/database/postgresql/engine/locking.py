"""PostgreSQL: how others are kept away, or found in the way."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from integrity.database.engine.locking import Locking
from integrity.database.identifiers import quote, shown
from integrity.database.locks import Blocker, Lock, StatementLock
from integrity.database.postgresql import locks, rows, sessions, statement_locks
from integrity.database.schema import Table, TableKind
from integrity.database.session import Session, Target
from integrity.database.usage import Connections
from integrity.exceptions import MissingPrivilege


class PostgreSQLLocking(Locking):
    """Locks on a target, on tables, and who holds them."""

    @contextmanager
    def hold_target(
        self, target: Target, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
    ) -> Iterator[bool]:
        """A transaction-level advisory lock on a connection of its own: it ends with the
        process, and holds through a pooler in transaction mode."""
        number = int.from_bytes(hashlib.sha256(f"integrity {name}".encode()).digest()[:8], signed=True)
        with target.changing() as holder:
            held, until = self._try_to_hold(holder, number), time.monotonic() + wait
            if not held and wait and on_wait is not None:
                on_wait()
            while not held and time.monotonic() < until:
                time.sleep(0.2)
                held = self._try_to_hold(holder, number)
            try:
                yield held
            finally:
                self.rollback(holder)

    def _try_to_hold(self, holder: Session, number: int) -> bool:
        """Whoever waits has no transaction open: in a small pool the one who holds needs its connection."""
        holder.execute("BEGIN")
        holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        held = bool(holder.value("SELECT pg_try_advisory_xact_lock(%s)", [number]))
        if not held:
            self.rollback(holder)
        return held

    def lock_referenced(self, session: Session, tables: Sequence[Table], changed: Sequence[Table]) -> None:
        """SHARE; SHARE ROW EXCLUSIVE where the same table is changed too, against deadlocks."""
        names = {table.name for table in changed}
        views = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW, TableKind.FOREIGN)
        lockable = sorted((table for table in tables if table.kind not in views), key=lambda each: each.name)
        for table in lockable:
            mode = "SHARE ROW EXCLUSIVE" if table.name in names else "SHARE"
            try:
                session.execute(rows.lock_statement([table], mode))
            except MissingPrivilege as error:
                role = shown(quote(session.connection.connection.info.user))
                raise MissingPrivilege(
                    f"This role may not lock {table.name} against new parents appearing meanwhile",
                    where=session.target.alias,
                    hint=rows.grant_to_lock([table], role),
                ) from error

    def blockers(self, session: Session, tables: Sequence[Table], lock: Lock) -> list[Blocker]:
        """From the server's list of locks."""
        return locks.blockers(session, [table.oid for table in tables if table.oid], lock)

    def statement_locks(self, statements: Sequence[str]) -> list[StatementLock]:
        """By table, in the manual's words."""
        return list(statement_locks.statement_locks(statements, self.default_schema))

    def connections_in_use(self, session: Session) -> Connections | None:
        """From the server's list of sessions."""
        return sessions.connections_in_use(session)
