"""Which objects a definition needs: what keys refer to, what is indexed, altered, dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrity.scripts.cursor import ObjectName
from integrity.scripts.definitions import Alter, Alteration, Definition, Event, Kind, Removal
from integrity.scripts.statement import Place


@dataclass(frozen=True)
class Need:
    """An object that must be there; with a ``column``, one that it must have.

    ``by`` says what needs it, as it stands in a sentence.
    """

    kind: Kind
    name: ObjectName
    place: Place
    by: str
    column: str = ""
    table: ObjectName | None = None


def needs(event: Event) -> Iterator[Need]:
    """Yields what an event needs."""
    if isinstance(event, Definition):
        yield from _of_definition(event)
    elif isinstance(event, Alteration):
        yield from _of_alteration(event)
    elif isinstance(event, Removal) and not event.if_exists:
        by = f"DROP {event.kind.upper()}"
        yield Need(event.kind, event.name, event.place, by, table=event.table)


def _of_definition(event: Definition) -> Iterator[Need]:
    if event.kind is Kind.TABLE:
        yield from _of_keys(event)
    elif event.kind in (Kind.INDEX, Kind.TRIGGER) and event.table is not None:
        by = f"the {event.kind} {event.name}" if event.name.name else f"an {event.kind}"
        yield Need(Kind.TABLE, event.table, event.place, by)
        for column in event.indexed if event.kind is Kind.INDEX else ():
            yield Need(Kind.TABLE, event.table, event.place, by, column)
        if event.calls is not None:
            yield Need(Kind.FUNCTION, event.calls, event.place, by)


def _of_keys(event: Definition | Alteration) -> Iterator[Need]:
    for key in event.foreign_keys:
        by = f"the foreign key {event.name}.{', '.join(key.columns)}"
        yield Need(Kind.TABLE, key.referenced, key.place, by)
        for column in key.referenced_columns:
            yield Need(Kind.TABLE, key.referenced, key.place, by, column)
        for column in key.columns:
            yield Need(Kind.TABLE, event.name, key.place, by, column)
    for unique in event.keys:
        for column in unique.columns:
            by = f"a {'primary key' if unique.primary else 'unique'} of {event.name}"
            yield Need(Kind.TABLE, event.name, unique.place, by, column)


def _of_alteration(event: Alteration) -> Iterator[Need]:
    if event.table_guarded or event.kind not in (Kind.TABLE, Kind.VIEW, Kind.INDEX):
        return
    yield Need(event.kind, event.name, event.place, f"ALTER {event.kind.upper()}")
    yield from _of_keys(event)
    changes = event.action in (Alter.DROP_COLUMN, Alter.RENAME_COLUMN, Alter.CHANGE_COLUMN)
    if changes and not event.guarded:
        by = f"ALTER TABLE {event.name} … {event.action.upper()}"
        yield Need(Kind.TABLE, event.name, event.place, by, event.column_name)
