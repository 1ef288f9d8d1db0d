"""How many connections are open: asked of each server for two seconds at most, all of them at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any
from weakref import WeakSet

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity.database.session import Target
from integrity.database.usage import Connections
from integrity.exceptions import ReferentialIntegrityError

SECONDS = 2
"""libpq's least connect_timeout, and as long as a statement may take."""

DEADLINE_SECONDS = 3.0
FRESH_SECONDS = 5.0
THREADS = 8

opened: WeakSet[BaseDatabaseWrapper] = WeakSet()
"""Django's connections in this process that were ever opened and are still there."""


class _Servers:
    """Asks servers, never the same one twice at a time: one that hangs costs one thread, not one a scrape."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._asked: dict[str, Future[Connections | None]] = {}
        self._known: dict[str, Connections | None] = {}
        self._at = 0.0

    def look(self, aliases: list[str]) -> Mapping[str, Connections | None]:
        """Returns what the servers say; None for one that did not answer in time."""
        with self._lock:
            if time.monotonic() - self._at < FRESH_SECONDS and set(aliases) == set(self._known):
                return self._known
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="integrity-metrics")
            for alias in aliases:
                if alias not in self._asked:
                    self._asked[alias] = self._pool.submit(_ask, alias)
            wait([self._asked[alias] for alias in aliases], timeout=DEADLINE_SECONDS)
            self._known = {alias: self._answer(alias) for alias in aliases}
            self._at = time.monotonic()
            return self._known

    def _answer(self, alias: str) -> Connections | None:
        if not self._asked[alias].done():
            return None
        return self._asked.pop(alias).result()

    def forget(self) -> None:
        """Asks anew next time."""
        with self._lock:
            self._at = 0.0


servers = _Servers()


def _ask(alias: str) -> Connections | None:
    try:
        with Target(alias).reading(
            statement_timeout_ms=SECONDS * 1_000, connect_timeout_s=SECONDS
        ) as session:
            return session.engine.connections_in_use(session)
    except (ReferentialIntegrityError, DatabaseError, OSError):
        return None


def server_aliases() -> list[str]:
    """Returns the aliases behind which there is a server to ask."""
    return [alias for alias in connections.databases if _vendor(alias) == "postgresql"]


def _vendor(alias: str) -> str:
    return str(connections.create_connection(alias).vendor)


def pools() -> dict[str, dict[str, int]]:
    """Returns what Django's own pools in this process say of themselves, by alias; makes none."""
    found: dict[str, Any] = {}
    for connection in list(opened):
        found |= getattr(type(connection), "_connection_pools", {})
    return {alias: pool.get_stats() for alias, pool in found.items() if alias in connections.databases}


def open_in_process() -> dict[str, int]:
    """Returns how many of Django's connections are open in this process, by alias."""
    counted = dict.fromkeys(connections.databases, 0)
    for connection in list(opened):
        if connection.connection is not None and connection.alias in counted:
            counted[connection.alias] += 1
    return counted
