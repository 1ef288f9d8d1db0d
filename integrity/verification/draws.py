"""Values for the parameters of a query, drawn from real data: spread, and the same each time.

A parameter's query may find any number of rows; draws are spread evenly over them, each at a place
that depends on the seed alone. All parameters of a query are drawn at the same relative places, so
that queries over the same rows in the same order give values that belong together.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

from integrity.database.session import Session
from integrity.verification.parameters import NoValue, bind, one_query

SEED = 1
DRAWS = 20
"""How many sets of values a query is measured with."""

Values = dict[str, Any]


def draw(
    session: Session, parameters: Mapping[str, str], *, where: str, seed: int = SEED, draws: int = DRAWS
) -> list[Values]:
    """Returns up to ``draws`` sets of values, no two alike; one empty set where there are no parameters.

    Args:
        session: an open reading.
        parameters: for each name the query that gives its values, in its first column.
        where: the entry, for errors.
        seed: decides the places; the same seed finds the same rows while the data stay the same.
        draws: how many sets at most.

    Raises:
        NoValue: when a query finds no row.
        NotReading: for a parameter that is not one query.
    """
    if not parameters:
        return [{}]
    places = _places(seed, draws)
    columns = {name: _column(session, name, sql, where, places) for name, sql in parameters.items()}
    found = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [each for at, each in enumerate(found) if each not in found[:at]]


def digest(draws: list[Values]) -> str:
    """Returns what tells two lists of values apart, without showing any."""
    return hashlib.sha256(repr([sorted(each.items()) for each in draws]).encode()).hexdigest()[:16]


def _places(seed: int, draws: int) -> list[float]:
    """One place in each stretch of the rows, as fractions from 0 to 1."""
    chance = random.Random(seed)
    return [(number + chance.random()) / draws for number in range(draws)]


def _column(session: Session, name: str, sql: str, where: str, places: list[float]) -> list[Any]:
    """The values of one parameter, in two readings of its query."""
    query = bind(one_query(sql, f"The query of :{name}", where), {}, where=where).sql
    total = int(session.value(f"SELECT count(*) FROM ({query}\n) AS integrity_drawn"))
    if not total:
        raise NoValue.of(name, where)
    rows = [int(place * total) + 1 for place in places]
    numbered = f"SELECT row_number() OVER () AS integrity_row, q.* FROM ({query}\n) AS q"
    wanted = ", ".join(map(str, sorted(set(rows))))
    drawn = session.rows(f"SELECT * FROM ({numbered}) AS n WHERE integrity_row IN ({wanted})")
    values = {row[0]: row[1] for row in drawn}
    return [values[row] for row in rows]
