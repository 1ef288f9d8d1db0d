"""The actions of an ALTER TABLE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from integrity.scripts.cursor import Cursor, joined, split_list
from integrity.scripts.definitions import Alter, Alteration
from integrity.scripts.table_reading import PlaceOf, TableParts, read_default


def alterations(cursor: Cursor, base: Alteration, place: PlaceOf) -> Iterator[Alteration]:
    """Yields the actions of an ALTER TABLE whose table was read already; ``base`` says which."""
    for part in split_list(cursor.until(";")):
        inner = Cursor(part, schema=cursor.schema)
        action = _action(inner, replace(base, place=place(part[0].start)), place)
        if action is not None:
            yield action


def _action(cursor: Cursor, base: Alteration, place: PlaceOf) -> Alteration | None:
    if cursor.accept("ADD"):
        return _add(cursor, base, place)
    if cursor.accept("DROP"):
        return _drop(cursor, base)
    if cursor.accept("RENAME"):
        return _rename(cursor, base)
    if cursor.accept("ALTER"):
        return _change(cursor, base)
    if cursor.accept_any("INHERIT", "ATTACH") or cursor.accept("SET", "SCHEMA"):
        return replace(base, action=Alter.OPEN)
    return None


def _add(cursor: Cursor, base: Alteration, place: PlaceOf) -> Alteration | None:
    is_column = cursor.accept("COLUMN")
    guarded = cursor.accept("IF", "NOT", "EXISTS")
    parts = TableParts(place, cursor.schema)
    rest = cursor.tokens[cursor.at :]
    if not rest or (rest[0].text == "(" and not is_column):
        return None
    parts.read_entry(rest)
    column = parts.columns[0] if parts.columns else None
    key = parts.keys[0] if parts.keys else None
    foreign_key = parts.foreign_keys[0] if parts.foreign_keys else None
    base = replace(
        base, guarded=guarded, column=column, key=key, foreign_key=foreign_key, keys=tuple(parts.keys),
        foreign_keys=tuple(parts.foreign_keys), check=parts.checks[0] if parts.checks else "",
    )  # fmt: skip
    if column is not None:
        return replace(base, action=Alter.ADD_COLUMN, column_name=column.name)
    if foreign_key is not None:
        return replace(base, action=Alter.ADD_FOREIGN_KEY)
    return replace(base, action=Alter.ADD_KEY if key is not None else Alter.ADD_CHECK)


def _drop(cursor: Cursor, base: Alteration) -> Alteration | None:
    what = Alter.DROP_CONSTRAINT if cursor.accept("CONSTRAINT") else Alter.DROP_COLUMN
    cursor.accept("COLUMN")
    guarded = cursor.accept("IF", "EXISTS")
    if not cursor.sees_name():
        return None
    return replace(base, action=what, column_name=cursor.take().name, guarded=guarded)


def _rename(cursor: Cursor, base: Alteration) -> Alteration | None:
    if cursor.accept("CONSTRAINT"):
        return None
    if cursor.accept("TO"):
        return replace(base, action=Alter.RENAME, new_name=".".join(cursor.parts()))
    cursor.accept("COLUMN")
    old = cursor.parts()
    if not old or not cursor.accept("TO") or not cursor:
        return None
    return replace(base, action=Alter.RENAME_COLUMN, column_name=old[-1], new_name=cursor.take().name)


def _change(cursor: Cursor, base: Alteration) -> Alteration | None:
    cursor.accept("COLUMN")
    if not cursor.sees_name() or cursor.sees("CONSTRAINT"):
        return None
    base = replace(base, action=Alter.CHANGE_COLUMN, column_name=cursor.take().name)
    if cursor.accept("TYPE") or cursor.accept("SET", "DATA", "TYPE"):
        return replace(base, type=joined(cursor.until("USING", "COLLATE")))
    if cursor.accept("SET", "NOT", "NULL"):
        return replace(base, nullable=False)
    if cursor.accept("DROP", "NOT", "NULL"):
        return replace(base, nullable=True)
    if cursor.accept("SET", "DEFAULT"):
        return replace(base, default=read_default(cursor))
    if cursor.accept("DROP", "DEFAULT"):
        return replace(base, default="")
    return base
