"""What a plan is made of: steps, their effects, and the rows that they make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Action
from integrity.references.reference import Reference, Resolution

KeyTexts = tuple[str, ...]
"""The values of a missing key as text, one a column."""


class Change(StrEnum):
    """What happens to a row."""

    DELETE = "delete"
    SET_NULL = "set null"
    SET_DEFAULT = "set default"
    REASSIGN = "reassign"
    RELINK = "relink"
    RESTRICT = "restrict"
    INSERT = "insert"
    RENAME = "rename"
    REPOINT = "repoint"
    FILL = "fill"


class Doubt(StrEnum):
    """Why the numbers of a step are at most what will happen."""

    MANY = "many"
    REFERRED = "referred"
    CHECKED = "checked"
    DEFAULT = "default"
    EARLIER = "earlier"
    RELATED = "related"
    TRIGGERS = "triggers"
    BEFORE = "before"


_BY_ACTION = {
    Action.CASCADE: Change.DELETE,
    Action.SET_NULL: Change.SET_NULL,
    Action.SET_DEFAULT: Change.SET_DEFAULT,
    Action.RESTRICT: Change.RESTRICT,
    Action.NO_ACTION: Change.RESTRICT,
}


@dataclass(frozen=True)
class Decision:
    """What somebody decided for the orphans of one reference.

    ``to`` is the referenced key that ``reassign`` points them at (None: the system row).
    ``keys`` are the missing keys that it is about (none: all), ``reason`` and ``until`` (an ISO
    date) belong to ``keep``.
    """

    reference: Reference
    resolution: Resolution
    to: tuple[Any, ...] | None = None
    reason: str = ""
    until: str = ""
    keys: tuple[KeyTexts, ...] = ()


@dataclass(frozen=True)
class Effect:
    """What happens to rows that refer to rows which a step deletes, ``depth`` references away.

    Rows that forbid it (RESTRICT) stay, and because of them ``holds`` orphans of the step do.
    """

    reference: Reference
    change: Change
    depth: int
    rows: int = 0
    triggers: tuple[str, ...] = ()
    holds: int = 0

    @property
    def table(self) -> TableName:
        """The table whose rows are touched."""
        return self.reference.table


@dataclass(frozen=True)
class SystemRow:
    """A real row that orphans are reassigned to: its table, key and values; made where missing.

    ``needs`` are the system rows of other tables that it refers to itself, made before it.
    """

    table: TableName
    key: tuple[tuple[str, Any], ...]
    values: tuple[tuple[str, Any], ...]
    exists: bool
    needs: tuple[SystemRow, ...] = ()

    def in_order(self) -> Iterator[SystemRow]:
        """Yields every row that is needed, this one last."""
        for row in self.needs:
            yield from row.in_order()
        yield self


@dataclass(frozen=True)
class Restoration:
    """Rows of a table that are made again, one for each missing key of a step.

    ``key`` are the columns by which it is referred to, ``values`` the columns with what becomes of
    them: a text may name the step's referenced columns in braces. ``rows`` are missing now.
    """

    table: TableName
    key: tuple[str, ...]
    values: tuple[tuple[str, Any], ...]
    rows: int = 0
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One resolution carried out for one reference.

    ``orphans`` rows break it and share ``missing_keys`` values; ``rows`` of them are still there
    when the step begins. ``values`` are what referencing columns become; ``predicate`` is the
    condition by which the rows are found, as SQL.

    ``keys`` are the missing keys that the step is about (none: all) and ``spared`` those that it
    leaves to other steps; ``chosen_rows`` and ``spared_rows`` are likewise primary keys of single rows.
    ``mapping`` says for ``relink`` which missing key becomes which
    referenced one, ``restorations`` which rows ``restore_parent`` makes, the first first.

    ``stays`` of its rows are held by others and stay as they are; ``unforeseen`` says why its numbers
    are not exact where they are not (a :class:`Doubt`).
    """

    number: int
    resolution: Resolution
    reference: Reference
    rows: int
    missing_keys: int
    predicate: str
    orphans: int = 0
    effects: tuple[Effect, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    system_row: SystemRow | None = None
    triggers: tuple[str, ...] = ()
    reason: str = ""
    until: str = ""
    keys: tuple[KeyTexts, ...] = ()
    spared: tuple[KeyTexts, ...] = ()
    mapping: tuple[tuple[KeyTexts, tuple[Any, ...]], ...] = ()
    restorations: tuple[Restoration, ...] = ()
    chosen_rows: tuple[KeyTexts, ...] = ()
    spared_rows: tuple[KeyTexts, ...] = ()
    stays: int = 0
    unforeseen: str = ""

    @property
    def resolved(self) -> int:
        """Orphans that are put right, at most where there is a doubt."""
        return self.rows - self.stays

    @property
    def doubt(self) -> Doubt | None:
        """Why its numbers are at most what will happen; None where they are exact."""
        if self.change is None:
            return None
        if self.unforeseen:
            return Doubt(self.unforeseen)
        if self.blocked and not self.stays:
            return Doubt.BEFORE
        acting = [each.triggers for each in self.effects] + [each.triggers for each in self.restorations]
        return Doubt.TRIGGERS if self.triggers or any(acting) else None

    @property
    def scoped(self) -> bool:
        """Whether it is about some of the orphans of its reference alone."""
        return bool(self.keys or self.spared or self.chosen_rows or self.spared_rows)

    @property
    def change(self) -> Change | None:
        """What happens to the orphans themselves; None where they are kept."""
        changes = {
            Resolution.DELETE: Change.DELETE,
            Resolution.SET_NULL: Change.SET_NULL,
            Resolution.REASSIGN: Change.REASSIGN,
            Resolution.RELINK: Change.RELINK,
            Resolution.RESTORE_PARENT: Change.INSERT,
        }
        return changes.get(self.resolution)

    @property
    def table(self) -> TableName:
        """The table whose rows are orphans."""
        return self.reference.table

    @property
    def label(self) -> str:
        """What it is about, as commands name it."""
        return self.reference.label

    def touches(self) -> Iterator[tuple[TableName, Change, int]]:
        """Yields what happens to how many rows of which table, its system rows apart."""
        if self.change is not None and self.changed:
            yield self.table, self.change, self.changed
        for restoration in self.restorations:
            yield restoration.table, Change.INSERT, restoration.rows
        for effect in self.effects:
            yield effect.table, effect.change, effect.rows

    @property
    def blocked(self) -> int:
        """Rows that forbid the deletion of what they refer to."""
        return sum(effect.rows for effect in self.effects if effect.change is Change.RESTRICT)

    @property
    def held_by(self) -> tuple[Effect, ...]:
        """What stands in the way of some of it, the most first."""
        held = [each for each in self.effects if each.change is Change.RESTRICT and each.rows]
        return tuple(sorted(held, key=lambda each: (-each.holds, -each.rows, each.reference.label)))

    @property
    def system_rows(self) -> tuple[SystemRow, ...]:
        """The system rows that it needs, in the order in which they are made."""
        return tuple(self.system_row.in_order()) if self.system_row else ()

    @property
    def changed(self) -> int:
        """Orphans that are changed themselves: none where what they refer to is made again."""
        return 0 if self.change is Change.INSERT else self.resolved


@dataclass
class Tally:
    """How many rows of a table are touched, and how."""

    deleted: int = 0
    updated: int = 0
    restored: int = 0
    inserted: int = 0
    refused: int = 0

    def count(self, change: Change, rows: int) -> None:
        """Adds ``rows`` that ``change`` touches."""
        if change is Change.DELETE:
            self.deleted += rows
        elif change is Change.INSERT:
            self.inserted += rows
        elif change is not Change.RESTRICT:
            self.updated += rows

    @property
    def touched(self) -> int:
        """All rows that were changed in any way."""
        return self.deleted + self.updated + self.restored + self.inserted


def change_for(reference: Reference) -> Change:
    """Returns what becomes of a row when the row that it refers to is deleted."""
    return _BY_ACTION[reference.on_delete]
