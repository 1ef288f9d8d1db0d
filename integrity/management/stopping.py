"""Ctrl-C once: the batch that is running ends first. Twice: at once, and that batch is taken back.

SIGTERM, which a supervisor sends, is heeded alike; outside of batches it ends a command as Ctrl-C does,
with a message and its exit code.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM while no batch is running; left to itself, it would end the process without a word."""


@contextmanager
def terminated_with_a_word() -> Iterator[None]:
    """Lets SIGTERM raise :class:`Terminated` within; only the main thread can, and only a command that
    has a process of its own should."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


class Stopper:
    """Heeds signals while a run is on its way; called between batches, it says whether to go on.

    It is entered around the run and what is said of it: a signal that comes when the last batch is done
    must not keep the result from being shown.

    Args:
        say: tells people that they were heard.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.asked = False
        self.over = False
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> str | None:
        """Returns ``cancelled`` once somebody asked for it."""
        return "cancelled" if self.asked else None

    def __enter__(self) -> Self:
        """Takes the signals over; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._heed) for each in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives them back."""
        for each, handler in self._before.items():
            signal.signal(each, handler)

    @contextmanager
    def running(self) -> Iterator[Self]:
        """The run itself; after it there is nothing left to stop."""
        try:
            yield self
        finally:
            self.over = True

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.asked:
            self.asked = True
            if not self.over:
                self.say("stopping after this batch… (Ctrl-C again to stop at once)")
