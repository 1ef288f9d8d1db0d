"""A Django database backend for local libSQL files: ``"ENGINE": "integrity.database.libsql"``.

Django's SQLite backend on the libSQL driver. What needs functions in Python is not there: Django's
lookups and functions on parts of dates, its mathematical and text functions beyond SQLite's own.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base
from django.utils.asyncio import async_unsafe

from integrity.database.libsql.driver import Connection, Cursor

_URL = re.compile(r"(?:libsql|https?|wss?)://", re.IGNORECASE)
_MARK = re.compile(r"(?<!%)%s")
_NAMED = re.compile(r"(?<!%)%\((\w+)\)s")

_TAKEN = {"database", "timeout", "encryption_key"}

MISSING = "The package libsql is not installed: pip install 'django-referential-integrity[libsql]'"
REMOTE = "A database of Turso's service cannot be a target by its URL: NAME must be a local libSQL file"
REMOTE_HINT = "docs/libsql.md says how such a database is audited and migrated."


def is_remote(name: object) -> bool:
    """Whether a NAME is the URL of a service rather than a file."""
    return _URL.match(str(name)) is not None


class FormatCursor(Cursor):
    """A cursor with ``%s`` or ``%(name)s`` for parameters, as Django writes them."""

    def execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> FormatCursor:
        """Runs one statement; without parameters a percent sign is one."""
        if params is None:
            super().execute(sql)
        elif isinstance(params, Mapping):
            values = [params[name] for name in _NAMED.findall(sql)]
            super().execute(_NAMED.sub("?", sql).replace("%%", "%"), values)
        else:
            super().execute(_MARK.sub("?", sql).replace("%%", "%"), tuple(params))
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any] | Mapping[str, Any]]) -> FormatCursor:
        """Runs one statement for each row of parameters."""
        super().executemany(sql, cast("Iterable[Sequence[Any]]", rows))
        return self


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's SQLite backend, its connections made by libSQL."""

    display_name = "libSQL"

    def get_connection_params(self) -> dict[str, Any]:
        """Returns what :class:`Connection` takes.

        Raises:
            ImproperlyConfigured: without a NAME, with a URL in its place, or with an option that a local
                file does not have: with ``sync_url`` it would be a copy that writes to a service.
        """
        params = dict(super().get_connection_params())
        if is_remote(params["database"]):
            raise ImproperlyConfigured(f"{REMOTE}. {REMOTE_HINT}")
        for other in ("detect_types", "check_same_thread", "uri"):
            params.pop(other, None)
        if unknown := sorted(params.keys() - _TAKEN):
            raise ImproperlyConfigured(
                f"settings.DATABASES[{self.alias!r}]['OPTIONS']: {', '.join(unknown)} is not for a local "
                "libSQL file"
            )
        return params

    def get_database_version(self) -> tuple[int, ...]:
        """Returns the version of SQLite that this libSQL is made from."""
        with self.temporary_connection() as cursor:
            cursor.execute("SELECT sqlite_version()")
            return tuple(int(part) for part in cursor.fetchone()[0].split("."))

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        """Opens the file.

        Raises:
            ImproperlyConfigured: when the package ``libsql`` is not installed.
        """
        try:
            connection = Connection(**conn_params)
        except ImportError as error:
            raise ImproperlyConfigured(MISSING) from error
        told: list[str] = self.init_commands  # type: ignore[attr-defined]
        for command in ("PRAGMA foreign_keys = ON", "PRAGMA legacy_alter_table = OFF", *told):
            if command.strip():
                connection.execute(command).close()
        return connection

    def create_cursor(self, name: str | None = None) -> FormatCursor:
        """Returns a cursor that takes Django's parameters."""
        return FormatCursor(self.connection)


Database = sqlite3
"""Its classes of errors are what the driver's are turned into."""
