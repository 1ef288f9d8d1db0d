"""What is counted as it happens, in this process or (PROMETHEUS_MULTIPROC_DIR) in all of them."""

from __future__ import annotations

from threading import Lock
from typing import Any

from integrity.metrics import names
from integrity.metrics.names import Metric

try:
    from prometheus_client import CollectorRegistry, Counter
except ImportError:  # the extra is not installed
    INSTALLED = False
else:
    INSTALLED = True

MOST_VALUES = 500
"""Different values of one label; each costs memory here and in Prometheus for good."""

OTHER = "other"
UNBOUNDED = ("view", "constraint")
"""Labels whose values are made elsewhere: by a URLconf, by whoever makes tables."""


class _Counters:
    """The counters, each label bounded."""

    def __init__(self, registry: Any) -> None:
        self.made = {
            each.name: Counter(each.name, each.help, each.labels, registry=registry)
            for each in (names.VIOLATIONS, names.REQUESTS, names.REQUESTS_FAILED)
        }
        self.known: dict[str, set[str]] = {label: set() for label in UNBOUNDED}
        self.lock = Lock()

    def count(self, metric: Metric, **labels: str) -> None:
        bounded = {label: self._bounded(label, value) for label, value in labels.items()}
        self.made[metric.name].labels(**bounded).inc()

    def _bounded(self, label: str, value: str) -> str:
        known = self.known.get(label)
        if known is None or value in known:
            return value
        with self.lock:
            if len(known) >= MOST_VALUES:
                return OTHER
            known.add(value)
        return value


REGISTRY = CollectorRegistry() if INSTALLED else None
_counters = _Counters(REGISTRY) if INSTALLED else None


def available() -> bool:
    """Whether anything is counted."""
    return INSTALLED


def count(metric: Metric, **labels: str) -> None:
    """Adds one; nothing where `prometheus-client` is not installed."""
    if _counters is not None:
        _counters.count(metric, **labels)
