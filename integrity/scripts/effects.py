"""What each script leaves behind, as far as it is certain: objects that stand once it was run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from integrity.references.made_objects import MadeObject, ObjectKind
from integrity.scripts.cursor import ObjectName
from integrity.scripts.definitions import Alter, Alteration, Definition, Event, Kind, Removal
from integrity.scripts.statement import Script
from integrity.scripts.survey import Step, for_engine, survey

_KINDS = {
    Kind.TABLE: ObjectKind.TABLE,
    Kind.VIEW: ObjectKind.VIEW,
    Kind.INDEX: ObjectKind.INDEX,
    Kind.TRIGGER: ObjectKind.TRIGGER,
    Kind.FUNCTION: ObjectKind.FUNCTION,
}
FRAME = re.compile(r"(BEGIN|COMMIT|END|START\s+TRANSACTION|ROLLBACK|PRAGMA)\b", re.IGNORECASE)
"""What begins and ends a script's own transaction, or is about its connection: no part of what it does."""

_TAKEN_WITH = (ObjectKind.COLUMN, ObjectKind.INDEX, ObjectKind.TRIGGER)


@dataclass
class Effects:
    """What one script leaves behind on one engine.

    ``only_makes`` says that each of its statements makes something that can be dropped again, and nothing
    else. ``hangs_on`` gives the columns that an index is over, and goes with.
    """

    script: Script
    makes: list[MadeObject] = field(default_factory=list)
    only_makes: bool = True
    hangs_on: dict[MadeObject, tuple[MadeObject, ...]] = field(default_factory=dict)

    def without(self, ignored: Collection[MadeObject]) -> list[MadeObject]:
        """Returns what it leaves behind when some objects are taken away, and what goes with them."""
        return [
            each
            for each in self.makes
            if each not in ignored and not any(on in ignored for on in self.hangs_on.get(each, ()))
        ]


@dataclass
class _Standing:
    """An object with the table that it hangs on, and the script that made it."""

    made: MadeObject
    table: ObjectName | None
    by: Effects


def effects_of(
    scripts: Sequence[Script], vendor: str, executed: Sequence[bool] | None = None
) -> list[Effects]:
    """Returns what each script leaves behind; what a later one takes away again does not count.

    Args:
        scripts: scripts, in the order in which they are run.
        vendor: the engine.
        executed: which of them were run, so that what only others take away still stands (default: all).
    """
    follower = _Follower([Effects(each) for each in scripts])
    for step in survey(scripts).steps:
        later = executed is None or executed[step.script]
        follower.follow(step, vendor, others_too=later)
    for each in follower.standing:
        each.by.makes.append(each.made)
    return follower.effects


@dataclass
class _Follower:
    effects: list[Effects]
    standing: list[_Standing] = field(default_factory=list)

    def follow(self, step: Step, vendor: str, *, others_too: bool) -> None:
        own = self.effects[step.script]
        events = [each for each in step.events if for_engine(each, vendor)]
        if step.statement.reverse or FRAME.match(step.statement.text):
            return
        certain = [
            isinstance(each, Definition) and not (each.conditional or each.or_replace) for each in events
        ]
        own.only_makes &= (bool(events) and all(certain)) or not step.statement.runs_on(vendor)
        for event in events:
            self._event(event, own, others_too=others_too)

    def _event(self, event: Event, own: Effects, *, others_too: bool) -> None:
        if isinstance(event, Definition):
            if not (event.conditional or event.temporary):
                own.hangs_on |= _columns_of_index(event)
                self.standing += (
                    each for each in _made(event, own) if all(each.made != old.made for old in self.standing)
                )
            return
        kept = [each for each in self.standing if not (_gone(each, event) and (others_too or each.by is own))]
        self.standing = kept
        if isinstance(event, Alteration) and not event.conditional:
            self._altered(event, own)

    def _altered(self, event: Alteration, own: Effects) -> None:
        if event.kind is not Kind.TABLE:
            return
        name, column = event.name, ""
        if event.action is Alter.ADD_COLUMN and event.column is not None:
            column = event.column.name
        elif event.action is Alter.RENAME_COLUMN:
            column = event.new_name
        elif event.action is Alter.RENAME:
            made = MadeObject(ObjectKind.TABLE, event.new_name.lower(), name.schema)
            self.standing.append(_Standing(made, None, own))
        if column:
            made = MadeObject(ObjectKind.COLUMN, name.name, name.schema, column.lower())
            self.standing.append(_Standing(made, name, own))


def _made(event: Definition, own: Effects) -> Iterator[_Standing]:
    kind = _KINDS.get(event.kind)
    if kind is None:
        return
    yield _Standing(MadeObject(kind, event.name.name, event.name.schema), event.table, own)
    if kind is ObjectKind.TABLE:
        for column in event.columns:
            made = MadeObject(ObjectKind.COLUMN, event.name.name, event.name.schema, column.name.lower())
            yield _Standing(made, event.name, own)


def _columns_of_index(event: Definition) -> dict[MadeObject, tuple[MadeObject, ...]]:
    if event.kind is not Kind.INDEX or event.table is None:
        return {}
    table = event.table
    columns = (
        MadeObject(ObjectKind.COLUMN, table.name, table.schema, name.lower()) for name in event.indexed
    )
    return {MadeObject(ObjectKind.INDEX, event.name.name, event.name.schema): tuple(columns)}


def _gone(standing: _Standing, event: Event) -> bool:
    """Whether an event takes an object away, or gives it another name."""
    made, name = standing.made, event.name
    if isinstance(event, Removal):
        if _KINDS.get(event.kind) is made.kind and (made.schema, made.name) == (name.schema, name.name):
            return True
        return event.kind is Kind.TABLE and made.kind in _TAKEN_WITH and standing.table == name
    if not isinstance(event, Alteration):
        return False
    own = (made.schema, made.name) == (name.schema, name.name)
    if event.action is Alter.RENAME:
        kind = _KINDS.get(event.kind)
        return own and (made.kind is kind or (kind is ObjectKind.TABLE and made.kind is ObjectKind.COLUMN))
    if event.action in (Alter.DROP_COLUMN, Alter.RENAME_COLUMN):
        return own and made.kind is ObjectKind.COLUMN and made.column == event.column_name.lower()
    return False
