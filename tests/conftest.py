"""What all tests share; the fixtures themselves are in ``servers``, ``browser`` and ``skips``."""

from pathlib import Path

import pytest
from django.db import connections

pytest_plugins = ["tests.servers", "tests.catalogs", "tests.browser", "tests.pgbouncer", "tests.skips"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the site's own database in a file of this run's.

    In memory, SQLite's threads share one cache and lock each other out; in the checkout, two runs would
    share one file.
    """
    folder: Path = tmp_path_factory.mktemp("site")
    connections["default"].settings_dict["TEST"]["NAME"] = str(folder / "site.sqlite3")
