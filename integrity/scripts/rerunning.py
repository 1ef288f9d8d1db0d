"""What of a statement keeps it from being run twice, and what lets it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from integrity.scripts.definitions import Alter, Alteration, Definition, Event, Kind, Removal
from integrity.scripts.statement import Dialect, Place
from integrity.scripts.survey import Placed, Step, Survey

_SHOWN = {
    Alter.ADD_COLUMN: "ADD COLUMN", Alter.DROP_COLUMN: "DROP COLUMN", Alter.RENAME_COLUMN: "RENAME COLUMN",
    Alter.RENAME: "RENAME TO", Alter.ADD_KEY: "ADD CONSTRAINT", Alter.ADD_FOREIGN_KEY: "ADD FOREIGN KEY",
    Alter.ADD_CHECK: "ADD CHECK", Alter.DROP_CONSTRAINT: "DROP CONSTRAINT",
}  # fmt: skip
_ADDING = (Alter.ADD_COLUMN, Alter.ADD_KEY, Alter.ADD_FOREIGN_KEY, Alter.ADD_CHECK)
_GONE = "what it takes away is gone then"
_THERE = "what it makes is there then"
_ASK = "Ask first whether it is there (pragma_table_info on SQLite), or let a ledger see that it is run once."
_UPSERT = re.compile(
    r"\bON\s+CONFLICT\b|\bON\s+DUPLICATE\b|\AINSERT\s+OR\b|\AREPLACE\b|\bNOT\s+EXISTS\b", re.IGNORECASE
)
_GROWS = re.compile(r"(?:SET|,)\s*\"?(\w+)\"?\s*=\s*\"?\1\"?\s*[-+*/|]", re.IGNORECASE)


@dataclass(frozen=True)
class Once:
    """A statement, or part of one, that cannot be run twice: how it is called, and why."""

    place: Place
    object: str
    shown: str
    why: str
    suggestion: str


def is_guarded(step: Step) -> bool:
    """Whether a statement is written so that it may be run again."""
    if any(_is_guarded(event) for event in step.events):
        return True
    return isinstance(step.statement.parsed, exp.Insert) and _is_seed(step) and _is_upsert(step)


def _is_guarded(event: Event) -> bool:
    if isinstance(event, Definition):
        return event.if_not_exists or event.or_replace
    if isinstance(event, Removal):
        return event.if_exists
    return isinstance(event, Alteration) and event.guarded


def once(survey: Survey, step: Step, before: Sequence[Step] = ()) -> Iterator[Once]:
    """Yields what of a statement cannot be run twice; ``before`` are those that its script runs before it."""
    for event in step.events:
        if event.conditional or _is_guarded(event):
            continue
        if isinstance(event, Definition) and not _is_remade(survey, step, event):
            yield _made(step, event)
        elif isinstance(event, Removal) and not _is_made_here(survey, step, event):
            yield _dropped(event)
        elif isinstance(event, Alteration):
            yield from _altered(survey, step, event)
    if not step.events:
        yield from _rows(step, before)


def _is_remade(survey: Survey, step: Step, event: Definition) -> bool:
    """Whether its script drops it before, or drops or renames it after: it is not there the next time."""
    if event.temporary or "${" in event.name.name:
        return True
    return any(_takes_away(placed, event) for placed in _here(survey, step, event))


def _takes_away(placed: Placed, event: Definition) -> bool:
    if placed.step.statement.reverse:
        return False
    if isinstance(placed.event, Removal):
        return True
    renames = isinstance(placed.event, Alteration) and placed.event.action is Alter.RENAME
    return renames and event.kind is Kind.TABLE


def _is_made_here(survey: Survey, step: Step, event: Removal) -> bool:
    return any(isinstance(placed.event, Definition) for placed in _here(survey, step, event))


def _here(survey: Survey, step: Step, event: Event) -> list[Placed]:
    """What else the same script does to the object of an event."""
    same = survey.by_name.get((event.kind, event.name), ())
    return [placed for placed in same if placed.step.script == step.script and placed.event is not event]


def _made(step: Step, event: Definition) -> Once:
    kind = str(event.kind)
    return Once(
        event.place, str(event.name), f"CREATE {kind.upper()} {event.name}".rstrip(),
        _THERE if event.name.name else "each run makes another one", _guard(step, event),
    )  # fmt: skip


def _guard(step: Step, event: Definition) -> str:
    engine, kind, name = step.statement.engine, event.kind, event.name
    if kind is Kind.FUNCTION:
        return f"Write CREATE OR REPLACE FUNCTION {name}."
    if kind is Kind.TYPE:
        return (
            "PostgreSQL has no IF NOT EXISTS here: make it in a DO block that passes over duplicate_object."
        )
    if kind is Kind.TRIGGER and engine is Dialect.POSTGRESQL:
        return f"Write CREATE OR REPLACE TRIGGER {name}, or DROP TRIGGER IF EXISTS before it."
    if kind is Kind.TRIGGER and engine is Dialect.SHARED:
        return "Write DROP TRIGGER IF EXISTS before it, once for each engine."
    if kind is Kind.INDEX and not name.name:
        return "Give it a name, and write CREATE INDEX IF NOT EXISTS."
    if kind is Kind.VIEW and engine is not Dialect.SQLITE:
        return f"Write DROP VIEW IF EXISTS {name} before it."
    return f"Write CREATE {str(kind).upper()} IF NOT EXISTS {name}."


def _dropped(event: Removal) -> Once:
    kind = str(event.kind).upper()
    return Once(
        event.place,
        str(event.name),
        f"DROP {kind} {event.name}",
        _GONE,
        f"Write DROP {kind} IF EXISTS {event.name}.",
    )


def _altered(survey: Survey, step: Step, event: Alteration) -> Iterator[Once]:
    if event.action not in _SHOWN or _is_readied(survey, step, event):
        return
    adds = event.action in _ADDING
    named = event.column.name if event.column else event.column_name or event.new_name
    shown = f"ALTER {event.kind.upper()} {event.name} {_SHOWN[event.action]} {named}".rstrip()
    yield Once(
        event.place, str(event.name), shown, _THERE if adds else _GONE, _guard_of_change(step, event, named)
    )


def _is_readied(survey: Survey, step: Step, event: Alteration) -> bool:
    """Whether the script makes the table itself, or takes away before what is added."""
    for placed in survey.by_name.get((Kind.TABLE, event.name), ()):
        if placed.step.script != step.script or placed.event is event:
            continue
        if isinstance(placed.event, Definition) and not _is_guarded(placed.event):
            return True
        if isinstance(placed.event, Alteration) and placed.step.before(step):
            taken = placed.event.action in (Alter.DROP_CONSTRAINT, Alter.DROP_COLUMN)
            if taken and placed.event.guarded and event.action in _ADDING:
                return True
    return False


def _guard_of_change(step: Step, event: Alteration, named: str) -> str:
    postgresql = step.statement.engine is Dialect.POSTGRESQL
    if event.action is Alter.ADD_COLUMN:
        return f"Write ADD COLUMN IF NOT EXISTS {named}." if postgresql else _ASK
    if event.action is Alter.DROP_COLUMN:
        return f"Write DROP COLUMN IF EXISTS {named}." if postgresql else _ASK
    if event.action in _ADDING:
        return "Write DROP CONSTRAINT IF EXISTS before it."
    if event.action is Alter.DROP_CONSTRAINT:
        return "Write DROP CONSTRAINT IF EXISTS."
    return "Let a ledger see that it is run once."


# -- rows ------------------------------------------------------------------------------------------


def _rows(step: Step, before: Sequence[Step]) -> Iterator[Once]:
    tree = step.statement.parsed
    if step.source.is_source:
        return
    if (
        isinstance(tree, exp.Insert)
        and _is_seed(step)
        and not (_is_upsert(step) or _is_emptied(tree, before))
    ):
        name = _table(tree)
        yield Once(
            step.statement.place, name, f"INSERT INTO {name}", "its rows are there then, or doubled",
            "Write ON CONFLICT DO NOTHING, which both engines understand.",
        )  # fmt: skip
    if isinstance(tree, exp.Update) and (grows := _GROWS.search(step.statement.text)):
        name = _table(tree)
        yield Once(
            step.statement.place, name, f"UPDATE {name} SET {grows[1]}", f"{grows[1]} grows each time",
            "Say in WHERE which rows still need it.",
        )  # fmt: skip


def _table(tree: exp.Expression) -> str:
    table = tree.find(exp.Table)
    return table.name if table is not None else ""


def _is_seed(step: Step) -> bool:
    """Whether rows are inserted that the script itself spells out."""
    tree = step.statement.parsed
    if step.statement.dynamic or tree is None or not isinstance(tree.args.get("expression"), exp.Values):
        return False
    return tree.find(exp.Placeholder, exp.Parameter) is None


def _is_upsert(step: Step) -> bool:
    return _UPSERT.search(step.statement.text) is not None


def _is_emptied(tree: exp.Expression, before: Sequence[Step]) -> bool:
    """Whether the script deletes from the table before, or makes it without a guard: that fails first."""
    name = _table(tree).lower()
    emptied = re.compile(
        rf"(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+\S*\b{re.escape(name)}\b", re.IGNORECASE
    )
    for other in before:
        made = (each for each in other.events if isinstance(each, Definition) and each.kind is Kind.TABLE)
        if emptied.match(other.statement.text):
            return True
        if any(each.name.name == name and not _is_guarded(each) for each in made):
            return True
    return False
