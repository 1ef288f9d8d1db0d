"""How a target is opened: one door for reading, changing and migrating.

Reading and changing use a connection of their own with our BEGIN and COMMIT, because
``transaction.atomic`` resolves an alias and would act on another connection. Only ``SET LOCAL``
and transaction-level locks are used, so that a pooler in transaction mode does no harm.
Migrating uses Django's own connection of the alias: its ``MigrationExecutor`` looks it up.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity import conf
from integrity.exceptions import TargetBusy, UnknownTarget, UnsupportedVendor

if TYPE_CHECKING:
    from integrity.database.engine import Engine
    from integrity.database.schema import Schema

Row = tuple[Any, ...]


class Bounds(TypedDict, total=False):
    """How long a reading may take at most: each statement, and opening. See :meth:`Target.reading`."""

    statement_timeout_ms: int
    connect_timeout_s: int


Result = TypeVar("Result")


@dataclass
class Session:
    """An open connection to a target, and the engine that knows its dialect.

    Every statement is sent with parameters in the ``%s`` style, so a percent sign in SQL text
    is written twice; ``identifiers.quote`` does that for names.
    """

    target: Target
    connection: BaseDatabaseWrapper
    engine: Engine
    statement_timeout_ms: int = 0
    deadline: float | None = field(default=None, repr=False)
    moment: Any = field(default=None, repr=False)

    @property
    def vendor(self) -> str:
        """``postgresql`` or ``sqlite``."""
        return self.engine.vendor

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Returns all rows of a query whose result is small."""
        with self.engine.errors(self), self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(params))
            return list(cursor.fetchall())

    def row(self, sql: str, params: Sequence[Any] = ()) -> Row:
        """Returns the first row of a query that always has one."""
        return self.rows(sql, params)[0]

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Returns the first value of the first row, or None when there is no row."""
        rows = self.rows(sql, params)
        return rows[0][0] if rows else None

    def stream(self, sql: str, params: Sequence[Any] = (), size: int = 2_000) -> Iterator[Row]:
        """Yields the rows of a query of any size, ``size`` at a time from the server."""
        with self.engine.errors(self), self.engine.streaming_cursor(self) as cursor:
            cursor.execute(sql, tuple(params))
            while chunk := cursor.fetchmany(size):
                yield from chunk

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Runs a statement and returns how many rows it says it touched (-1: it does not say)."""
        with self.engine.errors(self), self.connection.cursor() as cursor:
            cursor.execute(sql, tuple(params))
            return int(cursor.rowcount)

    def schema(self) -> Schema:
        """Reads the structure of the target, in a fixed number of queries."""
        return self.engine.introspect(self)

    @contextmanager
    def look(self) -> Iterator[None]:
        """One check within a reading: when it fails, the reading goes on after it."""
        with self.engine.look(self):
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One changing transaction: committed at its end, rolled back when anything is raised."""
        self.engine.begin_changing(self)
        try:
            yield
        except BaseException:
            self.engine.rollback(self)
            raise
        try:
            self.execute("COMMIT")
        except BaseException:
            self.engine.rollback(self)
            raise

    @contextmanager
    def nested(self) -> Iterator[None]:
        """A part of a transaction that can be given up alone."""
        self.execute("SAVEPOINT integrity_part")
        try:
            yield
        except BaseException:
            self.execute("ROLLBACK TO SAVEPOINT integrity_part")
            self.execute("RELEASE SAVEPOINT integrity_part")
            raise
        self.execute("RELEASE SAVEPOINT integrity_part")

    def retrying(self, work: Callable[[], Result], attempts: int | None = None) -> Result:
        """Runs ``work`` again, with backoff, while a lock is not granted in time.

        Raises:
            TargetBusy: when it was not granted in any attempt.
        """
        attempts = conf.lock_attempts() if attempts is None else attempts
        for attempt in range(1, attempts + 1):
            try:
                return work()
            except TargetBusy:
                if attempt == attempts:
                    raise
                time.sleep(min(2.0, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))
        raise AssertionError("at least one attempt is made")


@dataclass(frozen=True)
class Target:
    """A database under care, by its alias in ``DATABASES``."""

    alias: str

    def __post_init__(self) -> None:
        if self.alias not in connections.databases:
            known = ", ".join(sorted(connections.databases))
            raise UnknownTarget(
                f"There is no target {self.alias!r}",
                where="DATABASES",
                hint=f"Known are: {known}. Add it to DATABASES, or to INTEGRITY_TARGETS as name=url.",
            )

    def __str__(self) -> str:
        return self.alias

    @property
    def settings(self) -> dict[str, Any]:
        """The alias's entry in ``DATABASES``; holds secrets, so it is never printed."""
        return connections.databases[self.alias]

    @property
    def vendor(self) -> str:
        """``postgresql`` or ``sqlite``."""
        return self.engine.vendor

    @property
    def engine(self) -> Engine:
        """What speaks this target's dialect.

        Raises:
            UnsupportedVendor: for any other database.
        """
        return engine_for(connections.create_connection(self.alias).vendor, self.alias)

    @contextmanager
    def reading(
        self, *, statement_timeout_ms: int | None = None, connect_timeout_s: int | None = None
    ) -> Iterator[Session]:
        """Opens the target for looking only, at one moment where the engine can hold one.

        Args:
            statement_timeout_ms: how long one statement may take (default: the setting).
            connect_timeout_s: how long opening may take at most, where a server has to answer.

        Raises:
            TargetUnreachable, WrongCredentials: when it cannot be opened.
        """
        timeout = conf.statement_timeout_ms() if statement_timeout_ms is None else statement_timeout_ms
        with self._opened(timeout, connect_timeout_s) as session:
            session.engine.begin_reading(session)
            try:
                yield session
            finally:
                session.engine.rollback(session)

    @contextmanager
    def changing(self, *, statement_timeout_ms: int = 0) -> Iterator[Session]:
        """Opens the target for changes; each ``session.transaction()`` is one batch.

        Raises:
            TargetUnreachable, WrongCredentials: when it cannot be opened.
        """
        with self._opened(statement_timeout_ms) as session:
            yield session

    @contextmanager
    def migrating(self) -> Iterator[BaseDatabaseWrapper]:
        """Opens the alias for Django's migration executor, and leaves it clean and closed.

        Only for a thread or process of its own, never within a request: the connection is
        the alias's shared one of this thread.
        """
        connection = connections[self.alias]
        engine = self.engine
        with engine.opening_errors(self):
            engine.check_exists(self)
            engine.check_session(self)
            connection.ensure_connection()
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _opened(self, statement_timeout_ms: int, connect_timeout_s: int | None = None) -> Iterator[Session]:
        connection = connections.create_connection(self.alias)
        connection.settings_dict = copy.deepcopy(connection.settings_dict)
        engine = engine_for(connection.vendor, self.alias)
        session = Session(self, connection, engine, statement_timeout_ms)
        try:
            with engine.opening_errors(self):
                engine.check_exists(self)
                engine.prepare(connection)
                if connect_timeout_s is not None:
                    engine.hurry(connection, connect_timeout_s)
                connection.ensure_connection()
                engine.opened(session)
            yield session
        finally:
            _close(connection)


def _close(connection: BaseDatabaseWrapper) -> None:
    try:
        connection.close()
    except (DatabaseError, InterfaceError):
        connection.connection = None


def engine_for(vendor: str, alias: str = "") -> Engine:
    """Returns the engine of a vendor.

    Raises:
        UnsupportedVendor: when there is none.
    """
    from integrity.database.libsql.engine import LibSQLEngine  # noqa: PLC0415
    from integrity.database.postgresql.engine import PostgreSQLEngine  # noqa: PLC0415
    from integrity.database.sqlite.engine import SQLiteEngine  # noqa: PLC0415

    engines: dict[str, type[Engine]] = {"postgresql": PostgreSQLEngine, "sqlite": SQLiteEngine}
    if vendor == "sqlite" and _by_libsql(alias):
        return LibSQLEngine()
    if vendor not in engines:
        known = ", ".join(sorted(engines))
        raise UnsupportedVendor(f"A {vendor} database cannot be read", where=alias, hint=f"Only {known} can.")
    return engines[vendor]()


def _by_libsql(alias: str) -> bool:
    """Whether a target that is SQLite to Django is opened by libSQL."""
    if alias not in connections.databases:
        return False
    return connections.create_connection(alias).display_name == "libSQL"
