"""Spellings and moments as PostgreSQL writes them."""

from __future__ import annotations

from integrity.database.schema import Table
from integrity.database.session import Session
from integrity.database.spelling import Form

# A sequence that this role may not read has no last value here.
LAST_VALUE = """
SELECT last_value FROM pg_sequences
WHERE format('%%I.%%I', schemaname, sequencename)
    = pg_get_serial_sequence(format('%%I.%%I', %s::text, %s::text), %s)
"""


def form(sql: str, form: Form) -> str:
    """SQL for a value in one of the forms, which then compare byte by byte."""
    trimmed = f"btrim(({sql})::text COLLATE \"default\", E' \\t\\n\\r')"
    folded = f"lower({trimmed})"
    if form is not Form.NORMAL:
        return f'({trimmed if form is Form.TRIMMED else folded}) COLLATE "C"'
    bare = f"translate(replace({folded}, 'urn:uuid:', ''), '{{}}()-', '')"
    whole = f"coalesce(nullif(ltrim(split_part({folded}, '.', 1), '0'), ''), '0')"
    return (
        f"(CASE WHEN length({folded}) BETWEEN 32 AND 47 AND {bare} ~ '^[0-9a-f]{{32}}$' THEN {bare} "
        f"WHEN {folded} ~ '^[0-9]+([.]0+)?$' THEN {whole} ELSE {folded} END COLLATE \"C\")"
    )


def epoch(sql: str) -> str:
    """SQL for a moment in seconds since 1970; NULL for one that is infinite."""
    return f"CASE WHEN isfinite({sql}) THEN date_part('epoch', {sql}) END"


def last_given(session: Session, table: Table, column: str) -> int | None:
    """The last value of the sequence that a column owns."""
    value = session.value(LAST_VALUE, [table.name.schema, table.name.name, column])
    return None if value is None else int(value)
