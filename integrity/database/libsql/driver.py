"""The libSQL driver behind the interface of ``sqlite3`` that Django's SQLite backend expects.

The driver (0.1.11) has one class of errors, is busy without a chance for other threads, gives a
result again after its end, and runs only the first of several statements. None of that passes here.
It knows no functions in Python, no interruption and no online backup.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

from integrity.database.libsql.errors import BUSY, as_sqlite, changes_rows
from integrity.database.libsql.values import bound
from integrity.database.sqlite.tokens import tokens

Row = tuple[Any, ...]

_PAUSE_S = 0.01
_BEGINS = ("BEGIN",)
_ENDS = ("COMMIT", "END")


class Connection:
    """A connection to a local file, in autocommit mode.

    Args:
        database: the file, or a ``file:`` URI.
        timeout: for how many seconds another connection's lock is waited for. The driver itself would
            wait without letting any other thread of the process run, so it is told not to.
        options: what else ``libsql.connect`` takes.

    Raises:
        ImportError: when the package ``libsql`` is not installed.
        sqlite3.Error: when the file cannot be opened.
    """

    def __init__(self, database: str, timeout: float = 5.0, **options: Any) -> None:
        libsql = import_module("libsql")
        self.timeout = timeout
        self.overdue: Callable[[], bool] | None = None
        self.just_begun = False
        try:
            self._raw = libsql.connect(str(database), timeout=0.0, isolation_level=None, **options)
        except ValueError as error:
            raise as_sqlite(error) from error

    @property
    def raw(self) -> Any:
        """The driver's own connection."""
        if self._raw is None:
            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")
        return self._raw

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self.raw.in_transaction)

    @property
    def isolation_level(self) -> None:
        """None: transactions are begun by statements alone."""

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        if level is not None:
            raise sqlite3.NotSupportedError("libSQL is in autocommit mode only: use transaction.atomic()")

    def cursor(self, factory: Callable[[Connection], Cursor] | None = None) -> Cursor:
        """Returns a new cursor."""
        return (factory or Cursor)(self)

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Cursor:
        """Runs a statement on a cursor of its own."""
        return self.cursor().execute(sql, params)

    def commit(self) -> None:
        """Commits where a transaction is open."""
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Rolls back where a transaction is open."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the file; a second time does nothing."""
        if self._raw is not None:
            raw, self._raw = self._raw, None
            raw.close()

    def getlimit(self, category: int, /) -> int:
        """Returns a limit of SQLite as the driver is compiled."""
        limits = {sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 32_766, sqlite3.SQLITE_LIMIT_COLUMN: 2_000}
        return limits.get(category, -1)

    def may_wait(self, sql: str) -> bool:
        """Whether a lock can be waited for: not while this connection may hold what the other waits for
        (``sqlite3BtreeBeginTrans`` asks the busy handler in the same cases)."""
        return not self.in_transaction or self.just_begun or _first_word(sql) in _ENDS

    def patiently(self, sql: str, work: Callable[[], Any]) -> Any:
        """Does ``work`` again, other threads running meanwhile, while another connection has the lock."""
        until = time.monotonic() + self.timeout
        while True:
            try:
                return work()
            except ValueError as error:
                if str(error) != BUSY or not self.may_wait(sql) or time.monotonic() >= until:
                    raise as_sqlite(error, sql) from error
            except Exception as error:
                raise as_sqlite(error, sql) from error
            except BaseException as error:
                if type(error).__name__ != "PanicException":
                    raise
                raise as_sqlite(error, sql) from None
            time.sleep(_PAUSE_S)


class Cursor:
    """A cursor with ``?`` for parameters."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.description: tuple[Row, ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._raw = connection.raw.cursor()
        self._sent: tuple[str, Row] = ("", ())
        self._given = 0
        self._done = True

    @property
    def sent(self) -> str:
        """The statement as the driver had it."""
        return self._sent[0]

    def execute(self, sql: str, params: Sequence[Any] = ()) -> Cursor:
        """Runs one statement.

        Raises:
            sqlite3.Error: what ``sqlite3`` would raise.
        """
        _refuse_several(sql)
        self._sent = bound(sql, params)
        self._given, self._done = 0, True
        self._run()
        self.connection.just_begun = _first_word(sql) in _BEGINS
        self.description = self._raw.description or None
        self._done = self.description is None
        self.lastrowid = self._raw.lastrowid
        counted = self._done and changes_rows(sql)
        self.rowcount = int(self._raw.rowcount) if counted else -1
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Cursor:
        """Runs one statement for each row of parameters."""
        total = 0
        for row in rows:
            self.execute(sql, row)
            total += max(0, self.rowcount)
        self.rowcount = total
        return self

    def fetchone(self) -> Row | None:
        """Returns the next row, None at the end."""
        rows = self._fetch(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """Returns the next rows, none at the end."""
        return self._fetch(size or self.arraysize)

    def fetchall(self) -> list[Row]:
        """Returns all rows that are left."""
        rows: list[Row] = []
        while found := self._fetch(_CHUNK):
            rows += found
        return rows

    def __iter__(self) -> Iterator[Row]:
        while found := self._fetch(_CHUNK):
            yield from found

    def close(self) -> None:
        """Lets the statement go."""
        self._done = True
        self._raw.close()

    def _run(self) -> None:
        sql, params = self._sent
        self.connection.patiently(sql, lambda: self._raw.execute(sql, params))

    def _fetch(self, size: int) -> list[Row]:
        """Behind the last row the driver would begin anew; whether the file is locked it may see only now."""
        if self._done:
            return []
        if self.connection.overdue is not None and self.connection.overdue():
            raise sqlite3.OperationalError("interrupted")
        rows: list[Row] = self.connection.patiently(self._sent[0], lambda: self._step(size))
        self._given += len(rows)
        self._done = len(rows) < size
        return rows

    def _step(self, size: int) -> list[Row]:
        try:
            return list(self._raw.fetchmany(size))
        except ValueError as error:
            if str(error) == BUSY and not self._given:
                self._raw.execute(*self._sent)
            raise


_CHUNK = 500


def _first_word(sql: str) -> str:
    return next(tokens(sql)).text.upper() if sql.strip() else ""


def _refuse_several(sql: str) -> None:
    """The driver runs the first of several statements and says nothing of the others."""
    if ";" not in sql or _first_word(sql) == "CREATE":
        return
    ended = False
    for token in tokens(sql):
        if ended and token.text != ";":
            raise sqlite3.ProgrammingError("You can only execute one statement at a time.")
        ended = ended or token.text == ";"
