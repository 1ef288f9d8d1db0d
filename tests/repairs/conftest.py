"""The world that repairs happen in."""

from typing import Any

import pytest

from integrity_project.postgres import PostgresServer
from tests.catalogs import LendCatalog
from tests.repairs.world import World
from tests.servers import EmptyTarget, MakePostgresDatabase, RegisterTarget


@pytest.fixture
def quick_locks(settings: Any) -> None:
    """Locks are waited for briefly."""
    settings.INTEGRITY = {"LOCK_TIMEOUT_MS": 200, "LOCK_ATTEMPTS": 2}


@pytest.fixture
def world(empty_target: EmptyTarget, lend_catalog: LendCatalog) -> World:
    """An empty target, on every engine."""
    return World(empty_target, lend_catalog)


@pytest.fixture
def postgres_world(
    postgres_server: PostgresServer,
    make_postgres_database: MakePostgresDatabase,
    register_target: RegisterTarget,
    lend_catalog: LendCatalog,
) -> World:
    """An empty target on every PostgreSQL."""
    url = make_postgres_database(postgres_server)
    target = EmptyTarget(register_target("target", url), "postgresql", url, postgres_server)
    return World(target, lend_catalog)


@pytest.fixture
def sqlite_world(sqlite_path: Any, register_target: RegisterTarget, lend_catalog: LendCatalog) -> World:
    """An empty SQLite file."""
    sqlite_path.touch()
    url = f"sqlite:///{sqlite_path}"
    return World(EmptyTarget(register_target("target", url), "sqlite", url), lend_catalog)
