"""What differs between engines in the questions of a diagnosis: months, and where the structure stands."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.identifiers import TableName, column, literal, quote_table
from integrity.database.schema import Column


def month(vendor: str, made: Column) -> str:
    """SQL for the month, ``2026-03``, of a row ``c``.

    SQLite keeps times as text, or as seconds or milliseconds since 1970 (SQLite manual, "Date And Time
    Functions" 2).
    """
    name = column(made.name, "c")
    if vendor != "sqlite":
        return f"to_char({name}, 'YYYY-MM')"
    seconds = f"CASE WHEN {name} > 99999999999 THEN {name} / 1000 ELSE {name} END"
    return (
        f"CASE WHEN typeof({name}) IN ('integer', 'real') THEN strftime('%%Y-%%m', {seconds}, 'unixepoch') "
        f"ELSE substr({name}, 1, 7) END"
    )


def structure(vendor: str, table: TableName) -> Iterator[tuple[str, str]]:
    """Yields what to ask about the structure of a table, and the SQL that answers it."""
    yield from _sqlite_structure(table) if vendor == "sqlite" else _postgresql_structure(table)


def _postgresql_structure(table: TableName) -> Iterator[tuple[str, str]]:
    schema, name = _text(table.schema), _text(table.name)
    relation = f"{_text(quote_table(table).replace('%%', '%'))}::regclass"
    yield (
        "Which columns does it have?",
        "SELECT column_name, data_type, udt_name, is_nullable, column_default "
        "FROM information_schema.columns "
        f"WHERE table_schema = {schema} AND table_name = {name} ORDER BY ordinal_position",
    )
    yield (
        "Which keys, foreign keys and checks? (p primary key, u unique, f foreign key, c check)",
        "SELECT conname, contype, convalidated, pg_get_constraintdef(oid) AS definition FROM pg_constraint "
        f"WHERE conrelid = {relation} ORDER BY contype, conname",
    )
    yield (
        "Which foreign keys of other tables point at it?",
        "SELECT conrelid::regclass AS from_table, conname, pg_get_constraintdef(oid) AS definition "
        f"FROM pg_constraint WHERE contype = 'f' AND confrelid = {relation} ORDER BY 1, 2",
    )
    yield (
        "Which indexes?",
        "SELECT indexname, indexdef FROM pg_indexes "
        f"WHERE schemaname = {schema} AND tablename = {name} ORDER BY indexname",
    )
    yield (
        "Which triggers?",
        "SELECT tgname, tgenabled, pg_get_triggerdef(oid) AS definition FROM pg_trigger "
        f"WHERE tgrelid = {relation} AND NOT tgisinternal ORDER BY tgname",
    )


def _sqlite_structure(table: TableName) -> Iterator[tuple[str, str]]:
    name = _text(table.name)
    yield "Which columns does it have?", f"SELECT * FROM pragma_table_xinfo({name})"
    yield "Which foreign keys?", f"SELECT * FROM pragma_foreign_key_list({name})"
    yield "Which keys and indexes?", f"SELECT * FROM pragma_index_list({name})"
    yield (
        "How were table, indexes and triggers made?",
        f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name = {name} ORDER BY type, name",
    )


def _text(name: str) -> str:
    return literal(name).replace("%", "%%")
