"""The connection that migrations run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity import conf
from integrity.database.session import Target
from integrity.database.sqlite import ddl
from integrity.exceptions import SchemaFixRefused


def direct_of(target: Target) -> Target:
    """Returns the alias that reaches the server past a pooler: indexes are built outside of transactions."""
    return Target(conf.direct_alias(target.alias))


@contextmanager
def opened(target: Target) -> Iterator[BaseDatabaseWrapper]:
    """Opens the alias that migrations run on, and leaves it closed.

    Raises:
        SchemaFixRefused: within a transaction.
        TargetUnreachable, WrongCredentials: when it cannot be opened.
    """
    direct = direct_of(target)
    if connections[direct.alias].in_atomic_block:
        raise SchemaFixRefused(
            "Migrations cannot run within a transaction",
            where=target.alias,
            hint="Call this outside of atomic() and ATOMIC_REQUESTS, in a thread or process of its own.",
        )
    with direct.migrating() as connection:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(ddl.patience(conf.lock_timeout_ms()))
        yield connection
