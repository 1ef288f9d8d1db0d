"""What stands in a quarantine: rows as they were, shelf by shelf, and how they are searched for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import TableName, column
from integrity.repairs.journal import ACTION, BEFORE, IMAGE, REASON, UNDONE
from integrity.repairs.places import Place
from integrity.repairs.values import IsMasked, Value


class What(StrEnum):
    """What of a run is looked at."""

    DELETED = "deleted"
    CHANGED = "changed"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class QuarantineSearch:
    """Which rows are wanted; empty means all.

    ``table`` is a table's name, with its schema or without; ``reference`` is the label for which they were
    changed, ``key`` the values of the primary key as text,
    ``text`` stands in any column that is not masked, in capital or small letters.
    """

    run: int | None = None
    table: str = ""
    reference: str = ""
    key: tuple[str, ...] = ()
    text: str = ""
    what: What = What.DELETED


@dataclass(frozen=True)
class QuarantinedRow:
    """A row as it was; ``after`` is what a repair made of it, where it is still there, and ``changed`` are
    the columns that are not the same.

    ``taken_back`` is the rollback that put it back.
    """

    place: Place
    action: str
    at: str
    reason: str
    taken_back: int | None
    values: dict[str, Value]
    after: dict[str, Value] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """Rows of one table that one run changed, with the table's columns and those of its key."""

    run: int
    kind: str
    actor: str
    table: TableName
    columns: tuple[str, ...]
    key: tuple[str, ...]
    rows: tuple[QuarantinedRow, ...] = ()


@dataclass(frozen=True)
class QuarantinePage:
    """One page; ``unfinished`` says that the search goes on, with what is not looked at yet, at ``next``."""

    shelves: tuple[Shelf, ...] = ()
    next: Place | None = None
    previous: Place | None = None
    unfinished: bool = False

    @property
    def rows(self) -> int:
        """How many rows it shows."""
        return sum(len(shelf.rows) for shelf in self.shelves)


_CONDITIONS = {
    What.DELETED: f"j.{IMAGE} = '{BEFORE}' AND j.{ACTION} = 'delete' AND j.{UNDONE} IS NULL",
    What.CHANGED: f"j.{IMAGE} = '{BEFORE}' AND j.{ACTION} = 'update' AND j.{UNDONE} IS NULL",
    What.EVERYTHING: f"(j.{IMAGE} = '{BEFORE}' OR j.{ACTION} = 'insert')",
}


def condition(search: QuarantineSearch, shelf: Shelf, is_masked: IsMasked) -> tuple[str, list[Any]]:
    """Returns the condition that an image ``j`` is wanted, with its parameters.

    A masked column is not searched: an answer would tell its values.
    """
    parts, params = [_CONDITIONS[search.what]], list[Any]()
    open_columns = [name for name in shelf.columns if not is_masked(shelf.table, name)]
    if search.reference:
        parts.append(f"j.{REASON} = %s")
        params.append(search.reference)
    if search.key:
        usable = len(search.key) == len(shelf.key) and set(shelf.key) <= set(open_columns)
        parts += [f"CAST({column(name, 'j')} AS text) = %s" for name in shelf.key] if usable else ["1 = 0"]
        params += search.key if usable else ()
    if search.text:
        alike = [
            f"LOWER(CAST({column(name, 'j')} AS text)) LIKE LOWER(%s) ESCAPE '!'" for name in open_columns
        ]
        parts.append(f"({' OR '.join(alike) or '1 = 0'})")
        params += [_containing(search.text)] * len(alike)
    return " AND ".join(parts), params


def _containing(text: str) -> str:
    for each in "!%_":
        text = text.replace(each, f"!{each}")
    return f"%{text}%"
