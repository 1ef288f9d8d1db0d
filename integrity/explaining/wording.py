"""The errors of PostgreSQL, SQLite and Django as they are worded, wherever somebody copied them from.

PostgreSQL's texts stand in ``ri_triggers.c``, ``nbtinsert.c`` and ``tuplesortvariants.c``, SQLite's in
``vdbeaux.c``, ``insert.c`` and ``fkey.c``, Django's in ``backends/sqlite3/base.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from integrity.exceptions import NotExplainable
from integrity.explaining.protected import read_refusal
from integrity.explaining.reported import ErrorKind, Reported

POSTGRESQL, SQLITE = "postgresql", "sqlite"

_NAME = r'"(.+?)"(?=[\s.,;:\'")]|$)'
_MISSING = re.compile(rf"insert or update on table {_NAME} violates foreign key constraint {_NAME}")
_REFERENCED = re.compile(
    rf"(?:update or delete on|removing partition of) table {_NAME} violates (?:RESTRICT setting of )?"
    rf"foreign key constraint {_NAME} on table {_NAME}"
)
_DUPLICATE = re.compile(rf"duplicate key value violates unique constraint {_NAME}")
_NOT_UNIQUE = re.compile(rf"could not create unique index {_NAME}")
_DETAIL = re.compile(
    r"Key (?:\((?P<keys>.*?)\)=\((?P<values>.*?)\) )?"
    r"(?P<what>is not present in|is still referenced from|is referenced from|already exists|is duplicated)"
    rf"(?: table {_NAME})?",
    re.DOTALL,
)
_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (?:index '(?P<index>[^']+)'|(?P<columns>[^\n(]+))")
_SQLITE_FOREIGN_KEY = re.compile(r"FOREIGN KEY constraint failed")
_SQLITE_MISMATCH = re.compile(rf"foreign key mismatch - {_NAME} referencing {_NAME}")
_DJANGO_ROW = re.compile(
    r"The row in table '(?P<table>.+?)' with primary key '(?P<key>.*?)' has an invalid foreign key: "
    r"(?P<own>\S+) contains a value '(?P<value>.*?)' that does not have a corresponding value in (?P<to>\S+)",
    re.DOTALL,
)
_OTHERS = {
    "23502": "a column that must not be NULL",
    "violates not-null constraint": "a column that must not be NULL",
    "NOT NULL constraint failed": "a column that must not be NULL",
    "23514": "a check",
    "violates check constraint": "a check",
    "CHECK constraint failed": "a check",
    "23P01": "an exclusion constraint",
    "violates exclusion constraint": "an exclusion constraint",
}


def read(text: str) -> Reported:
    """Returns what an error text says.

    Args:
        text: as it was copied: from psql, a dashboard, a log, a traceback, or the JSON of an API.

    Raises:
        NotExplainable: it is not an error about references or duplicates.
    """
    plain = text.replace('\\"', '"').replace("\\n", "\n") if '\\"' in text else text
    for form in _FORMS:
        found = form(plain)
        if found is not None:
            return found
    raise _not_explainable(plain)


def _missing_parent(text: str) -> Reported | None:
    match = _MISSING.search(text)
    if match is None:
        return None
    table, constraint = match.groups()
    found = Reported(ErrorKind.MISSING_PARENT, POSTGRESQL, _line(match), constraint, table=table)
    return _with_detail(found, text, match.end())


def _still_referenced(text: str) -> Reported | None:
    match = _REFERENCED.search(text)
    if match is None:
        return None
    parent, constraint, table = match.groups()
    found = Reported(
        ErrorKind.STILL_REFERENCED, POSTGRESQL, _line(match), constraint, table=table, referenced_table=parent
    )
    return _with_detail(found, text, match.end())


def _duplicate(text: str) -> Reported | None:
    match = _DUPLICATE.search(text) or _NOT_UNIQUE.search(text)
    if match is None:
        return None
    found = Reported(ErrorKind.DUPLICATE, POSTGRESQL, _line(match), match.group(1))
    return _with_detail(found, text, match.end())


def _sqlite_unique(text: str) -> Reported | None:
    match = _SQLITE_UNIQUE.search(text)
    if match is None:
        return None
    if match["index"]:
        return Reported(ErrorKind.DUPLICATE, SQLITE, _line(match), match["index"])
    listed = [each.strip().rpartition(".") for each in match["columns"].strip().split(", ")]
    columns = tuple(column.strip(" '\".") for _, _, column in listed)
    return Reported(ErrorKind.DUPLICATE, SQLITE, _line(match), table=listed[0][0], columns=columns)


def _sqlite_mismatch(text: str) -> Reported | None:
    match = _SQLITE_MISMATCH.search(text)
    if match is None:
        return None
    table, parent = match.groups()
    return Reported(ErrorKind.UNUSABLE_KEY, SQLITE, _line(match), table=table, referenced_table=parent)


def _sqlite_foreign_key(text: str) -> Reported | None:
    match = _SQLITE_FOREIGN_KEY.search(text)
    return Reported(ErrorKind.FOREIGN_KEY, SQLITE, _line(match)) if match else None


def _django_row(text: str) -> Reported | None:
    match = _DJANGO_ROW.search(text)
    if match is None:
        return None
    parent, _, referenced = match["to"].rstrip(".").rpartition(".")
    return Reported(
        ErrorKind.MISSING_PARENT,
        message=_line(match),
        table=match["table"],
        referenced_table=parent,
        keys=match["own"].rpartition(".")[2],
        values=match["value"],
        key=match["key"],
        referenced_columns=(referenced,),
    )


_DETAILS = {
    "is not present in": ErrorKind.MISSING_PARENT,
    "is still referenced from": ErrorKind.STILL_REFERENCED,
    "is referenced from": ErrorKind.STILL_REFERENCED,
}


def _detail_alone(text: str) -> Reported | None:
    """The DETAIL line without its message: the constraint is not named, yet the reference may be found."""
    match = _DETAIL.search(text)
    kind = _DETAILS.get(match["what"]) if match else None
    if match is None or kind is None:
        return None
    return _with_detail(Reported(kind, POSTGRESQL, _line(match)), text, 0)


_FORMS: tuple[Callable[[str], Reported | None], ...] = (
    _missing_parent,
    _still_referenced,
    _duplicate,
    _django_row,
    _sqlite_unique,
    _sqlite_mismatch,
    _sqlite_foreign_key,
    read_refusal,
    _detail_alone,
)


def _with_detail(found: Reported, text: str, after: int) -> Reported:
    """Adds what the DETAIL line says; an API gives it before the message."""
    match = _DETAIL.search(text, after) or _DETAIL.search(text)
    if match is None:
        return found
    found = replace(found, keys=match["keys"] or "", values=match["values"] or "")
    named = match.group(4) or ""
    if found.kind is ErrorKind.MISSING_PARENT:
        return replace(found, referenced_table=found.referenced_table or named)
    return replace(found, table=found.table or named) if found.kind is ErrorKind.STILL_REFERENCED else found


def _line(match: re.Match[str]) -> str:
    return " ".join(match.group(0).split())


def _not_explainable(text: str) -> NotExplainable:
    said = next((rule for words, rule in _OTHERS.items() if words in text), "")
    line = next((each.strip() for each in text.splitlines() if each.strip()), "")
    shown = repr(line if len(line) <= 120 else line[:119] + "…")
    if said:
        return NotExplainable(
            f"This error is about {said}, not about a reference or a duplicate",
            where=shown,
            hint="Its own words name the table and column.",
        )
    return NotExplainable(
        "This is no error about a reference or a duplicate" if line else "There is no text to explain",
        where=shown if line else "",
        hint='Copy the whole message of the database, its DETAIL line too: insert or update on table "…" '
        "violates foreign key constraint, duplicate key value violates unique constraint, "
        "FOREIGN KEY constraint failed, UNIQUE constraint failed.",
    )


def parts(text: str, count: int) -> tuple[str, ...]:
    """Returns what stands between the parentheses of a DETAIL line as ``count`` parts, none where a comma
    inside a value leaves it open which are which."""
    if count == 1:
        return (text,)
    found = tuple(text.split(", "))
    return found if len(found) == count else ()
