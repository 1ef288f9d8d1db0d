"""Databases for tests: every PostgreSQL of this machine, and SQLite files.

A worker starts a server when its first test asks for it and stops it at its end. Targets are registered
under aliases of their own for one test. They are opened without the ``django_db`` mark, which is for the
site's own database: that one stays closed to a test that does not have it.
"""

import os
import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.sql import SQL, Identifier
from pytest_django import DjangoDbBlocker

from integrity_project.postgres import Installation, PostgresServer, find_servers, start
from integrity_project.targets import database_settings

SQLITE = "sqlite"
INSTALLATIONS: Mapping[int, Installation] = {found.major: found for found in find_servers()}
"""What this machine has, by major version, newest first."""

NO_POSTGRES = pytest.mark.skip(reason="this machine has no PostgreSQL server")

MakePostgresDatabase = Callable[[PostgresServer], str]
RegisterTarget = Callable[[str, str], str]


class PostgresServers(Mapping[int, PostgresServer]):
    """The servers by major version, each started when it is first asked for."""

    def __init__(self) -> None:
        self._running: dict[int, PostgresServer] = {}

    def __getitem__(self, major: int) -> PostgresServer:
        if major not in self._running:
            self._running[major] = start(INSTALLATIONS[major])
        return self._running[major]

    def __iter__(self) -> Iterator[int]:
        return iter(INSTALLATIONS)

    def __len__(self) -> int:
        return len(INSTALLATIONS)

    def stop(self) -> None:
        """Stop those that were started."""
        for server in self._running.values():
            server.stop()


@dataclass(frozen=True)
class EmptyTarget:
    """A registered target without a table, and the means to put it into any state."""

    alias: str
    vendor: str
    url: str = field(repr=False)
    server: PostgresServer | None = field(default=None, repr=False)

    def execute_script(self, sql: str) -> None:
        """Run statements as the application would: on a connection of its own, committed."""
        if self.vendor == SQLITE:
            with closing(self._sqlite()) as connection:
                connection.executescript(sql)
        else:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(SQL(sql))  # type: ignore[arg-type]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds, seen from outside."""
        if self.vendor == SQLITE:
            with closing(self._sqlite()) as connection:
                return connection.execute(sql).fetchall()
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(SQL(sql)).fetchall()  # type: ignore[arg-type]

    def _sqlite(self) -> sqlite3.Connection:
        return sqlite3.connect(database_settings(self.url)["NAME"])


def tested_majors() -> list[int]:
    """Return the oldest and the newest major version, or with ``TEST_POSTGRES=all`` every one.

    Versions differ at their ends; those between cost time and have found nothing of their own.
    """
    majors = sorted(INSTALLATIONS)
    return majors if os.environ.get("TEST_POSTGRES") == "all" else sorted({*majors[:1], *majors[-1:]})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each server, or each engine, that it asks for."""
    majors = tested_majors()
    if metafunc.definition.get_closest_marker("newest_postgres_only"):
        majors = majors[-1:]
    servers = [pytest.param(major, id=f"pg{major}") for major in majors] or [
        pytest.param(None, id="pg", marks=NO_POSTGRES)
    ]
    if "postgres_server" in metafunc.fixturenames:
        metafunc.parametrize("postgres_server", servers, indirect=True)
    if "empty_target" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("engine")
        engines = {SQLITE: [pytest.param(SQLITE, id=SQLITE)], "postgresql": servers}
        wanted = [
            param for name, some in engines.items() if only is None or name in only.args for param in some
        ]
        metafunc.parametrize("empty_target", wanted, indirect=True)


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[PostgresServers]:
    """Every PostgreSQL of this machine by major version, started on demand."""
    servers = PostgresServers()
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest, postgres_servers: PostgresServers) -> PostgresServer:
    """A PostgreSQL server; the test runs once for each tested major version."""
    return postgres_servers[request.param]


@pytest.fixture(scope="session")
def newest_postgres(postgres_servers: PostgresServers) -> PostgresServer:
    """The newest PostgreSQL server, for what does not differ between versions."""
    if not INSTALLATIONS:
        pytest.skip(NO_POSTGRES.kwargs["reason"])
    return postgres_servers[max(INSTALLATIONS)]


@pytest.fixture(scope="session")
def emptied_databases() -> Mapping[int, list[str]]:
    """Databases of ended tests, empty again, by the port of their server."""
    return defaultdict(list)


@pytest.fixture
def make_postgres_database(emptied_databases: Mapping[int, list[str]]) -> Iterator[MakePostgresDatabase]:
    """Return a function that gives an empty database on a server, by its URL.

    To make one takes PostgreSQL longer than most tests take, so that an ended test's is emptied and used
    again: nobody has a session there any more, and nothing is in it.
    """
    made: list[tuple[PostgresServer, str]] = []

    def make(server: PostgresServer) -> str:
        emptied = emptied_databases[server.port]
        name = emptied.pop() if emptied else _new_database(server)
        made.append((server, name))
        return server.url(name)

    yield make
    for server, name in made:
        if _emptied(server, name):
            emptied_databases[server.port].append(name)
        else:
            _on_server(server, SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where a SQLite file can be made; there is none yet."""
    return tmp_path / "target.sqlite3"


@pytest.fixture
def register_target(django_db_blocker: DjangoDbBlocker) -> Iterator[RegisterTarget]:
    """Return a function that registers a URL as a target and returns its alias.

    Every thread sees the alias until the test ends. Connections that ``create_connection`` made belong to
    who made them; those of ``connections[alias]`` in the test's thread are closed.
    """
    registered: list[str] = []

    def register(name: str, url: str) -> str:
        _add_alias(name, database_settings(url, alias=name))
        registered.append(name)
        return name

    with _targets_unblocked(django_db_blocker, registered):
        yield register
        for alias in registered:
            _remove_alias(alias)


@pytest.fixture
def empty_target(
    request: pytest.FixtureRequest,
    register_target: RegisterTarget,
    make_postgres_database: MakePostgresDatabase,
    sqlite_path: Path,
    postgres_servers: PostgresServers,
) -> EmptyTarget:
    """An empty target named ``target``; the test runs once for each engine: SQLite and tested PostgreSQLs.

    A test marked ``alias("…")`` gives it another name.
    """
    named = request.node.get_closest_marker("alias")
    name = named.args[0] if named else "target"
    if request.param == SQLITE:
        sqlite3.connect(sqlite_path).close()
        url = f"sqlite:///{sqlite_path}"
        return EmptyTarget(register_target(name, url), SQLITE, url)
    server = postgres_servers[request.param]
    url = make_postgres_database(server)
    return EmptyTarget(register_target(name, url), "postgresql", url, server)


def _new_database(server: PostgresServer) -> str:
    name = f"test_{uuid.uuid4().hex[:16]}"
    _on_server(server, SQL("CREATE DATABASE {}").format(Identifier(name)))
    return name


_OTHER_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SCHEMAS = """
SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""
_LEFT_OVER = """
SELECT EXISTS (SELECT FROM pg_event_trigger) OR EXISTS (SELECT FROM pg_largeobject_metadata)
    OR EXISTS (SELECT FROM pg_publication) OR EXISTS (SELECT FROM pg_foreign_server)
    OR EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
               WHERE d.datname = current_database())
"""
"""What belongs to no schema; a database that has any of it is not used again."""


def _emptied(server: PostgresServer, name: str) -> bool:
    """Take everything out of a database; whether nothing is left."""
    try:
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            connection.execute(_OTHER_SESSIONS)
            connection.execute("SET lock_timeout = '5s'; SET client_min_messages = warning")
            for (schema,) in connection.execute(_SCHEMAS).fetchall():
                connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
            connection.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")
            connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
            left = connection.execute(_LEFT_OVER).fetchone()
    except psycopg.Error:
        return False
    return left == (False,)


def _on_server(server: PostgresServer, statement: Any) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement)


def _add_alias(alias: str, settings: dict[str, Any]) -> None:
    """Add an entry to ``DATABASES`` while Django runs, with the defaults that it fills in at its start."""
    assert alias not in connections.databases, f"{alias} is registered already"
    connections.databases[alias] = settings
    connections.configure_settings(connections.databases)


def _remove_alias(alias: str) -> None:
    for connection in connections.all(initialized_only=True):
        if connection.alias == alias:
            connection.close()
            del connections[alias]
    del connections.databases[alias]


@contextmanager
def _targets_unblocked(blocker: DjangoDbBlocker, registered: list[str]) -> Iterator[None]:
    """Open the registered aliases, and leave every other as pytest-django has it at this moment."""
    guarded = BaseDatabaseWrapper.ensure_connection
    with blocker.unblock():
        free = BaseDatabaseWrapper.ensure_connection

    def ensure_connection(connection: BaseDatabaseWrapper) -> None:
        (free if connection.alias in registered else guarded)(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseWrapper, "ensure_connection", ensure_connection)
        yield
