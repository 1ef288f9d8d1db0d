"""One migration of a target at a time, across processes and hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from integrity.database.session import Target
from integrity.exceptions import RepairRunning

WAIT_SECONDS = 5.0

_held: ContextVar[frozenset[str]] = ContextVar("integrity_migrating", default=frozenset())


@contextmanager
def migrating_alone(target: Target) -> Iterator[None]:
    """Holds the target's migration lock; within itself it is held already.

    Raises:
        RepairRunning: when another process still migrates after a few seconds.
    """
    if target.alias in _held.get():
        yield
        return
    with target.engine.hold_target(target, "migrate", WAIT_SECONDS) as held:
        if not held:
            raise RepairRunning(
                f"Another process is migrating {target}",
                where=target.alias,
                hint="Nothing was changed. Wait for it, then run this again: what it did is not done twice.",
            )
        token = _held.set(_held.get() | {target.alias})
        try:
            yield
        finally:
            _held.reset(token)
