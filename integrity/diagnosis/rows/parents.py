"""Rows that orphans could refer to instead, found by the beginning of their key or of their name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import DatabaseError, DataError

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.diagnosis.rows.chosen import people_read
from integrity.diagnosis.rows.looking import Orphans
from integrity.diagnosis.rows.pages import sayable
from integrity.exceptions import ReferentialIntegrityError, TimedOut

MOST_PARENTS = 20
LETTERS = 80
MOST_SECONDS = 3


@dataclass(frozen=True)
class Parent:
    """A row that can be referred to: its referenced key as texts, and what it is called."""

    key: tuple[str, ...]
    called: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parents:
    """What was found; ``more`` says that there are others, ``gap`` that not everything was searched."""

    found: tuple[Parent, ...] = ()
    more: bool = False
    gap: bool = False


def find_parents(orphans: Orphans, term: str, *, most: int = MOST_PARENTS) -> Parents:
    """Returns rows of the referenced table: the one of exactly this key first, then those whose key or
    name begins so; the first of all without a term.

    Each search is a statement of its own: where one takes too long, the others are answered all the same.

    Args:
        orphans: an open look, with little patience.
        term: what somebody typed.
        most: how many at most.
    """
    found: dict[tuple[str, ...], Parent] = {}
    gap, until = False, time.monotonic() + MOST_SECONDS
    for where in _searches(orphans, term.strip().replace("\0", "")):
        if len(found) > most:
            break
        if time.monotonic() > until:
            gap = True
            break
        try:
            with orphans.session.look():
                found |= {each.key: each for each in _look(orphans, where, most + 1) if each.key not in found}
        except TimedOut:
            gap = True
        except DataError:
            continue  # no key of this type is written so
        except (ReferentialIntegrityError, DatabaseError):
            if not orphans.session.connection.is_usable():
                raise
            gap = True
    listed = list(found.values())
    return Parents(tuple(listed[:most]), len(listed) > most, gap)


def _searches(orphans: Orphans, term: str) -> Iterator[Predicate]:
    if not term:
        yield Predicate("1 = 1")
        return
    engine, parent = orphans.engine, orphans.parent
    key = [parent.column(name) for name in orphans.reference.referenced_columns]
    first = key[0]
    if not orphans.hidden(parent, first.name):
        yield engine.written_as(first, column(first.name, "c"), term)
        yield engine.begins(first, column(first.name, "c"), term)
    for each in people_read(parent):
        if not orphans.hidden(parent, each.name):
            yield engine.begins(each, column(each.name, "c"), term)


def _look(orphans: Orphans, where: Predicate, most: int) -> list[Parent]:
    engine, parent = orphans.engine, orphans.parent
    names = orphans.reference.referenced_columns
    if any(orphans.hidden(parent, name) for name in names):
        return []
    called = [each for each in people_read(parent) if each.name not in names]
    called = [each for each in called if not orphans.hidden(parent, each.name)]
    listed = [engine.key_text([name]) for name in names]
    listed += [engine.shown(each, column(each.name, "c"), LETTERS).text for each in called]
    known = " AND ".join(f"{column(name, 'c')} IS NOT NULL" for name in names)
    sql = (
        f"SELECT {', '.join(listed)} FROM {engine.parent_source(parent)} c WHERE {known} AND {where.sql} "
        f"ORDER BY {', '.join(column(name, 'c') for name in names)} LIMIT %s"
    )
    rows = orphans.session.rows(sql, [*where.params, most])
    width = len(names)
    keys = ((sayable(row[:width]), row[width:]) for row in rows)
    return [Parent(key, tuple(str(each) for each in rest if each is not None)) for key, rest in keys if key]
