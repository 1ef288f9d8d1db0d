"""A PL/pgSQL body, read as far as its SQL: statements and expressions that the server can be asked about.

PostgreSQL keeps a body as text and looks at its statements when each is reached for the first time (manual,
"PL/pgSQL under the Hood", Plan Caching). A statement is made plain SQL here by putting a typed NULL in the
place of each variable, as PL/pgSQL puts a parameter there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from integrity.database.postgresql.body_parts import QUERIES, Body, Query, parts
from integrity.database.postgresql.tokens import Token, tokens
from integrity.database.postgresql.typed_nulls import plain

__all__ = ["Body", "Query", "created_tables", "read_body"]


def created_tables(body: str) -> set[str]:
    """Returns the tables that a body makes itself, also by SQL that it composes: they may be missing until
    then."""
    return {match[1].rpartition(".")[2].strip('"').lower() for match in _CREATES.finditer(body)}


_BREAKS = ("BEGIN", "THEN", "ELSE", "LOOP", "DECLARE", "EXCEPTION")
_VALUES = (*QUERIES, "RETURN", "PERFORM", "RAISE", "CALL", "ASSERT")
_CREATES = re.compile(
    r"\bcreate\s+(?:(?:global|local)\s+)?(?:temp|temporary|unlogged)?\s*table\s+(?:if\s+not\s+exists\s+)?([^\s(;']+)",
    re.IGNORECASE,
)


def read_body(body: str, known: Mapping[str, str]) -> Body:
    """Reads a body.

    Args:
        body: the text between the dollar quotes.
        known: names that stand for values there (arguments, NEW, OLD) with their types, empty for one
            that is not known.
    """
    found = Body(variables=dict(known))
    statements = list(_statements(tokens(body)))
    for statement, declares in statements:
        if declares:
            _declare(statement, found)
    for statement, _ in statements:
        _loop_variables(statement, found)
    for statement, declares in statements:
        for part in parts(statement, declares, found):
            if part:
                calls = part[0].is_word("CALL")
                part = [Token("word", "SELECT", part[0].line), *part[1:]] if calls else part
                found.queries.append(Query(plain(part, found.variables), part[0].line, calls))
    return found


def _statements(found: Sequence[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Statement by statement, with whether it is a declaration; block words end one as ``;`` does."""
    current: list[Token] = []
    depth, declares, query = 0, False, False
    for token in found:
        depth += 1 if token.is_mark("(") else -1 if token.is_mark(")") else 0
        if token.is_mark(";") or (depth == 0 and _breaks(token, current, query)):
            depth = 0
            yield current, declares
            if token.is_word(*_BREAKS):
                declares = token.is_word("DECLARE")
            current, query = [], False
            continue
        if token.is_mark(">>") and current and current[0].is_mark("<<"):
            current = []
            continue
        current.append(token)
        query = query or token.is_word(*_VALUES) or token.is_mark(":=", "=")
    yield current, declares


def _breaks(token: Token, current: Sequence[Token], query: bool) -> bool:
    """Whether a word ends what stands before it: not in CASE … END, RAISE EXCEPTION, END LOOP."""
    if not token.is_word(*_BREAKS):
        return False
    if current and current[0].is_word("RAISE" if token.is_word("EXCEPTION") else "END"):
        return len(current) > 1
    own = current[:1] if current and current[0].is_word("CASE", "WHEN") else []
    return not query or not any(each.is_word("CASE") for each in current[len(own) :])


def _declare(statement: Sequence[Token], found: Body) -> None:
    """``name [CONSTANT] type [NOT NULL] [:= value]``, ``name ALIAS FOR other``, a cursor."""
    if len(statement) < 2 or not statement[0].is_identifier:
        return
    rest = [each for each in statement[1:] if not each.is_word("CONSTANT")]
    kind: list[Token] = []
    for token in rest:
        if token.is_mark(":=", "=") or token.is_word("DEFAULT", "NOT", "COLLATE"):
            break
        kind.append(token)
    words = {each.text.upper() for each in kind if each.kind == "word"}
    loose = words & {"RECORD", "CURSOR", "ALIAS", "REFCURSOR"} or any(each.is_mark("%") for each in kind)
    found.variables[statement[0].name] = "" if loose else _joined(kind)
    if "CURSOR" in words:
        for before, each in pairwise(statement):
            if before.is_mark("(", ",") and each.is_identifier:
                found.variables.setdefault(each.name, "")


def _loop_variables(statement: Sequence[Token], found: Body) -> None:
    """``FOR name IN``, ``FOREACH name``: a name of its own, unless it was declared."""
    for place, token in enumerate(statement[:-1]):
        if token.is_word("FOR", "FOREACH") and statement[place + 1].is_identifier and place == 0:
            for each in statement[1:]:
                if each.is_word("IN", "SLICE"):
                    break
                if each.is_identifier:
                    found.variables.setdefault(each.name, "")


def _joined(found: Sequence[Token]) -> str:
    return " ".join(each.text for each in found)
