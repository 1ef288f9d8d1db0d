"""What each statement locks: the file has one lock for writers (SQLite, "File Locking And Concurrency")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from integrity.database.locks import Doing, StatementLock, Waiting
from integrity.database.statements import NAME, TABLE, table_of, transactions

_FLAGS = re.IGNORECASE | re.DOTALL
_SCHEMA = "main"
_INDEX = re.compile(rf"CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?{TABLE} ON (?P<table>{TABLE})", _FLAGS)
_CHANGES = re.compile(
    rf"(?:INSERT (?:OR \w+ )?INTO|REPLACE INTO|UPDATE(?: OR \w+)?|DELETE FROM) (?P<table>{TABLE})", _FLAGS
)
_REBUILDS = re.compile(rf"ALTER TABLE (?P<table>{TABLE}) DROP (?:COLUMN )?{NAME}", _FLAGS)
_MOMENT = re.compile(r"(CREATE|DROP|ALTER|PRAGMA writable_schema|PRAGMA schema_version)\b", _FLAGS)
_LOOKS = re.compile(r"(SELECT|PRAGMA|EXPLAIN|SAVEPOINT|RELEASE|WITH)\b", _FLAGS)
_CHECKS = re.compile(rf"PRAGMA foreign_key_check ?\( ?(?P<table>{TABLE}) ?\)", _FLAGS)
_OWN = ("sqlite_schema", "sqlite_master")


def statement_locks(statements: Sequence[str]) -> Iterator[StatementLock]:
    """Yields what each statement of a script locks; what only looks or begins a transaction is left out."""
    for together in transactions(statements):
        locking = [each for each in map(_lock, together) if each is not None]
        for each in locking:
            yield replace(each, together=len(locking))


def _lock(sql: str) -> StatementLock | None:
    text = " ".join(sql.split())
    for pattern, doing in ((_INDEX, Doing.BUILDS), (_CHANGES, Doing.CHANGES), (_REBUILDS, Doing.REWRITES)):
        if match := pattern.match(text):
            table = table_of(match["table"], _SCHEMA)
            doing = Doing.MOMENT if table.name in _OWN else doing
            return StatementLock(sql, "RESERVED", (table,), Waiting.WRITERS, doing)
    if match := _CHECKS.match(text):
        return StatementLock(sql, "SHARED", (table_of(match["table"], _SCHEMA),), doing=Doing.READS)
    if _MOMENT.match(text):
        return (
            None if text.upper().startswith("PRAGMA") else StatementLock(sql, "RESERVED", (), Waiting.WRITERS)
        )
    return None if _LOOKS.match(text) else StatementLock(sql, known=False)
