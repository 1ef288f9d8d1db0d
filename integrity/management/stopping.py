"""Ctrl-C once: the batch that is running ends first. Twice: at once, and that batch is taken back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopper:
    """Heeds signals while a run is on its way; called between batches, it says whether to go on.

    Args:
        say: tells people that they were heard.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.asked = False
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

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not self.asked:
            self.asked = True
            self.say("stopping after this batch… (Ctrl-C again to stop at once)")
