"""Reads SQLite's plans: ``EXPLAIN QUERY PLAN``, without running the query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from integrity.database.access import Access
from integrity.database.session import Session
from integrity.database.sqlite.tokens import tokens

EXPLAIN = "EXPLAIN QUERY PLAN "
ROWID = "INTEGER PRIMARY KEY"

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
    named = aliases(sql)
    steps = (_STEP.match(row[3]) for row in session.rows(EXPLAIN + sql, params))
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


def understood(session: Session, source: str, expressions: Sequence[str]) -> list[str]:
    """Returns the program that each expression over a row ``c`` compiles to, without SQLite's remarks."""
    return [
        repr([row[:7] for row in session.rows(f"EXPLAIN SELECT ({each}) FROM {source} AS c NOT INDEXED")])
        for each in expressions
    ]
