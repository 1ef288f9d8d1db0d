"""Rebuilds a table with another definition, where its stored text may not be edited.

The twelve steps of the SQLite manual, ALTER TABLE, section 7, "Making Other Kinds Of Table Schema
Changes". Rowids, indexes, triggers and AUTOINCREMENT counters come out as they went in. The caller
holds the write lock, with foreign keys off and ``legacy_alter_table`` on.
"""

from __future__ import annotations

from integrity.database import clauses
from integrity.database.identifiers import literal
from integrity.database.schema import Table
from integrity.database.session import Session
from integrity.database.sqlite.tokens import parse_create_table

LENIENT = "PRAGMA legacy_alter_table = ON"
STRICT = "PRAGMA legacy_alter_table = OFF"
"""While lenient, a rename touches neither views nor the foreign keys of other tables."""

_MADE_BY_HAND = """
SELECT sql FROM sqlite_master WHERE tbl_name = %s AND type IN ('index', 'trigger') AND sql <> ''
"""
_COUNTER = "SELECT seq FROM sqlite_sequence WHERE name = %s"


def statements(session: Session, table: Table, definition: str) -> list[str]:
    """Returns what rebuilds ``table`` with ``definition``, in the order in which it must run."""
    name = table.name.name
    old, new = clauses.name(name), clauses.name(f"integrity_new_{name}")
    body = definition[parse_create_table(definition).open :]
    listed = clauses.columns(column.name for column in table.stored_columns)
    if table.rowid:
        listed = f"{table.rowid}, {listed}"
    return [
        f"CREATE TABLE {new} {body}",
        f"INSERT INTO {new} ({listed}) SELECT {listed} FROM {old}",
        f"DROP TABLE {old}",
        f"ALTER TABLE {new} RENAME TO {old}",
        *(row[0] for row in session.rows(_MADE_BY_HAND, [name])),
        *counter(session, name),
    ]


def counter(session: Session, name: str) -> list[str]:
    """Returns what puts an AUTOINCREMENT counter where it stands; it may be beyond the last row."""
    if not session.value("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
        return []
    counted = session.value(_COUNTER, [name])
    if counted is None:
        return []
    place = f"WHERE name = {literal(name)}"
    return [
        f"DELETE FROM sqlite_sequence {place}",
        f"INSERT INTO sqlite_sequence (name, seq) VALUES ({literal(name)}, {int(counted)})",
    ]
