"""PostgreSQL: how a target is opened: connections, transactions, time limits, and what an error means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity import conf
from integrity.database.engine.opening import Opening
from integrity.database.identifiers import quote
from integrity.database.postgresql import errors, loading
from integrity.database.session import Session, Target
from integrity.exceptions import ReferentialIntegrityError

# Whatever a value's text depends on is fixed, so that digests agree between any two sessions.
STEADY_TEXT = (
    "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = 'UTC'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL xmloption = 'content'"
)

ROLE = "INTEGRITY_ROLE"
"""Where a connection's settings keep Django's ``assume_role``."""


class PostgreSQLOpening(Opening):
    """Connections, transactions, time limits, errors."""

    vendor = "postgresql"
    default_schema = "public"

    def check_exists(self, target: Target) -> None:
        """Nothing: a server never makes a database because somebody connects."""

    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """No prepared statements, cursors or settings outlive a transaction (poolers): a role that Django
        would set for the session is set for each transaction instead."""
        connection.settings_dict["CONN_MAX_AGE"] = 0
        options = connection.settings_dict.setdefault("OPTIONS", {})
        connection.settings_dict[ROLE] = options.pop("assume_role", None)
        options["prepare_threshold"] = None
        options.setdefault("connect_timeout", 10)
        options.setdefault("application_name", "integrity")
        options.pop("pool", None)

    def opened(self, session: Session) -> None:
        """Every value can be read; settings are local to each transaction."""
        loading.read_all_values(session.connection)

    def hurry(self, connection: BaseDatabaseWrapper, seconds: int) -> None:
        """By libpq's connect_timeout, which counts for each address that it tries."""
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options["connect_timeout"] = min(int(options.get("connect_timeout") or seconds), seconds)

    def check_session(self, target: Target) -> None:
        """A role that Django assumes and statements that psycopg prepares are the session's."""
        options = target.settings.get("OPTIONS", {})
        kept = [name for name in ("assume_role", "prepare_threshold") if options.get(name) is not None]
        if not kept:
            return
        with target.reading() as session:
            if self.pooled(session):
                raise errors.needs_direct(f"{kept[0]} in OPTIONS holds for a session", target.alias)

    def pooled(self, session: Session) -> bool:
        """A pooler makes up the process that it names when a connection is opened."""
        named = session.connection.connection.info.backend_pid
        return bool(named != session.value("SELECT pg_backend_pid()"))

    def begin_reading(self, session: Session) -> None:
        """One moment for everything; row-level security refuses instead of hiding rows."""
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._settle(session)

    def begin_changing(self, session: Session) -> None:
        """READ COMMITTED, so that each statement sees what was committed before its locks."""
        session.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        self._settle(session)
        self.wait_briefly(session)

    def wait_briefly(self, session: Session) -> None:
        """``lock_timeout``: even reading a table's structure waits for who holds it alone."""
        session.execute(f"SET LOCAL lock_timeout = {conf.lock_timeout_ms()}")

    def _settle(self, session: Session) -> None:
        if role := session.connection.settings_dict.get(ROLE):
            session.execute(f"SET LOCAL ROLE {quote(role)}")
        session.execute(STEADY_TEXT)
        session.execute("SET LOCAL row_security = off")
        session.execute(f"SET LOCAL statement_timeout = {int(session.statement_timeout_ms)}")

    def hasten(self, session: Session, statement_timeout_ms: int) -> None:
        """``statement_timeout``."""
        session.execute(f"SET LOCAL statement_timeout = {int(statement_timeout_ms)}")

    @contextmanager
    def look(self, session: Session) -> Iterator[None]:
        """A savepoint, so that a refused or timed-out check does not end the reading."""
        session.execute("SAVEPOINT integrity_look")
        try:
            yield
        except (ReferentialIntegrityError, DatabaseError):
            session.execute("ROLLBACK TO SAVEPOINT integrity_look")
            raise
        finally:
            if session.connection.connection is not None and not session.connection.connection.closed:
                session.execute("RELEASE SAVEPOINT integrity_look")

    def one_moment(self, session: Session) -> bool:
        """Always: REPEATABLE READ."""
        return True

    def rollback(self, session: Session) -> None:
        """ROLLBACK, on a connection that may be gone."""
        try:
            with session.connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
        except (DatabaseError, InterfaceError):
            session.connection.close()

    @contextmanager
    def streaming_cursor(self, session: Session) -> Iterator[Any]:
        """A server-side cursor, which lives as long as our transaction."""
        cursor = session.connection.connection.cursor(name="integrity_stream")
        try:
            with session.connection.wrap_database_errors:
                yield cursor
        finally:
            cursor.close()

    def translate(
        self, error: DatabaseError | InterfaceError, session: Session
    ) -> ReferentialIntegrityError | None:
        """By SQLSTATE."""
        return errors.translate(error, session.target.alias)

    def opening_error(self, error: Exception, target: Target) -> ReferentialIntegrityError:
        """By the server's words."""
        return errors.opening_error(error, target.alias)
