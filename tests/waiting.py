"""Waiting for what another thread or process does: until it is so, and not for a time that somebody guessed."""

import time
from collections.abc import Callable

PATIENCE = 180.0
"""Seconds after which something is said to hang; only a failure waits so long, on however slow a machine."""


def until(reached: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "that does not come"
        time.sleep(0.01)
