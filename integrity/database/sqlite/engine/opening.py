"""SQLite: how a target is opened: connections, transactions, time limits, and what an error means."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity import conf
from integrity.database.engine.opening import Opening
from integrity.database.session import Session, Target
from integrity.database.sqlite import digests, errors, introspection, plans
from integrity.exceptions import ReferentialIntegrityError, TargetUnreachable


class SQLiteOpening(Opening):
    """Connections, transactions, time limits, errors."""

    vendor = "sqlite"
    default_schema = introspection.MAIN

    def check_exists(self, target: Target) -> None:
        """SQLite would make an empty file of any name."""
        file = database_file(target)
        if file is not None and not file.is_file():
            raise TargetUnreachable(
                f"There is no file {file}", where=target.alias, hint="Correct NAME of this target."
            )

    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """Values as they are stored (no converters), and our own patience for locks."""
        options = connection.settings_dict.setdefault("OPTIONS", {})
        options["detect_types"] = 0
        options["timeout"] = conf.lock_timeout_ms() / 1000

    def opened(self, session: Session) -> None:
        """Nothing acts on rows but our own statements."""
        self.adapt(session, session.connection.connection)
        session.execute("PRAGMA foreign_keys = OFF")
        session.rows("SELECT name FROM sqlite_master LIMIT 1")

    def adapt(self, session: Session, raw: Any) -> None:
        """Text that is not UTF-8 is kept, statements have a clock, and rows can be digested."""
        raw.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        raw.set_progress_handler(lambda: overdue(session), plans.CLOCK)
        digests.register(raw)

    def begin_reading(self, session: Session) -> None:
        """In WAL one transaction; with a rollback journal, where a reader would block every
        writer, one for each look (SQLite manual, "Isolation In SQLite")."""
        if session.value("PRAGMA journal_mode") == "wal":
            session.execute("BEGIN")
            session.rows("SELECT name FROM sqlite_master LIMIT 1")
        else:
            session.moment = session.value("PRAGMA data_version")

    def begin_changing(self, session: Session) -> None:
        """BEGIN IMMEDIATE: the only writer until the end."""
        session.execute("BEGIN IMMEDIATE")

    def hasten(self, session: Session, statement_timeout_ms: int) -> None:
        """By our own clock."""
        session.statement_timeout_ms = statement_timeout_ms

    @contextmanager
    def look(self, session: Session) -> Iterator[None]:
        """Nothing more in WAL: a failed query leaves the transaction as it was."""
        if session.moment is None:
            yield
            return
        session.execute("BEGIN")
        try:
            yield
        finally:
            self.rollback(session)

    def one_moment(self, session: Session) -> bool:
        """``data_version`` changes whenever another connection commits."""
        return session.moment is None or session.value("PRAGMA data_version") == session.moment

    def rollback(self, session: Session) -> None:
        """ROLLBACK where a transaction is open."""
        raw = session.connection.connection
        if raw is not None and raw.in_transaction:
            try:
                raw.rollback()
            except sqlite3.Error:
                session.connection.close()

    @contextmanager
    def streaming_cursor(self, session: Session) -> Iterator[Any]:
        """SQLite's cursors stream by nature."""
        with session.connection.cursor() as cursor:
            yield cursor

    def translate(
        self, error: DatabaseError | InterfaceError, session: Session
    ) -> ReferentialIntegrityError | None:
        """By SQLite's words: its result codes are not passed on."""
        return _meaning(error, session.target)

    def opening_error(self, error: Exception, target: Target) -> ReferentialIntegrityError:
        """By SQLite's words."""
        return _meaning(error, target) or TargetUnreachable(
            f"The file cannot be opened: {error}", where=target.alias, hint="Correct NAME of this target."
        )

    @contextmanager
    def errors(self, session: Session) -> Iterator[None]:
        """Starts the statement's clock: SQLite has no statement timeout of its own."""
        limit = session.statement_timeout_ms
        session.deadline = time.monotonic() + limit / 1000 if limit else None
        with super().errors(session):
            yield


def _meaning(error: Exception, target: Target) -> ReferentialIntegrityError | None:
    text, alias = str(error), target.alias
    return errors.room_is_missing(text, database_file(target), alias) or errors.meaning(text, alias)


def database_file(target: Target) -> Path | None:
    """The file behind a target, None for one in memory."""
    name = str(target.settings["NAME"])
    if name.startswith("file:"):
        parts = urlsplit(name)
        return None if "mode=memory" in parts.query else Path(unquote(parts.path))
    return None if name == ":memory:" else Path(name).resolve()


def overdue(session: Session) -> bool:
    """Whether a statement's time is over."""
    return session.deadline is not None and time.monotonic() > session.deadline
