"""What each statement locks (PostgreSQL manual, 13.3.1 "Table-Level Locks", and each command's own page)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from integrity.database.identifiers import TableName
from integrity.database.locks import Doing, StatementLock, Waiting
from integrity.database.statements import NAME, TABLE, table_of, transactions

_FLAGS = re.IGNORECASE | re.DOTALL
_ALTER = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>{TABLE})\s.*?"
_REFERENCES = re.compile(rf"REFERENCES (?P<to>{TABLE})", _FLAGS)
_INDEX = rf"CREATE (?:UNIQUE )?INDEX {{}}(?:IF NOT EXISTS )?(?:{NAME} )?ON {{}}(?P<table>{TABLE})"
_QUIET = re.compile(r"(SET|RESET|SELECT|SHOW|ANALYZE|COMMENT|SAVEPOINT|RELEASE)\b", _FLAGS)


@dataclass(frozen=True)
class _Kind:
    """Statements that lock alike."""

    pattern: re.Pattern[str]
    mode: str
    waiting: Waiting
    doing: Doing


def _kind(pattern: str, mode: str, waiting: Waiting, doing: Doing = Doing.MOMENT) -> _Kind:
    return _Kind(re.compile(pattern, _FLAGS), mode, waiting, doing)


_ALONE, _ROWS, _SHARED, _OPEN = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE", "SHARE UPDATE EXCLUSIVE"
_ALL, _WRITERS, _NOBODY = Waiting.EVERYBODY, Waiting.WRITERS, Waiting.NOBODY

_KINDS = (
    _kind(_INDEX.format("CONCURRENTLY ", "(?:ONLY )?"), _OPEN, _NOBODY, Doing.BUILDS),
    _kind(_INDEX.format("", "ONLY "), _SHARED, _WRITERS),
    _kind(_INDEX.format("", ""), _SHARED, _WRITERS, Doing.BUILDS),
    _kind(r"DROP INDEX CONCURRENTLY\b", _OPEN, _NOBODY),
    _kind(r"DROP INDEX\b", _ALONE, _ALL),
    _kind(_ALTER + r"VALIDATE CONSTRAINT", _OPEN, _NOBODY, Doing.READS),
    _kind(_ALTER + r"FOREIGN KEY.*NOT VALID", _ROWS, _WRITERS),
    _kind(_ALTER + rf"ADD (?:CONSTRAINT {NAME} )?FOREIGN KEY", _ROWS, _WRITERS, Doing.READS),
    _kind(_ALTER + r"USING INDEX", _ALONE, _ALL),
    _kind(_ALTER + rf"ADD (?:CONSTRAINT {NAME} )?(?:UNIQUE|PRIMARY KEY)", _ALONE, _ALL, Doing.BUILDS),
    _kind(_ALTER + r"CHECK\b.*NOT VALID", _ALONE, _ALL),
    _kind(_ALTER + rf"ADD (?:CONSTRAINT {NAME} )?CHECK", _ALONE, _ALL, Doing.READS),
    _kind(_ALTER + rf"(?:SET NOT NULL|ALTER CONSTRAINT {NAME} ENFORCED)", _ALONE, _ALL, Doing.READS),
    _kind(_ALTER + rf"ALTER (?:COLUMN )?{NAME} (?:SET DATA )?TYPE", _ALONE, _ALL, Doing.REWRITES),
    _kind(_ALTER + r"(?:ENABLE|DISABLE) (?:ALWAYS |REPLICA )?TRIGGER", _ROWS, _WRITERS),
    _kind(_ALTER, _ALONE, _ALL),
    _kind(rf"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER .*? ON (?P<table>{TABLE})", _ROWS, _WRITERS),
    _kind(rf"DROP TRIGGER .*? ON (?P<table>{TABLE})", _ALONE, _ALL),
    _kind(rf"DROP TABLE (?:IF EXISTS )?(?P<table>{TABLE})", _ALONE, _ALL),
    _kind(rf"DROP (?:MATERIALIZED )?VIEW (?:IF EXISTS )?(?P<table>{TABLE})", _ALONE, _ALL),
    _kind(
        rf"(?:INSERT INTO|UPDATE(?: ONLY)?|DELETE FROM(?: ONLY)?) (?P<table>{TABLE})",
        "ROW EXCLUSIVE", _NOBODY, Doing.CHANGES,
    ),
)  # fmt: skip
"""The first that fits counts."""

_LOCK = re.compile(rf"LOCK TABLE (?:ONLY )?(?P<table>{TABLE}) IN (?P<mode>[\w ]+?) MODE", _FLAGS)
_NEW = re.compile(r"CREATE\b", _FLAGS)
_STRONGEST = {_ALONE: _ALL, "EXCLUSIVE": _WRITERS, _ROWS: _WRITERS, _SHARED: _WRITERS}


def statement_locks(statements: Sequence[str], default_schema: str) -> Iterator[StatementLock]:
    """Yields what each statement of a script locks; what only begins, ends or sets something is left out."""
    for together in transactions(statements):
        found = [_lock(each, lambda text: table_of(text, default_schema)) for each in together]
        locking = [each for each in found if each is not None]
        for each in locking:
            yield replace(each, together=len(locking))


def _lock(sql: str, named: Callable[[str], TableName]) -> StatementLock | None:
    text = " ".join(sql.split())
    if _QUIET.match(text):
        return None
    if explicit := _LOCK.match(text):
        mode = explicit["mode"].upper()
        return StatementLock(sql, mode, (named(explicit["table"]),), _STRONGEST.get(mode, _NOBODY))
    for kind in _KINDS:
        if match := kind.pattern.match(text):
            tables = [match["table"]] if "table" in kind.pattern.groupindex else []
            tables += [each["to"] for each in _REFERENCES.finditer(text)]
            listed = tuple(dict.fromkeys(named(each) for each in tables))
            return StatementLock(sql, kind.mode, listed, kind.waiting, kind.doing)
    return _new(sql, text, named) if _NEW.match(text) else StatementLock(sql, known=False)


def _new(sql: str, text: str, named: Callable[[str], TableName]) -> StatementLock:
    """What is made new is nobody's yet; the tables that its foreign keys refer to are others'."""
    to = tuple(dict.fromkeys(named(each["to"]) for each in _REFERENCES.finditer(text)))
    return StatementLock(sql, _ROWS, to, _WRITERS) if to else StatementLock(sql)
