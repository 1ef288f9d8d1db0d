"""Which statements change a structure on PostgreSQL; nothing here runs them.

They are sent without parameters, each list in the order in which it must run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.schema import ForeignKey

FIRST_WITH_NULLS_NOT_DISTINCT = 15
FIRST_WITH_NOT_ENFORCED = 18
FIRST_WITH_UNVALIDATED_ON_PARTITIONED = 18

LONG_TRANSACTIONS = """
SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), extract(epoch FROM now() - xact_start)::int
FROM pg_stat_activity a
WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
  AND xact_start < now() - interval '2 seconds'
  AND (backend_xmin IS NOT NULL OR EXISTS (
    SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.relation = %s::oid AND l.granted
       AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareUpdateExclusiveLock')))
UNION ALL
SELECT 0, owner, 'PREPARE TRANSACTION ' || gid, extract(epoch FROM now() - prepared)::int
FROM pg_prepared_xacts WHERE database = current_database()
ORDER BY 4 DESC
"""
"""Transactions that CREATE INDEX CONCURRENTLY would wait for (PostgreSQL manual, "Building Indexes
Concurrently")."""


READERS = """
SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
FROM pg_class c, aclexplode(c.relacl) a
WHERE c.oid = %s AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
"""
"""Who may read a table besides its owner, as GRANT names them."""


def bounds(lock_timeout_ms: int) -> tuple[str, str]:
    """Bounds how long the statements of this transaction wait for a lock, but not how long they run."""
    return f"SET LOCAL lock_timeout = {int(lock_timeout_ms)}", "SET LOCAL statement_timeout = 0"


def add_foreign_key(key: ForeignKey, *, validated: bool = False) -> str:
    """Binds every new row; old ones only when ``validated``."""
    clause = clauses.foreign_key(key, clauses.table(key.referenced_table))
    return f"ALTER TABLE {clauses.table(key.table)} ADD {clause}" + ("" if validated else " NOT VALID")


def validate_foreign_key(table: TableName, name: str) -> str:
    """Checks the old rows; readers and writers go on meanwhile."""
    return f"ALTER TABLE {clauses.table(table)} VALIDATE CONSTRAINT {clauses.name(name)}"


def enforce_foreign_key(table: TableName, name: str) -> str:
    """Makes a NOT ENFORCED key of PostgreSQL 18 bind, after a check of all rows."""
    return f"ALTER TABLE {clauses.table(table)} ALTER CONSTRAINT {clauses.name(name)} ENFORCED"


def drop_constraint(table: TableName, name: str) -> str:
    """Takes a constraint away."""
    return f"ALTER TABLE {clauses.table(table)} DROP CONSTRAINT {clauses.name(name)}"


def unvalidate(key: ForeignKey) -> tuple[str, str]:
    """Returns the two statements that bracket a restore: old rows may break the key afterwards,
    new ones may not. Both belong into one transaction."""
    return drop_constraint(key.table, key.name), add_foreign_key(key)


def create_index(name: str, table: TableName, columns: Sequence[str], **more: Any) -> str:
    """Builds while others write; not within a transaction. ``more``: :func:`clauses.create_index`."""
    return clauses.create_index(name, clauses.table(table), columns, how="CONCURRENTLY", **more)


def create_index_on_parent(name: str, table: TableName, columns: Sequence[str], **more: Any) -> str:
    """Makes the index of a partitioned table of those that its partitions have already."""
    return clauses.create_index(name, clauses.table(table), columns, **more)


def concurrent(definition: str) -> str:
    """Returns a CREATE INDEX as the server keeps it, to be built while others write."""
    head, _, rest = definition.partition(" INDEX ")
    return f"{head} INDEX CONCURRENTLY {rest}"


def drop_index(schema: str, name: str) -> str:
    """Takes an index away while others write; not within a transaction."""
    return f"DROP INDEX CONCURRENTLY {clauses.table(TableName(schema, name))}"


def drop_index_of_parent(schema: str, name: str) -> str:
    """Takes the index of a partitioned table away, and with it those of its partitions."""
    return f"DROP INDEX {clauses.table(TableName(schema, name))}"


def add_unique_using_index(table: TableName, name: str) -> str:
    """Turns a unique index into a constraint of the same name, at once."""
    named = clauses.name(name)
    return f"ALTER TABLE {clauses.table(table)} ADD CONSTRAINT {named} UNIQUE USING INDEX {named}"


def add_unique(
    table: TableName, name: str, columns: Sequence[str], *, nulls_not_distinct: bool = False
) -> str:
    """Makes the unique of a partitioned table of those that its partitions have already."""
    nulls = " NULLS NOT DISTINCT" if nulls_not_distinct else ""
    named, listed = clauses.name(name), clauses.columns(columns)
    return f"ALTER TABLE {clauses.table(table)} ADD CONSTRAINT {named} UNIQUE{nulls} ({listed})"
