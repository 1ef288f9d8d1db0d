"""What scripts define together, followed in their order.

Scripts whose names begin with numbers are run in that order. Of the others, and of sources, nothing says
when they are run: what one defines counts for every other. What takes something back counts for nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from integrity.scripts.cursor import ObjectName, object_name, read_tokens
from integrity.scripts.definition_reading import read_events
from integrity.scripts.definitions import (
    Alter,
    Alteration,
    ColumnDefinition,
    Definition,
    Event,
    Kind,
    Removal,
)
from integrity.scripts.statement import Dialect, Script, Statement
from integrity.scripts.uses import Use, uses

_NUMBERED = re.compile(r"^[VvRU]?\d")
_IN_A_FOLDER_EACH = ("migration.sql", "up.sql", "down.sql")


def _series(script: Script) -> tuple[bool, Path] | None:
    """Returns what a script is run in order with: the numbered scripts of one folder."""
    alone = script.path.name.lower() in _IN_A_FOLDER_EACH
    own = script.path.parent if alone else script.path
    return (script.is_source, own.parent) if _NUMBERED.match(own.name) else None


@dataclass(frozen=True)
class Step:
    """A statement at its turn, with what it does to the schema.

    ``script`` and ``statement_number`` count from 0. ``schema`` is where objects are made whose schema
    is not written.
    """

    source: Script
    statement: Statement
    script: int
    number: int
    schema: str = ""
    events: tuple[Event, ...] = ()

    def before(self, other: Step) -> bool:
        """Whether it is known to be run before another."""
        if self.script == other.script:
            return self.number < other.number
        series = self._series
        return series is not None and self.script < other.script and series == other._series

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What its statement uses, as far as the parser understands it."""
        return tuple(uses(self.statement, self.schema))

    @cached_property
    def _series(self) -> tuple[bool, Path] | None:
        return _series(self.source)


@dataclass(frozen=True)
class Placed:
    """An event and the step that it belongs to."""

    step: Step
    event: Event


@dataclass(frozen=True)
class Survey:
    """Everything that scripts do to the schema, statement by statement."""

    scripts: tuple[Script, ...]
    steps: tuple[Step, ...] = ()

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """Every event with its step."""
        return tuple(Placed(step, event) for step in self.steps for event in step.events)

    @cached_property
    def by_name(self) -> dict[tuple[Kind, ObjectName], list[Placed]]:
        """Events by the object that they are about."""
        found: dict[tuple[Kind, ObjectName], list[Placed]] = defaultdict(list)
        for placed in self.placed:
            found[placed.event.kind, placed.event.name].append(placed)
        return found

    def definitions(self, kind: Kind) -> Iterator[tuple[Step, Definition]]:
        """Yields what is made of a kind."""
        yield from self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> dict[Kind, list[tuple[Step, Definition]]]:
        found: dict[Kind, list[tuple[Step, Definition]]] = defaultdict(list)
        for placed in self.placed:
            if isinstance(placed.event, Definition):
                found[placed.event.kind].append((placed.step, placed.event))
        return found

    def grown(self, step: Step, definition: Definition, until: Step | None = None) -> Definition:
        """Returns a table as it is after what later statements alter in it.

        Args:
            step: the step of the definition.
            definition: the table.
            until: only what is known to be run before this step; without one, all.
        """
        for placed in self.by_name.get((Kind.TABLE, definition.name), ()):
            if placed.step.before(step) or (until is not None and not placed.step.before(until)):
                continue
            if _takes_away(placed.event, definition) and step.before(placed.step):
                break
            if isinstance(placed.event, Alteration) and placed.event.engines & definition.engines:
                definition = altered(definition, placed.event)
        return definition

    def taken_away(self, placed: Placed) -> bool:
        """Whether what an event makes is dropped, or named otherwise, in the end."""
        return any(
            placed.step.before(each.step) and not each.event.conditional for each in self._ends(placed)
        )

    def _ends(self, placed: Placed) -> list[Placed]:
        """What takes away what an event makes: an index or trigger goes with its table, too."""
        event = placed.event
        same = self.by_name.get((event.kind, event.name), ())
        found = [each for each in same if _takes_away(each.event, event)]
        if isinstance(event, Definition) and event.table is not None:
            of_table = self.by_name.get((Kind.TABLE, event.table), ())
            found += [each for each in of_table if isinstance(each.event, Removal)]
        return found

    def replaced(self, one: Placed, other: Placed) -> bool:
        """Whether an object of one event is gone, or named otherwise, when another event makes it again.

        That is where it is taken away between them, or for good by the script that makes it.
        """
        gone = [each.step for each in self._ends(one)]
        for step in gone:
            if one.step.before(step) and (step.before(other.step) or step.script == one.step.script):
                return True
            if step.script == other.step.script and one.step.script != other.step.script:
                return True
        return False


def survey(scripts: Sequence[Script]) -> Survey:
    """Follows scripts in their order."""
    steps: list[Step] = []
    for number, script in enumerate(scripts):
        steps += _steps(number, script)
    return Survey(tuple(scripts), tuple(steps))


def _steps(number: int, script: Script) -> Iterable[Step]:
    schema = ""
    for at, statement in enumerate(script.statements):
        schema = _search_path(statement, schema)
        events = () if statement.reverse else read_events(statement, schema)
        yield Step(script, statement, number, at, schema, events)


def _search_path(statement: Statement, schema: str) -> str:
    """``SET search_path`` says where what follows in the script is made."""
    if "search_path" not in statement.text.lower() or len(statement.text) > 500:
        return schema
    tokens = read_tokens(statement.text)
    if not tokens or not tokens[0].is_word("SET"):
        return schema
    at = next((at for at, token in enumerate(tokens) if token.text.lower() == "search_path"), len(tokens))
    names = [token.name for token in tokens[at + 2 :] if token.kind in ("word", "name", "string")]
    return object_name([names[0], ""]).schema if names and names[0] != "$user" else ""


def _takes_away(event: Event, from_: Event) -> bool:
    if isinstance(event, Removal):
        return event.table is None or not isinstance(from_, Definition) or event.table == from_.table
    return isinstance(event, Alteration) and event.action is Alter.RENAME


def altered(table: Definition, change: Alteration) -> Definition:
    """Returns a table after one action of an ALTER TABLE."""
    name = change.column_name.lower()
    if change.action is Alter.ADD_COLUMN and change.column is not None:
        if table.column(name) is not None:
            return table
        return _with_constraints(replace(table, columns=(*table.columns, change.column)), change)
    if change.action in (Alter.ADD_KEY, Alter.ADD_FOREIGN_KEY, Alter.ADD_CHECK):
        return _with_constraints(table, change)
    if change.action is Alter.DROP_COLUMN:
        return _without_column(table, name)
    if change.action is Alter.RENAME_COLUMN:
        return _renamed(table, name, change.new_name)
    if change.action is Alter.CHANGE_COLUMN:
        columns = (_changed(each, change) if each.name.lower() == name else each for each in table.columns)
        return replace(table, columns=tuple(columns))
    if change.action is Alter.DROP_CONSTRAINT:
        return replace(
            table,
            keys=tuple(each for each in table.keys if each.name.lower() != name),
            foreign_keys=tuple(each for each in table.foreign_keys if each.name.lower() != name),
        )
    return replace(table, open=True)


def _with_constraints(table: Definition, change: Alteration) -> Definition:
    return replace(
        table,
        keys=table.keys + change.keys,
        foreign_keys=table.foreign_keys + change.foreign_keys,
        checks=table.checks + ((change.check,) if change.check else ()),
    )


def _without_column(table: Definition, name: str) -> Definition:
    def stays(columns: tuple[str, ...]) -> bool:
        return name not in [each.lower() for each in columns]

    return replace(
        table,
        columns=tuple(each for each in table.columns if each.name.lower() != name),
        keys=tuple(each for each in table.keys if stays(each.columns)),
        foreign_keys=tuple(each for each in table.foreign_keys if stays(each.columns)),
    )


def _renamed(table: Definition, old: str, new: str) -> Definition:
    def names(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if each.lower() == old else each for each in columns)

    return replace(
        table,
        columns=tuple(
            replace(each, name=new) if each.name.lower() == old else each for each in table.columns
        ),
        keys=tuple(replace(each, columns=names(each.columns)) for each in table.keys),
        foreign_keys=tuple(replace(each, columns=names(each.columns)) for each in table.foreign_keys),
    )


def _changed(column: ColumnDefinition, change: Alteration) -> ColumnDefinition:
    return replace(
        column,
        type=change.type or column.type,
        nullable=column.nullable if change.nullable is None else change.nullable,
        default=column.default if change.default is None else change.default,
    )


def for_engine(event: Event, vendor: str) -> bool:
    """Whether an event is for the engine of a target."""
    return Dialect(vendor) in event.engines
