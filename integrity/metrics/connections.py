"""How many connections are open: asked of each server for two seconds at most, all of them at once."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity.database.session import Target
from integrity.database.usage import Connections
from integrity.exceptions import ReferentialIntegrityError
from integrity.tasks.probing import SECONDS, Probes

opened: WeakSet[BaseDatabaseWrapper] = WeakSet()
"""Django's connections in this process that were ever opened and are still there."""


def _ask(alias: str) -> Connections | None:
    try:
        with Target(alias).reading(
            statement_timeout_ms=SECONDS * 1_000, connect_timeout_s=SECONDS
        ) as session:
            return session.engine.connections_in_use(session)
    except (ReferentialIntegrityError, DatabaseError, OSError):
        return None


servers = Probes(lambda alias: _ask(alias), "metrics")


def server_aliases() -> list[str]:
    """Returns the aliases behind which there is a server to ask."""
    return [alias for alias in connections.databases if _vendor(alias) == "postgresql"]


def _vendor(alias: str) -> str:
    return str(connections.create_connection(alias).vendor)


def pools() -> dict[str, dict[str, int]]:
    """Returns what Django's own pools in this process say of themselves, by alias; makes none."""
    found: dict[str, Any] = {}
    for connection in list(opened):
        found |= getattr(type(connection), "_connection_pools", {})
    return {alias: pool.get_stats() for alias, pool in found.items() if alias in connections.databases}


def open_in_process() -> dict[str, int]:
    """Returns how many of Django's connections are open in this process, by alias."""
    counted = dict.fromkeys(connections.databases, 0)
    for connection in list(opened):
        if connection.connection is not None and connection.alias in counted:
            counted[connection.alias] += 1
    return counted
