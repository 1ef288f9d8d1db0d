"""Asks targets whether they are there, all at once, within a bounded time, never one twice at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from django.db import DatabaseError, connections

from integrity.database.identifiers import TableName, quote_table
from integrity.database.schema import LEDGER
from integrity.database.session import Session, Target
from integrity.database.statistics import Statistics
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import catalog_package
from integrity.operations.environments import left_out

SECONDS = 2
"""How long opening may take, and each statement: libpq's least connect_timeout."""

DEADLINE_SECONDS = 3.0
FRESH_SECONDS = 5.0
THREADS = 8

Answer = TypeVar("Answer")


class Probes(Generic[Answer]):
    """Answers of targets, used again while they are fresh: one that hangs costs one thread, not one a
    request, and whoever asks often costs the targets nothing."""

    def __init__(self, ask: Callable[[str], Answer], name: str) -> None:
        self._ask = ask
        self._name = name
        self._lock = Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._asked: dict[str, Future[Answer]] = {}
        self._known: dict[str, tuple[float, Answer | None]] = {}

    def look(self, aliases: Iterable[str]) -> Mapping[str, Answer | None]:
        """Returns what each target says; None for one that did not answer in time, nor is it waited for
        again while that is fresh."""
        wanted = list(aliases)
        with self._lock:
            going = [self._future(alias) for alias in wanted if not self._is_fresh(alias)]
        wait(going, timeout=DEADLINE_SECONDS)
        with self._lock:
            return {alias: self._answer(alias) for alias in wanted}

    def forget(self) -> None:
        """Asks anew next time."""
        with self._lock:
            self._known.clear()

    def _is_fresh(self, alias: str) -> bool:
        return alias in self._known and time.monotonic() - self._known[alias][0] < FRESH_SECONDS

    def _future(self, alias: str) -> Future[Answer]:
        if alias not in self._asked:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"integrity-{self._name}")
            self._asked[alias] = self._pool.submit(self._ask, alias)
        return self._asked[alias]

    def _answer(self, alias: str) -> Answer | None:
        if alias in self._asked and self._asked[alias].done():
            self._known[alias] = (time.monotonic(), self._asked.pop(alias).result())
        elif not self._is_fresh(alias):
            self._known[alias] = (time.monotonic(), None)
        return self._known[alias][1]


@dataclass(frozen=True)
class Looked:
    """A target that answered, or why it did not; ``applied`` are the catalog's migrations that its ledger
    has, None where it has no ledger."""

    alias: str
    reachable: bool
    milliseconds: float = 0.0
    server_version: str = ""
    applied: tuple[str, ...] | None = None
    error: str = ""


def _look(alias: str) -> Looked:
    began = time.monotonic()
    try:
        with _reading(alias) as session:
            version = _version(session)
            applied = _applied(session, alias)
    except (ReferentialIntegrityError, DatabaseError, OSError) as error:
        return Looked(alias, False, _since(began), error=str(error).strip())
    return Looked(alias, True, _since(began), version, applied)


def _reading(alias: str) -> Any:
    return Target(alias).reading(statement_timeout_ms=SECONDS * 1_000, connect_timeout_s=SECONDS)


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1_000, 1)


def _version(session: Session) -> str:
    sql = {"postgresql": "SHOW server_version", "sqlite": "SELECT sqlite_version()"}[session.vendor]
    return str(session.value(sql)).split()[0]


def _applied(session: Session, alias: str) -> tuple[str, ...] | None:
    place = TableName(session.engine.default_schema, LEDGER)
    if not session.engine.has_table(session, place):
        return None
    sql = f"SELECT name FROM {quote_table(place)} WHERE app = %s ORDER BY name"
    return tuple(name for (name,) in session.rows(sql, [catalog_package(alias).label]))


@dataclass(frozen=True)
class Measured:
    """The statistics of a target, or why there are none."""

    alias: str
    statistics: Statistics | None = None
    error: str = ""


def _measure(alias: str) -> Measured:
    try:
        with _reading(alias) as session:
            return Measured(alias, session.engine.statistics(session))
    except (ReferentialIntegrityError, DatabaseError, OSError) as error:
        return Measured(alias, error=str(error).strip())


looks = Probes(_look, "status")
measures = Probes(_measure, "stats")


def known_aliases() -> dict[str, str]:
    """Returns the aliases of all databases that can be targets, with their vendors."""
    vendors = {alias: str(connections.create_connection(alias).vendor) for alias in connections.databases}
    return {alias: vendor for alias, vendor in vendors.items() if vendor in ("postgresql", "sqlite")}


def migrations_on_disk(alias: str) -> tuple[list[str], set[str]]:
    """Returns the names of a catalog's migrations, and those of them that belong to other environments."""
    package = catalog_package(alias)
    names = [path.stem for path in package.files]
    try:
        return names, set(left_out(package.folder))
    except ReferentialIntegrityError:
        return names, set()
