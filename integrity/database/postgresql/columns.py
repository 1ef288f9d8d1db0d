"""Columns on PostgreSQL: removed at once, added again without a rewrite; statements without parameters."""

from __future__ import annotations

import re

from integrity.database import clauses
from integrity.database.identifiers import TableName, literal
from integrity.database.schema import Column
from integrity.database.session import Session

HIDE_NOTHING = "SET LOCAL row_security = off"

# What ADD COLUMN does not say: where and how large values are stored, how many of them ANALYZE looks at,
# the comment, and rights on the column alone.
SETTINGS = """
SELECT CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
       ELSE 'EXTENDED' END, a.attstorage = t.typstorage,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE '' END,
       coalesce(a.attstattarget, -1), coalesce(col_description(a.attrelid, a.attnum), ''),
       ARRAY(SELECT format('GRANT %%s (%%I) ON %%s TO %%s', g.privilege_type, a.attname, a.attrelid::regclass,
                    CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
                    || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
             FROM aclexplode(a.attacl) g)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = %s AND a.attname = %s
"""


def settings(session: Session, table: TableName, oid: int, column: str) -> tuple[str, ...]:
    """Returns the statements that give a column back what ADD COLUMN does not say."""
    storage, usual, compression, target, comment, grants = session.row(SETTINGS, [oid, column])
    alter = f"{_alter(table)} ALTER COLUMN {clauses.name(column)}"
    found = [] if usual else [f"{alter} SET STORAGE {storage}"]
    found += [f"{alter} SET COMPRESSION {compression}"] if compression else []
    found += [f"{alter} SET STATISTICS {int(target)}"] if target >= 0 else []
    on = f"{clauses.table(table)}.{clauses.name(column)}"
    found += [f"COMMENT ON COLUMN {on} IS {literal(comment)}"] if comment else []
    return (*found, *grants)


def lock(table: TableName, mode: str) -> str:
    """Keeps others away from a table until the transaction ends."""
    return f"LOCK TABLE {clauses.table(table)} IN {mode} MODE"


def drop(table: TableName, column: str) -> str:
    """Takes a column away, at once at any size."""
    return f"{_alter(table)} DROP COLUMN {clauses.name(column)}"


def add(table: TableName, column: Column) -> list[str]:
    """Adds a column behind all others, empty, its default for new rows alone: at once at any size."""
    name = clauses.name(column.name)
    collation = f" COLLATE {column.collation}" if column.collation else ""
    found = [f"{_alter(table)} ADD COLUMN {name} {column.type}{collation}"]
    if column.default is not None:
        found.append(f"{_alter(table)} ALTER COLUMN {name} SET DEFAULT {column.default}")
    return found


def add_filled(table: TableName, column: Column) -> str:
    """Adds a column with a default that is the same for every row, which no row is rewritten for (manual,
    ALTER TABLE, Notes)."""
    return f"{_alter(table)} ADD COLUMN {clauses.column_definition(column)}"


_CONSTANT = re.compile(
    r"^\(*('([^']|'')*'|[+-]?\s*[\d.]+(e[+-]?\d+)?|null|true|false|now\(\)|current_(timestamp|date|time)|localtimestamp)"
    r"\)*(\s*::\s*[a-z_][\w .]*(\(\d+(,\s*\d+)?\))?(\[\])?\)*)*$",
    re.IGNORECASE,
)


def is_constant(default: str) -> bool:
    """Whether a default is surely the same for every row of one statement."""
    return _CONSTANT.match(default.strip()) is not None


HAS_CHECK = "SELECT convalidated FROM pg_constraint WHERE conrelid = %s AND conname = %s"


def require_for_new_rows(table: TableName, column: str, check: str) -> str:
    """Lets new rows hold no NULL, at once; by a check, under which NOT NULL needs no look at the rows."""
    condition = f"{clauses.name(column)} IS NOT NULL"
    return f"{_alter(table)} ADD CONSTRAINT {clauses.name(check)} CHECK ({condition}) NOT VALID"


def require(table: TableName, column: str) -> str:
    """Lets a column hold no NULL; reads the table."""
    return f"{_alter(table)} ALTER COLUMN {clauses.name(column)} SET NOT NULL"


def concurrently(definition: str) -> str:
    """A CREATE INDEX that lets others write meanwhile."""
    for head in ("CREATE UNIQUE INDEX ", "CREATE INDEX "):
        if definition.startswith(head):
            return f"{head}CONCURRENTLY {definition[len(head) :]}"
    return definition


def _alter(table: TableName) -> str:
    return f"ALTER TABLE {clauses.table(table)}"
