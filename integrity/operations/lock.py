"""One migration of a target at a time, across processes and hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from integrity.database.session import Target
from integrity.exceptions import RepairRunning

WAIT_SECONDS = 5.0

_held: ContextVar[frozenset[str]] = ContextVar("integrity_migrating", default=frozenset())


OnWait = Callable[[float], None]
"""Told for how many seconds at most another process is waited for."""


@contextmanager
def migrating_alone(
    target: Target, wait: float | None = None, on_wait: OnWait | None = None
) -> Iterator[None]:
    """Holds the target's migration lock; within itself it is held already.

    Args:
        target: the target, by the alias that migrations run on.
        wait: how many seconds to wait for another process (default: a few).
        on_wait: told once when there is one to be waited for.

    Raises:
        RepairRunning: when another process still migrates after that time.
    """
    if target.alias in _held.get():
        yield
        return
    wait = WAIT_SECONDS if wait is None else wait
    told = (lambda: on_wait(wait)) if on_wait else None
    with target.engine.hold_target(target, "migrate", wait, told) as held:
        if not held:
            raise RepairRunning(
                f"Another process is migrating {target}, and was not done after {wait:g} s",
                where=target.alias,
                hint="Nothing was changed. Wait for it, then run this again: what it did is not done twice.",
            )
        token = _held.set(_held.get() | {target.alias})
        try:
            yield
        finally:
            _held.reset(token)
