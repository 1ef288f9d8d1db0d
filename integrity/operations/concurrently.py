"""Builds and drops indexes on PostgreSQL while others write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError

from integrity import conf
from integrity.database.identifiers import TableName
from integrity.database.postgresql import ddl, errors
from integrity.database.schema import Index, Schema, Table, TableKind
from integrity.exceptions import TargetBusy
from integrity.operations.alteration import Alteration

_SETTINGS = ("lock_timeout", "statement_timeout")


def create_index(work: Alteration, table: Table, name: str, columns: tuple[str, ...], **more: Any) -> None:
    """Builds an index on a table that holds rows itself; an invalid one of its name is built anew.

    Args:
        work: the operation at work.
        table: the table.
        name: what the index is called.
        columns: its columns.
        more: what else it is (:func:`integrity.database.clauses.create_index`).

    Raises:
        TargetBusy: while a long transaction would be waited for.
    """
    build(work, table, name, ddl.create_index(name, table.name, columns, **more))


def build(work: Alteration, table: Table, name: str, sql: str) -> None:
    """Builds an index by its own CREATE INDEX CONCURRENTLY; nothing stays of one that fails.

    Raises:
        TargetBusy: while a long transaction would be waited for.
    """
    drop_invalid(work, table, name)
    if any(index.name == name for index in table.indexes if index.valid):
        return
    work.outside_transactions("CREATE INDEX CONCURRENTLY")
    _wait_for_others(work, table)
    with _without_timeouts(work), work.session.engine.errors(work.session):
        try:
            work.execute(sql)
        except DatabaseError:
            # What a failed build leaves behind slows writes down, and a unique one refuses them.
            with suppress(DatabaseError):
                drop_invalid(work, work.look().table(table.name), name)
            raise


def drop_index(work: Alteration, schema: str, name: str) -> None:
    """Drops an index that is not a partition's."""
    work.outside_transactions("DROP INDEX CONCURRENTLY")
    with _without_timeouts(work), work.session.engine.errors(work.session):
        work.execute(ddl.drop_index(schema, name))


def drop_invalid(work: Alteration, table: Table, name: str) -> None:
    """Drops what a failed build left under this name."""
    if any(index.name == name and not index.valid for index in table.indexes):
        drop_index(work, table.name.schema, name)


def partitions(schema: Schema, table: Table) -> tuple[Table, ...]:
    """Returns the partitions on which the index of a partitioned table must be built one by one."""
    return schema.leaves(table.name) if table.kind is TableKind.PARTITIONED else ()


def partition_name(name: str, partition: TableName) -> str:
    """Returns what a partition's part of an index is called: its own name, told apart at its end."""
    ending = f"_{partition.name}"[-30:]
    return name[: 63 - len(ending.encode())] + ending


def blocked(work: Alteration, table: Table) -> str:
    """Returns who would be waited for, in words; empty when nobody would."""
    for pid, user, program, seconds in work.session.rows(ddl.LONG_TRANSACTIONS, [table.oid]):
        who = ", ".join(part for part in (f"process {pid}" if pid else "", user, program) if part)
        return f"a transaction open for {seconds} s ({who})"
    return ""


def _wait_for_others(work: Alteration, table: Table) -> None:
    until = time.monotonic() + conf.lock_timeout_ms() / 1000 * conf.lock_attempts()
    while who := blocked(work, table):
        if time.monotonic() >= until:
            raise TargetBusy(
                f"Building an index would wait for {who}",
                where=f"{work.alias}, {table.name}",
                hint="Nothing was changed. End that transaction, or try again when it is done.",
            )
        time.sleep(0.2)


@contextmanager
def _without_timeouts(work: Alteration) -> Iterator[None]:
    """A timeout would leave an invalid index behind. Only those that are set are taken off, so that
    nothing of the session is touched in the usual case."""
    limits = {name: work.session.value(f"SHOW {name}") for name in _SETTINGS}
    limited = [name for name, value in limits.items() if value != "0"]
    if limited and work.session.engine.pooled(work.session):
        set_for_all = f"{' and '.join(limited)} is set for every session, and must not bound an index"
        raise errors.needs_direct(set_for_all, work.alias)
    for name in limited:
        work.execute(f"SET {name} = 0")
    try:
        yield
    finally:
        for name in limited:
            work.execute(f"SET {name} = '{limits[name]}'")


def named(schema: Schema, name: str, within: str) -> Index | None:
    """Returns the index of that name in a schema, on whatever table, or None."""
    for table in schema:
        if table.name.schema == within:
            for index in table.indexes:
                if index.name == name:
                    return index
    return None
