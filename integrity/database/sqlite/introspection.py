"""Reads a SQLite file's structure in six queries, by table-valued pragmas."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import groupby, islice
from typing import Any

from django.db import DatabaseError

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.schema import (
    Action,
    Column,
    ForeignKey,
    Index,
    Key,
    Schema,
    Table,
    TableKind,
    Trigger,
)
from integrity.database.session import Session
from integrity.database.sqlite import tokens

JOURNAL_PREFIX = "integrity_journal_"
MAIN = "main"

_OURS_TO_READ = (
    "m.name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' AND m.name NOT LIKE 'integrity\\_journal\\_%%' ESCAPE '\\'"
)
_REAL = f"m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%%' AND {_OURS_TO_READ}"

RELATIONS = f"""
SELECT m.name, m.type, coalesce(m.sql, '') FROM sqlite_master m
WHERE m.type IN ('table', 'view') AND {_OURS_TO_READ} ORDER BY m.name
"""
COLUMNS = """
SELECT m.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
FROM sqlite_master m JOIN pragma_table_xinfo(m.name) x WHERE {which} ORDER BY m.name, x.cid
"""
FOREIGN_KEYS = f"""
SELECT m.name, f.id, f."table", f."from", f."to", f.on_update, f.on_delete
FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE {_REAL} ORDER BY m.name, f.id DESC, f.seq
"""
INDEXES = f"""
SELECT m.name, l.name, l."unique", l.origin, x.cid, x.name, coalesce(s.sql, ''), x.coll, x."desc"
FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_xinfo(l.name) x
LEFT JOIN sqlite_master s ON s.type = 'index' AND s.name = l.name
WHERE {_REAL} AND x.key = 1 ORDER BY m.name, l.name, x.seqno
"""
TRIGGERS = f"""
SELECT m.tbl_name, m.name, m.sql FROM sqlite_master m
WHERE m.type = 'trigger' AND {_OURS_TO_READ} ORDER BY m.name
"""
ESTIMATES = """
SELECT tbl, max(CAST(substr(stat, 1, instr(stat || ' ', ' ') - 1) AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl
"""

_ROWID_NAMES = ("rowid", "_rowid_", "oid")
_ByTable = dict[str, list[Any]]


def introspect(session: Session) -> Schema:
    """Returns the structure of the file's main schema."""
    relations = session.rows(RELATIONS)
    definitions = {name: sql for name, _, sql in relations}
    columns = _columns(session)
    spelled = {name.lower(): name for name in definitions}
    keys = _primary_keys(columns)
    indexes = _indexes(session, keys)
    foreign_keys = _foreign_keys(session, definitions, spelled, columns, keys)
    triggers = _triggers(session, spelled)
    estimates = _estimates(session)
    tables = {}
    for name, kind, sql in relations:
        table = _table(name, kind, sql, _collated(kind, sql, [each for each, _ in columns[name]]))
        tables[table.name] = Table(
            **table.__dict__
            | {
                "keys": tuple(keys[name]),
                "indexes": tuple(indexes[name]),
                "foreign_keys": tuple(foreign_keys[name]),
                "triggers": tuple(triggers[name]),
                "estimated_rows": estimates.get(name, -1),
            }
        )
    return Schema("sqlite", session.value("SELECT sqlite_version()"), MAIN, tables)


def _table(name: str, kind: str, sql: str, columns: list[Column]) -> Table:
    which, options = TableKind.VIEW, tuple[str, ...]()
    if kind == "table":
        virtual = sql.lstrip().upper().startswith("CREATE VIRTUAL")
        which = TableKind.VIRTUAL if virtual else TableKind.TABLE
        options = () if virtual else tokens.parse_create_table(sql).options
    taken = {column.name.lower() for column in columns}
    rowid = next((each for each in _ROWID_NAMES if each not in taken), "")
    return Table(
        name=TableName(MAIN, name),
        kind=which,
        columns=tuple(columns),
        rowid=rowid if which is TableKind.TABLE and "ROWID" not in options else "",
        strict="STRICT" in options,
        definition=sql,
    )


def _collated(kind: str, sql: str, columns: list[Column]) -> list[Column]:
    """The columns with the collation that the stored text gives them."""
    if kind != "table" or "COLLATE" not in sql.upper() or sql.lstrip().upper().startswith("CREATE VIRTUAL"):
        return columns
    found = tokens.collations(sql)
    return [
        replace(each, collation=found.get(each.name.lower(), ""), loose=each.name.lower() in found)
        for each in columns
    ]


def _columns(session: Session) -> dict[str, list[tuple[Column, int]]]:
    """Every table's columns with their place in the primary key (0: not in it)."""
    found: dict[str, list[tuple[Column, int]]] = defaultdict(list)
    rows = session.rows(COLUMNS.format(which=_REAL))
    with suppress(DatabaseError):  # a view over something that is gone: views stay without columns
        rows += session.rows(COLUMNS.format(which=f"m.type = 'view' AND {_OURS_TO_READ}"))
    for table, name, kind, required, default, place, hidden in rows:
        column = Column(name, kind, not required, default, generated=hidden in (2, 3))
        found[table].append((column, place))
    return found


def _primary_keys(columns: dict[str, list[tuple[Column, int]]]) -> _ByTable:
    keys: _ByTable = defaultdict(list)
    for table, each in columns.items():
        placed = sorted((place, column.name) for column, place in each if place)
        if placed:
            keys[table].append(Key("", tuple(name for _, name in placed), primary=True))
    return keys


def _indexes(session: Session, keys: _ByTable) -> _ByTable:
    indexes: _ByTable = defaultdict(list)
    for _, rows in groupby(session.rows(INDEXES), key=lambda row: (row[0], row[1])):
        parts = list(rows)
        table, name, unique, origin, _, _, sql = parts[0][:7]
        columns = tuple(part[5] for part in parts if part[4] >= 0)
        expressions = any(part[4] == -2 for part in parts)
        where = _where(sql)
        index = Index(
            name, TableName(MAIN, table), columns, bool(unique), "btree", where, expressions, True, sql,
            terms=_terms(sql, [part[5] for part in parts]),
            collations=tuple("" if part[7] == "BINARY" else part[7] for part in parts),
            operators=("",) * len(parts),
            directions=tuple("DESC" if part[8] else "" for part in parts),
            loose=tuple(part[7] != "BINARY" for part in parts),
            needed_by={"pk": "the primary key", "u": "its constraint"}.get(origin, ""),
        )  # fmt: skip
        indexes[table].append(index)
        if unique and origin != "pk":
            keys[table].append(Key(name, columns, False, origin == "u", True, where, expressions))
    return indexes


def _terms(sql: str, names: list[str | None]) -> tuple[str, ...]:
    """What is indexed, part by part: columns quoted, expressions as they were written, without order."""
    written = tokens.indexed_terms(sql) if None in names else []
    return tuple(written[place] if name is None else clauses.name(name) for place, name in enumerate(names))


@lru_cache(tokens.REMEMBERED)
def _where(sql: str) -> str:
    depth = 0
    for token in tokens.tokens(sql):
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if depth == 0 and token.is_word("WHERE"):
            return sql[token.end :].strip()
    return ""


def _foreign_keys(
    session: Session,
    definitions: dict[str, str],
    spelled: dict[str, str],
    columns: dict[str, list[tuple[Column, int]]],
    keys: _ByTable,
) -> _ByTable:
    """The names come from the stored text, in whose order ``id`` counts downwards."""
    found: _ByTable = defaultdict(list)
    for table, rows in groupby(session.rows(FOREIGN_KEYS), key=lambda row: row[0]):
        texts = iter(tokens.written_keys(definitions[table]))
        for _, parts in groupby(rows, key=lambda row: row[1]):
            sides, text = list(parts), next(texts, tokens.WrittenKey("", False, False))
            parent = _spelled(sides[0][2], spelled)
            primary = keys[parent][0].columns if keys[parent] and keys[parent][0].primary else ()
            here = tuple(_spelling(side[3], columns[table]) for side in sides)
            there = tuple(_spelling(side[4], columns[parent]) for side in sides if side[4])
            key = ForeignKey(
                name=text.name,
                table=TableName(MAIN, table),
                columns=here,
                referenced_table=TableName(MAIN, parent),
                referenced_columns=there or (primary if len(primary) == len(here) else here),
                on_delete=Action(sides[0][6]),
                on_update=Action(sides[0][5]),
                deferrable=text.deferrable,
                deferred=text.deferred,
            )
            found[table].append(key)
    return found


def _spelled(table: str, spelled: dict[str, str]) -> str:
    """A table as it was made: SQLite compares names without regard to case."""
    return spelled.get(table.lower(), table)


def _spelling(name: str, columns: list[tuple[Column, int]]) -> str:
    """A column as its table spells it."""
    return next((column.name for column, _ in columns if column.name.lower() == name.lower()), name)


def _triggers(session: Session, spelled: dict[str, str]) -> _ByTable:
    found: _ByTable = defaultdict(list)
    for table, name, sql in session.rows(TRIGGERS):
        on = _spelled(table, spelled)
        found[on].append(Trigger(name, TableName(MAIN, on), sql, _events(sql)))
    return found


@lru_cache(tokens.REMEMBERED)
def _events(sql: str) -> tuple[str, ...]:
    """What sets a trigger off."""
    words = (token for token in tokens.tokens(sql) if token.is_word("DELETE", "INSERT", "UPDATE"))
    return tuple(token.text.upper() for token in islice(words, 1))


def _estimates(session: Session) -> dict[str, int]:
    if session.value("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'") is None:
        return {}
    return dict(session.rows(ESTIMATES))
