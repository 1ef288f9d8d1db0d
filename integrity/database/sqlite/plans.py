"""Reads SQLite's plans: ``EXPLAIN QUERY PLAN``, and counts what a query really does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from integrity.database.access import Access, Work
from integrity.database.session import Session
from integrity.database.sqlite.tokens import tokens

EXPLAIN = "EXPLAIN QUERY PLAN "
ROWID = "INTEGER PRIMARY KEY"

YARDSTICK = (
    "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 6000) SELECT sum(n) FROM s"
)

CLOCK = 20_000
"""After how many instructions of the virtual machine the clock is looked at."""

COUNTED = 10
"""How many instructions of the virtual machine are counted at a time."""

# SQLite manual, "EXPLAIN QUERY PLAN": SCAN reads everything, SEARCH only part; before 3.36 with
# the word TABLE. An automatic index is made for this one query, from everything.
_STEP = re.compile(
    r"^(?P<how>SCAN|SEARCH)(?: TABLE)? (?P<name>.+?)(?: AS (?P<alias>.+?))?"
    r"(?: USING (?P<automatic>AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?"
    r"(?:INDEX (?P<index>.+?)|(?P<key>INTEGER PRIMARY KEY|PRIMARY KEY)))?(?: \(.*\))?$"
)
_NO_ALIAS = {"WHERE", "ON", "USING", "JOIN", "LEFT", "INNER", "CROSS", "NATURAL", "ORDER", "GROUP", "LIMIT"}
_NO_ALIAS |= {"UNION", "EXCEPT", "INTERSECT", "INDEXED", "NOT", "HAVING", "WINDOW", "SET", "RETURNING"}


def accesses(session: Session, sql: str, params: Sequence[Any]) -> list[Access]:
    """Returns how a query reaches each table. SQLite's planner does not ask how large they are
    unless ANALYZE was run, so there is no other plan to be had."""
    return _read(sql, [row[3] for row in session.rows(EXPLAIN + sql, params)])


def _read(sql: str, plan: Sequence[str]) -> list[Access]:
    named = aliases(sql)
    steps = (_STEP.match(line) for line in plan)
    return [_access(step, named) for step in steps if step]


def _access(step: re.Match[str], named: dict[str, str]) -> Access:
    table = named.get(step["name"].lower(), step["name"])
    if step["how"] == "SCAN" or step["automatic"]:
        return Access(table)
    return Access(table, step["index"] or (ROWID if step["key"] == ROWID else step["key"] or ""))


def aliases(sql: str) -> dict[str, str]:
    """Returns the table behind each alias of a query, the alias in lower case."""
    found: dict[str, str] = {}
    words = [token for token in tokens(sql) if token.kind in ("word", "name", "mark")]
    for place, token in enumerate(words[:-1]):
        if not (token.is_word("FROM", "JOIN", "UPDATE") or token.text == ","):
            continue
        table, after = words[place + 1], words[place + 2 : place + 4]
        if after and after[0].is_word("AS"):
            after = after[1:]
        if after and after[0].kind != "mark" and not after[0].is_word(*_NO_ALIAS):
            found.setdefault(after[0].name.lower(), table.name)
    return found


# -- what a query does -----------------------------------------------------------------------


def work(session: Session, sql: str, params: Sequence[Any], overdue: Callable[[], bool]) -> Work:
    """Runs a query, and returns how many instructions of SQLite's virtual machine that took: it has
    no cost and no buffers to tell (SQLite C interface, ``sqlite3_progress_handler``).

    Args:
        session: an open reading.
        sql: the query, with parameters in the ``%s`` style.
        params: their values.
        overdue: whether the statement's time is over.
    """
    plan = tuple(str(row[3]) for row in session.rows(EXPLAIN + sql, params))
    with _counting(session, overdue) as counted:
        rows = sum(1 for _ in session.stream(sql, params))
        steps = counted[0] * COUNTED
    return Work(rows, tuple(_read(sql, plan)), plan, steps=steps)


@contextmanager
def _counting(session: Session, overdue: Callable[[], bool]) -> Iterator[list[int]]:
    """Counts instructions; the clock is looked at as often as otherwise."""
    counted, raw = [0], session.connection.connection

    def one_more() -> bool:
        counted[0] += 1
        return counted[0] % (CLOCK // COUNTED) == 0 and overdue()

    raw.set_progress_handler(one_more, COUNTED)
    try:
        yield counted
    finally:
        raw.set_progress_handler(overdue, CLOCK)


def understood(session: Session, source: str, expressions: Sequence[str]) -> list[str]:
    """Returns the program that each expression over a row ``c`` compiles to, without SQLite's remarks."""
    return [
        repr([row[:7] for row in session.rows(f"EXPLAIN SELECT ({each}) FROM {source} AS c NOT INDEXED")])
        for each in expressions
    ]
