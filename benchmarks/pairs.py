"""Two ways to the same result, timed in turn."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """How long ours takes against theirs: medians in seconds, and the median of the ratios."""

    ours: str
    theirs: str
    our_seconds: float
    their_seconds: float
    ratio: float


def measured(
    ours: str,
    theirs: str,
    our_way: Callable[[], object],
    their_way: Callable[[], object],
    repeat: int,
    reset: Callable[[], object] = lambda: None,
) -> Ratio:
    """Runs both ways in turn after a warm-up, with ``reset`` before each."""
    pairs = []
    for _ in range(repeat + 1):
        seconds = []
        for way in (our_way, their_way):
            reset()
            begun = time.perf_counter()
            way()
            seconds.append(time.perf_counter() - begun)
        pairs.append(seconds)
    counted = pairs[1:]
    return Ratio(
        ours,
        theirs,
        statistics.median(a for a, _ in counted),
        statistics.median(b for _, b in counted),
        statistics.median(a / b for a, b in counted),
    )
