"""What a database computes by itself: functions, triggers and views, and what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from integrity.database.identifiers import TableName


class RoutineKind(StrEnum):
    """What a routine is; SQLite has no functions of its own."""

    FUNCTION = "function"
    TRIGGER = "trigger"
    VIEW = "view"


@dataclass(frozen=True)
class Routine:
    """A function, trigger or view as the database has it.

    ``label`` is how people tell it from others of its name (a function with its arguments, a trigger with
    its table), ``table`` a trigger's, ``calls`` the function that a trigger calls, ``firing`` as in
    :class:`~integrity.database.schema.Trigger`. ``drop`` takes it away, ``make`` makes it again whole:
    definition, owner, rights, comment. They are sent without parameters. ``path`` is the search_path that a
    function sets for itself, ``populated`` is false for a materialized view without its rows.
    """

    kind: RoutineKind
    name: TableName
    label: str
    definition: str
    drop: str
    make: tuple[str, ...]
    table: TableName | None = None
    calls: str = ""
    firing: str = "origin"
    language: str = ""
    body: str = ""
    path: str = ""
    oid: int = 0
    populated: bool = True

    @property
    def fires(self) -> bool:
        """Whether an ordinary session sets it off; of a function or view, whether it can be used."""
        return self.firing in ("origin", "always")

    @property
    def titled(self) -> str:
        """``trigger touch on orders``."""
        return f"{self.kind} {self.label}"


class Missing(StrEnum):
    """What a routine refers to that is gone."""

    TABLE = "table"
    COLUMN = "column"
    FUNCTION = "function"
    TYPE = "type"
    ROWS = "rows"


@dataclass(frozen=True)
class Fault:
    """Why a routine fails when it is used: what it refers to that is gone, and what the database says.

    ``of`` is the table of a column, where that is known. ``callers`` are the triggers that fail with a
    function. ``certain`` is false where an application may provide what the file does not have.
    """

    routine: Routine
    missing: Missing
    what: str
    said: str
    of: str = ""
    line: int = 0
    callers: tuple[Routine, ...] = ()
    certain: bool = True


@dataclass(frozen=True)
class Unread:
    """A routine that was not looked into, or not wholly, and why."""

    routine: Routine
    reason: str


@dataclass
class Examined:
    """What looking into routines came to."""

    faults: list[Fault] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    checked: int = 0
