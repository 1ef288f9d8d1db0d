"""Spellings and moments as SQLite writes them: by storage class, for a column promises nothing."""

from __future__ import annotations

from integrity.database.schema import Table
from integrity.database.session import Session
from integrity.database.spelling import Form

LAST_ROWID = "SELECT max(seq) FROM sqlite_sequence WHERE name = %s"
HAS_SEQUENCES = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"


def form(sql: str, form: Form) -> str:
    """SQL for a value in one of the forms, which then compare byte by byte; 16 bytes are a UUID."""
    is_uuid = f"typeof({sql}) = 'blob' AND length({sql}) = 16"
    text = f"CASE WHEN {is_uuid} THEN hex({sql}) ELSE CAST({sql} AS TEXT) END"
    trimmed = f"trim({text}, char(32, 9, 10, 13))"
    folded = f"lower({trimmed})"
    if form is not Form.NORMAL:
        return f"({trimmed if form is Form.TRIMMED else folded}) COLLATE BINARY"
    bare = folded
    for sign in ("urn:uuid:", "{", "}", "(", ")", "-"):
        bare = f"replace({bare}, '{sign}', '')"
    dot = f"instr({folded}, '.')"
    before = f"CASE WHEN {dot} = 0 THEN {folded} ELSE substr({folded}, 1, {dot} - 1) END"
    return (
        f"(CASE WHEN length({folded}) BETWEEN 32 AND 47 AND length({bare}) = 32 "
        f"AND {bare} NOT GLOB '*[^0-9a-f]*' THEN {bare} "
        f"WHEN {folded} GLOB '[0-9]*' AND {folded} NOT GLOB '*[^0-9.]*' "
        f"AND {dot} IN (0, length(rtrim({folded}, '0'))) "
        f"THEN coalesce(nullif(ltrim({before}, '0'), ''), '0') ELSE {folded} END COLLATE BINARY)"
    )


def epoch(sql: str) -> str:
    """SQL for a moment in seconds since 1970: text as SQLite's date functions read it, numbers as
    seconds, milliseconds or microseconds since then; NULL for anything else."""
    return (
        f"CASE WHEN typeof({sql}) = 'text' THEN CAST(strftime('%%s', {sql}) AS REAL) "
        f"WHEN typeof({sql}) NOT IN ('integer', 'real') OR {sql} < 1e8 THEN NULL "
        f"WHEN {sql} < 1e11 THEN {sql} * 1.0 WHEN {sql} < 1e14 THEN {sql} / 1e3 ELSE {sql} / 1e6 END"
    )


def last_given(session: Session, table: Table, column: str) -> int | None:
    """What AUTOINCREMENT remembers (SQLite manual, "SQLite Autoincrement")."""
    if session.value(HAS_SEQUENCES) is None:
        return None
    value = session.value(LAST_ROWID, [table.name.name])
    return None if value is None else int(value)


def readable(sql: str, letters: int | None) -> tuple[str, str]:
    """A value as text; a binary one by its size, or as PostgreSQL writes it where all of it is wanted."""
    text, binary = f"CAST({sql} AS TEXT)", f"typeof({sql}) = 'blob'"
    if letters is None:
        return f"CASE WHEN {binary} THEN '\\x' || lower(hex({sql})) ELSE {text} END", "NULL"
    return (
        f"CASE WHEN NOT {binary} THEN substr({text}, 1, {int(letters)}) END",
        f"CASE WHEN {binary} THEN length({sql}) END",
    )


def as_literal(sql: str) -> str:
    """A value as SQL: by ``quote()``, which writes infinity as a word that is no SQL."""
    infinite = f"typeof({sql}) = 'real' AND abs({sql}) = 9e999"
    written = f"CASE WHEN {sql} > 0 THEN '9e999' ELSE '-9e999' END"
    return f"CASE WHEN {infinite} THEN {written} ELSE quote({sql}) END"
