"""A PL/pgSQL body, read as far as its SQL: statements and expressions that the server can be asked about.

PostgreSQL keeps a body as text and looks at its statements when each is reached for the first time (manual,
"PL/pgSQL under the Hood", Plan Caching). A statement is made plain SQL here by putting a typed NULL in the
place of each variable, as PL/pgSQL puts a parameter there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from integrity.database.postgresql.tokens import Token, tokens


@dataclass(frozen=True)
class Query:
    """SQL that the server can be asked about: in a body, or made of one of its expressions."""

    sql: str
    line: int


@dataclass
class Body:
    """What a body is made of.

    ``variables`` are its names with their types, empty where a type is not known. ``dynamic`` says that it
    runs SQL that it composes. ``assigned`` are the fields of NEW that it sets, with their lines.
    """

    queries: list[Query] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, int] = field(default_factory=dict)
    dynamic: bool = False


def created_tables(body: str) -> set[str]:
    """Returns the tables that a body makes itself, also by SQL that it composes: they may be missing until
    then."""
    return {match[1].rpartition(".")[2].strip('"').lower() for match in _CREATES.finditer(body)}


_BREAKS = ("BEGIN", "THEN", "ELSE", "LOOP", "DECLARE", "EXCEPTION")
_QUERIES = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES")
_LEADS = ("IF", "ELSIF", "ELSEIF", "WHILE", "PERFORM", "ASSERT")
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
        for part in _parts(statement, declares, found):
            if part:
                found.queries.append(Query(plain(part, found.variables), part[0].line))
    return found


def _statements(found: Sequence[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Statement by statement, with whether it is a declaration; block words end one as ``;`` does."""
    current: list[Token] = []
    depth, declares, query = 0, False, False
    for token in found:
        depth += 1 if token.is_mark("(") else -1 if token.is_mark(")") else 0
        in_case = query and any(each.is_word("CASE") for each in current)
        ends = token.is_mark(";") or (depth == 0 and not in_case and token.is_word(*_BREAKS))
        if ends:
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
        query = query or token.is_word(*_QUERIES, "RETURN", "PERFORM") or token.is_mark(":=", "=")
    yield current, declares


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


def _loop_variables(statement: Sequence[Token], found: Body) -> None:
    """``FOR name IN``, ``FOREACH name``: a name of its own, unless it was declared."""
    for place, token in enumerate(statement[:-1]):
        if token.is_word("FOR", "FOREACH") and statement[place + 1].is_identifier and place == 0:
            for each in statement[1:]:
                if each.is_word("IN", "SLICE"):
                    break
                if each.is_identifier:
                    found.variables.setdefault(each.name, "")


def _parts(statement: Sequence[Token], declares: bool, found: Body) -> Iterator[list[Token]]:
    """The SQL of a statement: queries without their INTO, expressions behind SELECT."""
    if not statement:
        return
    head = statement[0]
    if declares:
        yield from _declared_value(statement)
    elif head.is_word(*_QUERIES):
        yield _without_into(statement)
    elif head.is_word("EXECUTE"):
        found.dynamic = True
    elif head.is_word("FOR", "FOREACH", "OPEN", "RETURN"):
        yield from _queried(statement, found)
    elif head.is_word(*_LEADS):
        yield _selected(statement[1:])
    elif len(statement) > 1 and statement[1].is_mark(":=", "=", ".", "["):
        yield from _assignment(statement, found)


def _declared_value(statement: Sequence[Token]) -> Iterator[list[Token]]:
    for place, token in enumerate(statement):
        if token.is_mark(":=", "=") or token.is_word("DEFAULT"):
            yield _selected(statement[place + 1 :])
            return
        if token.is_word("FOR", "IS") and statement[place - 1].is_word("CURSOR"):
            yield list(statement[place + 1 :])
            return


def _queried(statement: Sequence[Token], found: Body) -> Iterator[list[Token]]:
    """A query or an expression behind FOR … IN, FOREACH … ARRAY, OPEN … FOR, RETURN [QUERY | NEXT]."""
    if any(each.is_word("EXECUTE") for each in statement):
        found.dynamic = True
        return
    for place, token in enumerate(statement):
        if token.is_word(*_QUERIES):
            yield _without_into(statement[place:])
            return
        if token.is_mark("("):
            break
    if statement[0].is_word("RETURN"):
        rest = statement[2:] if len(statement) > 1 and statement[1].is_word("NEXT") else statement[1:]
        yield _selected(rest)
        return
    starts = [place for place, each in enumerate(statement) if each.is_word("IN", "ARRAY")]
    if starts and not any(each.is_mark("..") for each in statement):
        of = statement[starts[0] + 1 : starts[0] + 2]
        if of and of[0].is_identifier and of[0].name in found.variables and statement[0].is_word("FOR"):
            return  # a cursor that is declared with its query
        yield _selected(statement[starts[0] + 1 :])


def _assignment(statement: Sequence[Token], found: Body) -> Iterator[list[Token]]:
    for place, token in enumerate(statement):
        if token.is_mark(":=", "="):
            if place == 3 and statement[0].is_word("NEW") and statement[1].is_mark("."):
                found.assigned.setdefault(statement[2].name, statement[2].line)
            yield _selected(statement[place + 1 :])
            return


def _selected(expression: Sequence[Token]) -> list[Token]:
    if not expression:
        return []
    line = expression[0].line
    return [Token("word", "SELECT", line), *expression]


def _without_into(query: Sequence[Token]) -> list[Token]:
    """A query without ``INTO [STRICT] target, …``, which is PL/pgSQL's; that of INSERT and MERGE stays."""
    kept: list[Token] = []
    place, depth = 0, 0
    while place < len(query):
        token = query[place]
        depth += 1 if token.is_mark("(") else -1 if token.is_mark(")") else 0
        if token.is_word("INTO") and depth == 0 and not (kept and kept[-1].is_word("INSERT", "MERGE")):
            place = _after_targets(query, place + 1)
            continue
        kept.append(token)
        place += 1
    return kept


def _after_targets(query: Sequence[Token], place: int) -> int:
    if place < len(query) and query[place].is_word("STRICT"):
        place += 1
    while place < len(query) and query[place].is_identifier:
        place += 1
        while place < len(query) and query[place].is_mark(".", "["):
            place += 3 if query[place].is_mark("[") else 2
        if place < len(query) and query[place].is_mark(","):
            place += 1
        else:
            break
    return place


def plain(statement: Sequence[Token], variables: Mapping[str, str]) -> str:
    """Returns SQL with a typed NULL in the place of every variable that no alias hides."""
    hidden = {each.name for before, each in pairwise(statement) if each.is_identifier and _names(before)}
    variables = {name: kind for name, kind in variables.items() if name not in hidden}
    parts: list[str] = []
    place = 0
    while place < len(statement):
        token = statement[place]
        if _stands_for_value(statement, place, variables):
            text, place = _null(statement, place, variables)
            parts.append(text)
            continue
        parts.append(token.text)
        place += 1
    return " ".join(parts)


_KEYWORDS = """
SELECT WHERE AND OR ON SET THEN ELSE WHEN CASE IN NOT LIKE ILIKE BETWEEN BY HAVING LIMIT OFFSET VALUES
RETURNING IS FROM JOIN INTO USING UPDATE DISTINCT ALL ANY SOME ARRAY EXISTS END INTERVAL COLLATE UNION EXCEPT
INTERSECT FILTER OVER ROW ASC DESC FOR WITH SIMILAR TO ESCAPE SYMMETRIC AT ZONE DATE TIME TIMESTAMP LATERAL
ONLY TABLE DELETE INSERT MERGE DO NOTHING CONFLICT DEFAULT NULL TRUE FALSE FIRST NEXT ROWS
"""
_WORDS = frozenset(_KEYWORDS.split())


def _names(before: Token) -> bool:
    """Whether what follows is an alias: behind a name, AS or a bracket, and not behind a keyword."""
    return (
        before.is_mark(")")
        or before.is_word("AS")
        or (before.is_identifier and not (before.kind == "word" and before.text.upper() in _WORDS))
    )


_TARGETS = ("INTO", "FROM", "JOIN", "UPDATE", "TABLE", "AS", "SET", "ONLY", "USING")


def _stands_for_value(statement: Sequence[Token], place: int, variables: Mapping[str, str]) -> bool:
    token = statement[place]
    if not (token.is_identifier or token.text.startswith("$")) or token.name not in variables:
        return False
    before = statement[place - 1] if place else None
    after = statement[place + 1] if place + 1 < len(statement) else None
    if before is not None and (before.is_mark(".", "::") or before.is_word(*_TARGETS)):
        return False
    if after is not None and after.is_mark("(", "=>", ":="):
        return False
    return not _is_column_of_write(statement, place)


def _is_column_of_write(statement: Sequence[Token], place: int) -> bool:
    """Whether a name stands where only a column can: ``INSERT INTO t (a, b)``, ``SET a = …``, and
    ``ON CONFLICT (a)``."""
    depth = 0
    for back in range(place - 1, -1, -1):
        token = statement[back]
        if token.is_mark(")"):
            depth += 1
        elif token.is_mark("(") and depth:
            depth -= 1
        elif token.is_mark("("):
            return _opens_columns(statement, back)
    after = statement[place + 1] if place + 1 < len(statement) else None
    before = statement[place - 1] if place else None
    return bool(
        after is not None
        and after.is_mark("=")
        and before is not None
        and before.is_mark(",")
        and statement[0].is_word("UPDATE", "INSERT")
    )


def _opens_columns(statement: Sequence[Token], place: int) -> bool:
    before = [each for each in statement[:place] if not each.is_mark(".")]
    if before and before[-1].is_word("CONFLICT", "USING"):
        return True
    words = [each.text.upper() for each in before]
    return "INTO" in words[-3:] and not any(each in ("VALUES", "SELECT") for each in words[len(words) - 3 :])


def _null(statement: Sequence[Token], place: int, variables: Mapping[str, str]) -> tuple[str, int]:
    kind = variables[statement[place].name]
    after = place + 1
    field_of = after + 1 < len(statement) and statement[after].is_mark(".")
    if not field_of:
        return (f"(NULL::{kind})" if kind else "NULL"), after
    name = statement[after + 1].text
    if not kind:
        return "NULL", after + 2
    return f"(NULL::{kind}).{name}", after + 2


def _joined(found: Sequence[Token]) -> str:
    return " ".join(each.text for each in found)
