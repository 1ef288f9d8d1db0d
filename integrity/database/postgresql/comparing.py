"""Whether a function, trigger or view is the one that a CREATE statement would make, without making it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from django.db import DatabaseError

from integrity.database.postgresql.tokens import Token, tokens
from integrity.database.routines import Routine, RoutineKind
from integrity.database.session import Session
from integrity.exceptions import NotCheckable, ReferentialIntegrityError

_DOLLAR = re.compile(r"\$(\w*)\$(.*?)\$\1\$", re.DOTALL)
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)


def differs(session: Session, routine: Routine, create: str) -> bool:
    """Returns whether it is another one.

    A function is compared by its body and language; a view by what the planner makes of both; a trigger
    word by word, in any order, but for its WHEN, which the server spells in its own way.

    Raises:
        NotCheckable: where that cannot be known.
    """
    if routine.kind is RoutineKind.FUNCTION:
        return _function_differs(routine, create)
    if routine.kind is RoutineKind.VIEW:
        return _view_differs(session, routine, create)
    return _trigger_words(routine.definition) != _trigger_words(create)


def _function_differs(routine: Routine, create: str) -> bool:
    if _ATOMIC.search(create):
        raise NotCheckable("A body in BEGIN ATOMIC is kept in another form than it was written in")
    written = tokens(create)
    language = next(
        (after.name for each, after in pairwise(written) if each.is_word("LANGUAGE")),
        "sql",
    )
    body = _body(create, written)
    return language != routine.language or _words(tokens(body)) != _words(tokens(routine.body))


def _body(create: str, written: Sequence[Token]) -> str:
    """The text behind AS, without its quotes."""
    for each, after in pairwise(written):
        if each.is_word("AS") and after.kind == "string":
            if match := _DOLLAR.fullmatch(after.text):
                return match[2]
            return after.text[1:-1].replace("''", "'")
    raise NotCheckable(f"There is no body behind AS in {create[:60]!r}")


def _words(found: Sequence[Token]) -> list[str]:
    words = [each.name if each.is_identifier else each.text for each in found]
    while words and words[-1] == ";":
        words.pop()
    return words


def _view_differs(session: Session, routine: Routine, create: str) -> bool:
    match = re.search(r"\bAS\b(?=\s*(?:\(|SELECT\b|WITH\b|VALUES\b|TABLE\b))", create, re.IGNORECASE)
    if match is None:
        raise NotCheckable(f"There is no query behind AS in {create[:60]!r}")
    try:
        return _plan(session, routine.body) != _plan(session, create[match.end() :])
    except (ReferentialIntegrityError, DatabaseError) as error:
        raise NotCheckable(f"The catalog's view cannot be read: {str(error).splitlines()[0]}") from error


def _plan(session: Session, query: str) -> list[str]:
    sql = query.strip().rstrip(";").replace("%", "%%")
    return [line for (line,) in session.rows(f"EXPLAIN (VERBOSE, COSTS OFF) {sql}")]


_FILLERS = (
    "CREATE",
    "OR",
    "REPLACE",
    "CONSTRAINT",
    "FOR",
    "EACH",
    "PROCEDURE",
    "FUNCTION",
    "EXECUTE",
    "STATEMENT",
)


def _trigger_words(create: str) -> Counter[str]:
    words: list[str] = []
    when = False
    found = tokens(create)
    for place, token in enumerate(found):
        when = (when or token.is_word("WHEN")) and not token.is_word("EXECUTE")
        qualifies = place + 1 < len(found) and found[place + 1].is_mark(".")
        if not (when or qualifies or token.is_mark("(", ")", ".", ",", ";") or token.is_word(*_FILLERS)):
            words.append(token.name if token.is_identifier else token.text)
    return Counter(words)
