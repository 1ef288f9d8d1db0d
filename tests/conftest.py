"""What all tests share; the fixtures themselves are in ``servers``, ``browser`` and ``skips``."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db import connections
from hypothesis import HealthCheck, settings

from integrity.tasks.background import threads

pytest_plugins = ["tests.servers", "tests.catalogs", "tests.browser", "tests.pgbouncer", "tests.skips"]

settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the site's own database in a file of this run's.

    In memory, SQLite's threads share one cache and lock each other out; in the checkout, two runs would
    share one file.
    """
    folder: Path = tmp_path_factory.mktemp("site")
    connections["default"].settings_dict["TEST"]["NAME"] = str(folder / "site.sqlite3")
    connections["default"].settings_dict["OPTIONS"]["init_command"] = "PRAGMA synchronous = OFF"


KEPT = ("django_content_type", "auth_permission")
"""What migrating makes and no test changes."""


@pytest.fixture(scope="session", autouse=True)
def flush_quickly() -> Iterator[None]:
    """Empty the site's database after a test without making its kinds and permissions anew.

    That takes Django fifteen times as long as the rest, and is done for most tests here.
    """

    def statements(style: Any, connection: Any, **wishes: Any) -> list[str]:
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        found = [name for name in names if name not in KEPT]
        return list(connection.ops.sql_flush(style, found, **wishes))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush, "sql_flush", statements)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **wishes: None)
        yield


PATIENCE = 60
"""Seconds; only a failure waits so long."""


@pytest.fixture(scope="session", autouse=True)
def wait_for_threads() -> Iterator[None]:
    """Wait to its end for a job of this process that a page waits for at all.

    A site shows where it can be watched after a second; here a slow machine would meet another page then
    than a fast one.
    """
    wait_for_thread = threads.wait_for_thread

    def wait(pk: int, seconds: float) -> None:
        wait_for_thread(pk, seconds and max(seconds, PATIENCE))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "wait_for_thread", wait)
        yield
