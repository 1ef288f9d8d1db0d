"""Violations as they happen within a request, those that its view catches among them.

Every statement of Django's own connections goes through a wrapper, and every commit: a deferrable
foreign key, as Django makes them on PostgreSQL, is checked at COMMIT and not before. Connections that
this product opens for itself are left alone: a verification tries rows that must be refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.db import IntegrityError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from integrity import signals
from integrity.database.violations import Violation, ViolationKind, violation_of
from integrity.metrics import names
from integrity.metrics.connections import opened
from integrity.metrics.counters import count

UNRESOLVED = "unresolved"
MOST_A_REQUEST = 1_000
"""A request may break a rule in a loop; what comes after so many is not told apart any more."""


@dataclass(frozen=True)
class Occurrence:
    """A violation within a request of ``view``; ``handled`` where the view went on."""

    violation: Violation
    view: str
    handled: bool

    def __str__(self) -> str:
        how = "handled by" if self.handled else "in"
        return f"{self.violation} {how} {self.view}"


@dataclass
class Watch:
    """What happens within one request."""

    seen: list[tuple[IntegrityError, str]] = field(default_factory=list)
    failure: BaseException | None = None

    def note(self, error: IntegrityError, alias: str) -> None:
        """Remembers an error once, however many wrappers see it."""
        if len(self.seen) < MOST_A_REQUEST and not any(error is each for each, _ in self.seen):
            self.seen.append((error, alias))

    def occurrences(self, view: str) -> list[Occurrence]:
        """Returns what happened; whatever the request failed by was not handled."""
        fatal = [each for each in _chain(self.failure) if isinstance(each, IntegrityError)]
        for error in fatal:
            self.note(error, "")
        return [
            Occurrence(violation_of(error, alias), view, handled=not any(error is each for each in fatal))
            for error, alias in self.seen
        ]


_current: ContextVar[Watch | None] = ContextVar("integrity_watch", default=None)


def begin() -> tuple[Watch, Any]:
    """Begins to watch in this context; returns the watch, and what :func:`end` needs."""
    watch = Watch()
    return watch, _current.set(watch)


def end(watch: Watch, token: Any, view: str) -> None:
    """Counts what happened, and tells who listens."""
    _current.reset(token)
    count(names.REQUESTS, view=view)
    if not (watch.seen or watch.failure):
        return
    found = watch.occurrences(view)
    for each in found:
        _tell(each)
    for kind in {each.violation.kind for each in found if not each.handled}:
        count(names.REQUESTS_FAILED, view=view, kind=str(kind))


def _tell(each: Occurrence) -> None:
    violation = each.violation
    count(
        names.VIOLATIONS,
        target=violation.alias,
        kind=str(violation.kind),
        constraint=".".join(part for part in (violation.table, violation.constraint) if part),
        view=each.view,
        handled=str(each.handled).lower(),
    )
    if violation.kind in (ViolationKind.FOREIGN_KEY, ViolationKind.UNIQUE):
        signals.constraint_violated.send_robust(Occurrence, target=violation.alias, result=each)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from."""
    told: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in told:
            told.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]


# -- connections -----------------------------------------------------------------------------


def watch_connections() -> None:
    """Watches every connection that Django opens from now on, in whatever thread; once is enough."""
    connection_created.connect(_created, dispatch_uid="integrity.metrics")
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _created(None, connection=connection)


def _created(sender: Any, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """One of ``connections``; those that somebody made for himself are none of ours."""
    if not any(each is connection for each in connections.all(initialized_only=True)):
        return
    opened.add(connection)
    if _execute not in connection.execute_wrappers:
        # First: `execute_wrapper()` of somebody who is on his way takes the last one off again.
        connection.execute_wrappers.insert(0, _execute)
        connection.commit = _watched_commit(connection.commit, connection.alias)  # type: ignore[method-assign]


def _execute(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Passes a statement on (Django's "Database instrumentation")."""
    try:
        return execute(sql, params, many, context)
    except IntegrityError as error:
        _note(error, context["connection"].alias)
        raise


def _watched_commit(commit: Callable[[], None], alias: str) -> Callable[[], None]:
    @wraps(commit)
    def watched() -> None:
        try:
            commit()
        except IntegrityError as error:
            _note(error, alias)
            raise

    return watched


def _note(error: IntegrityError, alias: str) -> None:
    watch = _current.get()
    if watch is not None:
        watch.note(error, alias)
