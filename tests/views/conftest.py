"""A site with the product's pages, and a target with two migrations."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from integrity import tasks
from integrity.tasks import probing
from tests.operations.conftest import SHOP, Shop
from tests.servers import EmptyTarget

READ = "reads-the-metrics"
MIGRATE = "migrates-the-shop"


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    """No test gets an answer that another asked for."""
    probing.looks.forget()
    probing.measures.forget()
    yield
    tasks.wait_for_jobs()


@pytest.fixture
def site(settings: Any, tmp_path: Path) -> Client:
    """A client of a site with tokens, which checks CSRF as a browser meets it."""
    settings.ROOT_URLCONF = "tests.metrics.site"
    settings.INTEGRITY = {
        "CATALOG_ROOT": tmp_path / "catalogs",
        "METRICS_TOKEN": READ,
        "MIGRATE_TOKENS": {"pipeline": MIGRATE},
        "LOCK_TIMEOUT_MS": 300,
        "LOCK_ATTEMPTS": 2,
    }
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def shop(empty_target: EmptyTarget, site: Client, tmp_path: Path) -> Shop:
    """A target with orders and customers, on every engine."""
    found = Shop(empty_target, tmp_path / "catalogs")
    found.execute(SHOP)
    return found


@pytest.fixture
def read(site: Client) -> Callable[..., Any]:
    """Read a page with the token, which must succeed."""

    def get(page: str, status: int = 200, **query: Any) -> Any:
        answer = site.get(f"/integrity/{page}/", query, headers={"Authorization": f"Bearer {READ}"})
        assert answer.status_code == status, answer.content
        return answer.json()

    return get
