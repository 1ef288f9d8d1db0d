"""What is known of a referenced table and of what surrounds it, before its orphans are explained."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from integrity.database.engine import Engine
from integrity.database.identifiers import column
from integrity.database.schema import Column, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.exceptions import NotCheckable
from integrity.references.reference import Reference

DENSE = 0.1
"""From this share of numbers in use on, a number inside the range was once given out."""

_WHOLE = re.compile(r"int(?!erval)", re.IGNORECASE)
_TEXT = re.compile(r"char|text|clob|name|uuid", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"[_-]?(archived?|archives|deleted|history|hist|trash|removed|backup|bak|old)s?$|"
    r"^(archived?|deleted|old|removed|trash)[_-]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Parents:
    """A referenced table's keys.

    ``first`` and ``last`` are the range of whole numbers that was once used, None where numbers
    prove nothing; ``lowest`` is the lowest key of whole numbers. ``plain`` says whether some keys
    are words without a digit, so that a word alone tells nothing. ``elsewhere`` are the tables that
    keep parents which are gone. ``alone`` are the places of the columns of a composite reference by
    which a parent is known without the others: its own key, beside that of the tenant it belongs to.
    """

    rows: int = 0
    whole: bool = False
    lowest: int | None = None
    first: int | None = None
    last: int | None = None
    plain: bool = True
    elsewhere: tuple[Table, ...] = field(default=())
    alone: tuple[int, ...] = ()


def spelled_differently(vendor: str, child: Column, parent: Column) -> bool:
    """Whether two columns can hold one value in two spellings."""
    here, there = _type(child), _type(parent)
    if vendor == "postgresql" and here == there == "uuid":
        return False
    if vendor == "sqlite" and "" in (here, there):
        return True
    return any(_TEXT.search(kind) for kind in (here, there))


def look_at_parents(session: Session, schema: Schema, reference: Reference) -> Parents:
    """Reads what is needed of a referenced table, in at most three queries."""
    table = schema.table(reference.referenced_table)
    elsewhere = tuple(_elsewhere(session.engine, schema, reference))
    if len(reference.columns) > 1:
        return Parents(elsewhere=elsewhere, alone=_alone(table, reference))
    here = schema.table(reference.table).column(reference.columns[0])
    key = table.column(reference.referenced_columns[0])
    if _WHOLE.search(_type(key)) and _WHOLE.search(_type(here)):
        return _numbered(session, table, key.name, elsewhere)
    return Parents(plain=_has_words(session, table, key.name), elsewhere=elsewhere)


def _alone(table: Table, reference: Reference) -> tuple[int, ...]:
    """The places of the fewest columns that are a key of the referenced table, but not of all of them."""
    wanted = reference.referenced_columns
    keys = [set(key.columns) for key in table.keys if key.referenceable and set(key.columns) < set(wanted)]
    fewest = min(keys, key=len, default=set())
    return tuple(at for at, name in enumerate(wanted) if name in fewest)


def _numbered(session: Session, table: Table, key: str, elsewhere: tuple[Table, ...]) -> Parents:
    name = column(key, "p")
    source = session.engine.parent_source(table)
    rows, lowest, highest = session.row(f"SELECT count({name}), min({name}), max({name}) FROM {source} p")
    if rows and not (isinstance(lowest, int) and isinstance(highest, int)):
        return Parents(rows=rows, elsewhere=elsewhere)
    given = session.engine.last_given(session, table, key)
    first, last = _once_used(rows, lowest, highest, given)
    return Parents(rows, True, lowest, first, last, True, elsewhere)


def _once_used(
    rows: int, lowest: int | None, highest: int | None, given: int | None
) -> tuple[int | None, int | None]:
    """The range in which a missing number was once a key; a sequence begins at one."""
    last = max((each for each in (highest, given) if each is not None), default=None)
    if last is None:
        return None, None
    first = 1 if given is not None and (lowest is None or lowest > 0) else lowest
    if first is None or (given is None and rows < DENSE * (last - first + 1)):
        return None, None
    return first, last


def _has_words(session: Session, table: Table, key: str) -> bool:
    """Whether one of some keys is a word without a digit."""
    name = column(key, "p")
    text = f"CAST({name} AS text)"
    source = session.engine.parent_source(table)
    sample = session.rows(f"SELECT {text} FROM {source} p WHERE {name} IS NOT NULL LIMIT 100")
    return any(is_word(value) for (value,) in sample)


def is_word(value: object) -> bool:
    """Whether a value is of a short plain form: ``default-user``, not ``u-4711``."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z]+([-_ .][A-Za-z]+){0,3}", value) is not None


def _elsewhere(engine: Engine, schema: Schema, reference: Reference) -> list[Table]:
    """Tables named like the parent that can be asked for its keys, two at most."""
    parent = schema.table(reference.referenced_table)
    found = [
        table
        for table in schema
        if table.name not in (parent.name, reference.table)
        and table.readable
        and table.kind is not TableKind.VIRTUAL
        and _like(table.name.name, parent.name.name)
        and table.has_columns(reference.referenced_columns)
        and _comparable(engine, schema, reference, table)
    ]
    return sorted(found, key=lambda each: each.name)[:2]


def _like(name: str, parent: str) -> bool:
    bare = _ELSEWHERE.sub("", name)
    return bare != name and bare.lower().rstrip("s") == parent.lower().rstrip("s")


def _comparable(engine: Engine, schema: Schema, reference: Reference, table: Table) -> bool:
    here = schema.table(reference.table)
    try:
        for name, key in reference.pairs:
            engine.equal(table.column(key), column(key, "a"), here.column(name), column(name, "c"))
    except NotCheckable:
        return False
    return True


def _type(each: Column) -> str:
    return (each.stored_type or each.type).lower()
