"""Which statement makes what another one needs, and whether it is run before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from integrity.scripts.cursor import ObjectName, object_name
from integrity.scripts.definitions import Alter, Alteration, Definition, Event, Kind
from integrity.scripts.event_uses import needs
from integrity.scripts.statement import Dialect, Place
from integrity.scripts.survey import Step, Survey

_RELATIONS = (Kind.TABLE, Kind.VIEW)


@dataclass(frozen=True)
class Wanted:
    """A table, column or function that a statement needs to be there when it is run."""

    kind: Kind
    name: ObjectName
    place: Place
    by: str
    column: str = ""

    @property
    def shown(self) -> str:
        """How it is called."""
        return f"{self.name}.{self.column}" if self.column else str(self.name)


def wanted(step: Step) -> Iterator[Wanted]:
    """Yields what a statement needs, where that is looked for when it is run.

    SQLite looks for what keys and views refer to only when they are used (foreignkeys.html, section 3); what
    functions, blocks and conditions need is looked for when they are called.
    """
    statement = step.statement
    if statement.reverse or statement.in_source:
        return
    for event in step.events:
        if not event.conditional:
            yield from _of_event(step, event)
    if any(event.kind is Kind.VIEW for event in step.events) and statement.engine is Dialect.SQLITE:
        return
    by = f"This {_verb(step)}"
    for use in step.uses:
        place = statement.place_at(use.offset)
        if use.kind is Kind.TABLE and not use.column:
            yield Wanted(Kind.TABLE, use.name, place, by)
        elif use.column and len(use.of) == 1:
            yield Wanted(Kind.TABLE, use.of[0], place, by, use.column)


def _of_event(step: Step, event: Event) -> Iterator[Wanted]:
    own = event.name if isinstance(event, Definition) else None
    for need in needs(event):
        is_key = need.by.startswith("the foreign key")
        if need.name == own or (is_key and step.statement.engine is Dialect.SQLITE):
            continue
        yield Wanted(need.kind, need.name, need.place, need.by[0].upper() + need.by[1:], need.column)


def _verb(step: Step) -> str:
    tree = step.statement.parsed
    return "view" if isinstance(tree, exp.Create) else step.statement.text.split(None, 1)[0].upper()


@dataclass
class Makers:
    """Every statement that makes something, by what it makes."""

    survey: Survey
    objects: dict[tuple[Kind, ObjectName], list[tuple[Step, Place]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    columns: dict[tuple[ObjectName, str], list[tuple[Step, Place]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    open: set[ObjectName] = field(default_factory=set)

    def __post_init__(self) -> None:
        for placed in self.survey.placed:
            if not placed.step.statement.reverse:
                self._note(placed.step, placed.event)

    def _note(self, step: Step, event: Event) -> None:
        if isinstance(event, Definition):
            kind = Kind.TABLE if event.kind in _RELATIONS else event.kind
            self.objects[kind, event.name].append((step, event.place))
            if event.open or event.kind is Kind.VIEW:
                self.open.add(event.name)
            for column in event.columns:
                self.columns[event.name, column.name.lower()].append((step, column.place))
        elif isinstance(event, Alteration):
            self._note_change(step, event)

    def _note_change(self, step: Step, event: Alteration) -> None:
        if event.action is Alter.ADD_COLUMN and event.column is not None:
            self.columns[event.name, event.column.name.lower()].append((step, event.column.place))
        elif event.action is Alter.RENAME_COLUMN:
            self.columns[event.name, event.new_name.lower()].append((step, event.place))
        elif event.action is Alter.RENAME and event.new_name:
            renamed = object_name(event.new_name.split("."), event.name.schema)
            self.objects[Kind.TABLE, renamed].append((step, event.place))
            self.open.add(renamed)
        elif event.action is Alter.OPEN:
            self.open.add(event.name)

    def only_later(self, step: Step, use: Wanted) -> tuple[Step, Place] | None:
        """Returns the first that makes what a step needs, where each that does is run after it; else None."""
        makers = self.objects.get((Kind.TABLE if use.kind in _RELATIONS else use.kind, use.name), [])
        if use.column:
            if use.name in self.open or _all_later(step, makers):
                return None
            makers = self.columns.get((use.name, use.column.lower()), [])
        return makers[0] if _all_later(step, makers) else None


def _all_later(step: Step, makers: Sequence[tuple[Step, Place]]) -> bool:
    return bool(makers) and all(step.before(maker) for maker, _ in makers)
