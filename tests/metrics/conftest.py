"""A client of a site that is watched, and its metrics read as a Prometheus server would."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from integrity.metrics import connections as in_use
from integrity.metrics import counters
from tests.factories import TargetFactory

TOKEN = "a token of tests"
Scrape = Callable[[], dict[tuple[str, tuple[tuple[str, str], ...]], float]]


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees what another counted, nor a connection that another watched."""
    registry = CollectorRegistry()
    monkeypatch.setattr(counters, "REGISTRY", registry)
    monkeypatch.setattr("integrity.metrics.exposition.REGISTRY", registry)
    monkeypatch.setattr(counters, "_counters", counters._Counters(registry))
    in_use.servers.forget()
    yield
    for connection in connections.all(initialized_only=True):
        connection.execute_wrappers.clear()
        connection.__dict__.pop("commit", None)


@pytest.fixture
def site(settings: Any, db: None) -> Client:
    """The site; it answers errors as a server does."""
    settings.ROOT_URLCONF = "tests.metrics.site"
    settings.INTEGRITY = {"METRICS_TOKEN": TOKEN}
    TargetFactory(alias="twice")
    return Client(raise_request_exception=False)


@pytest.fixture
def scrape(site: Client) -> Scrape:
    """Return a function that reads all metrics: (name, labels) → value."""

    def read() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        answer = site.get("/integrity/metrics/", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200, answer.content
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return read


def key(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Name a sample."""
    return name, tuple(sorted(labels.items()))
