"""Which of the errors of ``sqlite3`` a text of the libSQL driver is: it raises ValueError for all.

The texts are SQLite's (``sqlite3ErrStr`` in ``main.c``, ``vdbe.c``, ``insert.c``, the parser's). What a
trigger raises is in its author's words, and is told by being none of them.
"""

from __future__ import annotations

import re
import sqlite3

BUSY = "database is locked"

_FOR_A_CONSTRAINT = re.compile(
    r"(?:UNIQUE|NOT NULL|CHECK|FOREIGN KEY|PRIMARY KEY) constraint failed|constraint failed$"
    r"|datatype mismatch|cannot store \w+ value in \w+ column"
)
_FOR_DATA = re.compile(r"string or blob too big|text that is not UTF-8")
_FOR_THE_FILE = re.compile(r"malformed$|file is not a database|disk image|encrypted")
_OF_SQLITE = re.compile(
    r"no such |near |syntax error|incomplete input|unrecognized token|has no column named|ambiguous column"
    r"|is locked|readonly|disk |I/O error|unable to open|Unable to open|interrupted|out of memory|too many"
    r"|already exists|already another|^cannot |wrong number of arguments|misuse|may not |values for "
    r"|values were supplied|no tables specified|stack overflow|integer overflow|malformed JSON|error in "
    r"|not authorized|no query solution|recursive|out of range|not allowed|must be|schema has changed"
    r"|duplicate column|unsupported|Hrana|Failed to connect|foreign key mismatch|bad JSON path"
)
_CHANGE = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:INSERT|UPDATE|DELETE|REPLACE|WITH)\b", re.I | re.DOTALL)


def changes_rows(sql: str) -> bool:
    """Whether a statement inserts, updates or deletes, or may."""
    return _CHANGE.match(sql) is not None


def as_sqlite(error: BaseException, sql: str = "") -> sqlite3.Error:
    """Returns what the standard library's driver would have raised.

    Args:
        error: what the libSQL driver raised.
        sql: the statement.
    """
    text = str(error)
    if "Utf8Error" in text:
        return sqlite3.OperationalError("The libSQL driver cannot read text that is not UTF-8")
    if not isinstance(error, ValueError):
        return sqlite3.InterfaceError(f"The libSQL driver failed: {text}")
    return _class_of(text, sql)(text)


def _class_of(text: str, sql: str) -> type[sqlite3.Error]:
    if _FOR_A_CONSTRAINT.search(text):
        return sqlite3.IntegrityError
    if _FOR_DATA.search(text):
        return sqlite3.DataError
    if _FOR_THE_FILE.search(text):
        return sqlite3.DatabaseError
    by_trigger = changes_rows(sql) and not _OF_SQLITE.search(text)
    return sqlite3.IntegrityError if by_trigger else sqlite3.OperationalError
