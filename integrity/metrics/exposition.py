"""All metrics in the format that a Prometheus server asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import prometheus_client
from prometheus_client import multiprocess
from prometheus_client.exposition import choose_encoder

from integrity.metrics.collecting import InUse, Remembered
from integrity.metrics.counters import REGISTRY

PREFIX = "integrity_"


def exposition(accept: str) -> tuple[bytes, str]:
    """Returns all metrics, and their content type.

    Args:
        accept: the header of that name.
    """
    encoder, content_type = choose_encoder(accept)
    registry = prometheus_client.CollectorRegistry()
    registry.register(_Counted())
    registry.register(Remembered())
    registry.register(InUse())
    return encoder(registry), content_type


class _Counted:
    """What this process counted; with PROMETHEUS_MULTIPROC_DIR what all processes did, and of what others
    keep there nothing."""

    def collect(self) -> Iterator[Any]:
        """Yields the families of one scrape."""
        source: Any = REGISTRY
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            source = multiprocess.MultiProcessCollector(None)  # type: ignore[no-untyped-call]
        for family in source.collect():
            if family.name.startswith(PREFIX):
                family.samples = [each for each in family.samples if not each.name.endswith("_created")]
                yield family
