"""``:name`` in a catalog's SQL becomes a bound parameter; its value comes from the data itself.

Names are looked for outside strings, quoted names, comments and dollar quotes, and ``::`` is a
cast. A colon behind a word or bracket is an array slice (``parts[1:2]``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrity.database.schema import did_you_mean
from integrity.database.session import Session
from integrity.exceptions import CatalogError

_PIECE = re.compile(
    r"""(?P<kept>
          [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
        | --[^\n]* | /\*.*?\*/ | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag) | ::
        )
      | (?<![\w\]:]):(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)


_READS = {"SELECT", "WITH", "VALUES", "TABLE"}


@dataclass(frozen=True)
class Bound:
    """A statement in the ``%s`` style with its values, as a session wants it."""

    sql: str
    params: tuple[Any, ...]


class NoValue(CatalogError):
    """The query that gives a parameter its value finds no row."""

    @classmethod
    def of(cls, name: str, where: str) -> NoValue:
        """Returns the error for one parameter."""
        return cls(
            f"The query of :{name} finds no row",
            where=where,
            hint="Fill the tables that it reads, or take the value from others.",
        )


class NotReading(CatalogError):
    """A statement that is to be measured is not one query: only what reads is run."""


def bind(sql: str, values: Mapping[str, Any], *, where: str) -> Bound:
    """Returns ``sql`` with each ``:name`` bound to its value.

    Args:
        sql: a statement as a catalog has it.
        values: the value of each name.
        where: the entry, for errors.

    Raises:
        CatalogError: for a name without a value.
    """
    parts: list[str] = []
    params: list[Any] = []
    position = 0
    for match in _PIECE.finditer(sql):
        parts.append(_doubled(sql[position : match.start()]))
        position = match.end()
        if match["name"] is None:
            parts.append(_doubled(match.group()))
            continue
        parts.append("%s")
        params.append(_value(match["name"], values, where))
    return Bound("".join([*parts, _doubled(sql[position:])]), tuple(params))


def values_of(session: Session, parameters: Mapping[str, str], *, where: str) -> dict[str, Any]:
    """Returns the value that each parameter's query finds first.

    Raises:
        NoValue: when a query finds no row.
    """
    return {name: _found(session, name, sql, where) for name, sql in parameters.items()}


def one_query(sql: str, what: str, where: str) -> str:
    """Returns ``sql`` without the semicolon at its end, when it is one statement that reads.

    What a reading cannot do (``WITH … DELETE``, ``FOR UPDATE``) the database itself refuses.

    Args:
        sql: a statement as a catalog has it.
        what: what it is, for errors: ``The query of :id``.
        where: the entry, for errors.

    Raises:
        NotReading: for anything but one SELECT, WITH, VALUES or TABLE.
    """
    bare = _PIECE.sub(lambda match: match.group() if match["name"] else " " * len(match.group()), sql)
    first = re.match(r"[\s(]*([A-Za-z]*)", bare)
    statement, _, rest = bare.partition(";")
    if not first or first[1].upper() not in _READS:
        raise NotReading(
            f"{what} is no SELECT", where=where, hint="Only queries are measured; write others as a [[flow]]."
        )
    if rest.strip(" \n\t\r;"):
        raise NotReading(f"{what} is more than one statement", where=where, hint="Write one.")
    return sql[: len(statement)]


def _found(session: Session, name: str, sql: str, where: str) -> Any:
    try:
        first = f"SELECT * FROM ({one_query(sql, name, where)}\n) AS q LIMIT 1"
    except NotReading:
        first = sql
    rows = session.rows(bind(first, {}, where=where).sql)
    if not rows:
        raise NoValue.of(name, where)
    return rows[0][0]


def _value(name: str, values: Mapping[str, Any], where: str) -> Any:
    if name not in values:
        raise CatalogError(
            f":{name} has no query in parameters", where=where, hint=did_you_mean(name, sorted(values))
        )
    return values[name]


def _doubled(text: str) -> str:
    return text.replace("%", "%%")
