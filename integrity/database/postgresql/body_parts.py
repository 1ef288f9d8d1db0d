"""What the server can be asked about in one statement of a PL/pgSQL body (manual, "Basic Statements",
"Control Structures", "Cursors", "Errors and Messages")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from integrity.database.postgresql.tokens import Token

QUERIES = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES")
_LEADS = ("IF", "ELSIF", "ELSEIF", "WHILE", "PERFORM", "ASSERT")
_ON_TABLES = ("TRUNCATE", "LOCK", "REFRESH")
_NOTHING = (
    "NULL", "END", "EXIT", "CONTINUE", "GET", "FETCH", "MOVE", "CLOSE", "COMMIT", "ROLLBACK", "SET", "RESET",
    "NOTIFY", "LISTEN", "UNLISTEN", "SHOW",
)  # fmt: skip
"""Statements that refer to no table, column, type or function, but for a WHEN."""


@dataclass(frozen=True)
class Query:
    """SQL that the server can be asked about: in a body, or made of one of its expressions.

    ``calls`` marks a CALL, which cannot be explained: it is asked as a SELECT of the procedure.
    """

    sql: str
    line: int
    calls: bool = False


@dataclass
class Body:
    """What a body is made of.

    ``variables`` are its names with their types, empty where a type is not known. ``dynamic`` says that it
    runs SQL that it composes. ``assigned`` are the fields of NEW that it sets, with their lines, ``skipped``
    the commands that the server cannot be asked about.
    """

    queries: list[Query] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, int] = field(default_factory=dict)
    dynamic: bool = False
    skipped: list[str] = field(default_factory=list)


def parts(statement: Sequence[Token], declares: bool, found: Body) -> Iterator[list[Token]]:
    """Yields the SQL of a statement: queries without their INTO, expressions behind SELECT.

    What it cannot be made of is noted in ``found``: as composed, or as skipped.
    """
    if not statement:
        return
    head = statement[0]
    if declares:
        yield from _declared(statement, found)
    elif head.is_word(*QUERIES):
        yield _without_into(statement)
    elif head.is_word("CALL"):
        yield list(statement)
    elif head.is_word("EXECUTE", "FOR", "FOREACH", "OPEN", "RETURN"):
        yield from _queried(statement, found)
    elif head.is_word(*_LEADS):
        yield _selected(statement[1:])
    elif len(statement) > 1 and statement[1].is_mark(":=", "=", ".", "["):
        yield from _assignment(statement, found)
    else:
        yield from _commanded(statement, found)


def _commanded(statement: Sequence[Token], found: Body) -> Iterator[list[Token]]:
    head = statement[0]
    if head.is_word("RAISE"):
        yield from _raised(statement)
    elif head.is_word(*_ON_TABLES):
        yield from _tables(statement)
    elif head.is_word("CASE", "WHEN"):
        yield from _case(statement)
    elif head.is_word(*_NOTHING):
        when = [place for place, each in enumerate(statement) if each.is_word("WHEN")]
        yield _selected(statement[when[0] + 1 :]) if when else []
    elif not head.is_mark("#") and head.text.upper() not in found.skipped:
        found.skipped.append(head.text.upper())


def _raised(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """``RAISE [level] 'format', value, … [USING option = value, …]``."""
    using = next((place for place, each in enumerate(statement) if each.is_word("USING")), len(statement))
    for each in _split(statement[:using], ",")[1:]:
        yield _selected(each)
    for each in _split(statement[using + 1 :], ","):
        yield _selected(each[2:])


def _tables(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """``TRUNCATE [TABLE] [ONLY] name [*], …``, LOCK likewise, ``REFRESH MATERIALIZED VIEW name``."""
    leads = ("TABLE", "ONLY", "MATERIALIZED", "VIEW", "CONCURRENTLY")
    for each in _split(statement[1:], ","):
        named = [token for token in each if not token.is_word(*leads)]
        size = 1
        while size + 1 < len(named) and named[size].is_mark("."):
            size += 2
        yield _from(named[:size])


def _from(name: Sequence[Token], column: Sequence[Token] = ()) -> list[Token]:
    line = name[0].line if name else 0
    return [*(_selected(column) or [Token("word", "SELECT", line)]), Token("word", "FROM", line), *name]


def _case(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """``CASE [value] WHEN value, …``, a further ``WHEN``; what an exception handler catches is none."""
    values: list[list[Token]] = [[]]
    for token in statement[1:]:
        if token.is_word("WHEN") and statement[0].is_word("CASE") and len(values) == 1:
            values.append([])
        else:
            values[-1].append(token)
    for each in values:
        if not all(token.is_identifier or token.kind == "string" for token in each):
            yield _selected(each)


def _split(expression: Sequence[Token], mark: str) -> list[list[Token]]:
    """Its pieces between marks that stand in no bracket; nothing of nothing."""
    pieces: list[list[Token]] = [[]] if expression else []
    depth = 0
    for token in expression:
        depth += token.is_mark("(", "[") - token.is_mark(")", "]")
        if depth == 0 and token.is_mark(mark):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def _declared(statement: Sequence[Token], found: Body) -> Iterator[list[Token]]:
    """The type of a variable, and its first value or its query."""
    yield _type(statement, found)
    for place, token in enumerate(statement):
        if token.is_mark(":=", "=") or token.is_word("DEFAULT"):
            yield _selected(statement[place + 1 :])
            return
        if token.is_word("FOR", "IS") and any(each.is_word("CURSOR") for each in statement[:place]):
            yield list(statement[place + 1 :])
            return


def _type(statement: Sequence[Token], found: Body) -> list[Token]:
    """``name%ROWTYPE`` and ``name.column%TYPE`` as a query, a type's name as a NULL of it."""
    kind = [each for each in statement[1:] if not each.is_word("CONSTANT")]
    place = next((place for place, each in enumerate(kind) if each.is_mark("%")), None)
    if place is None:
        named = found.variables.get(statement[0].name, "")
        line = statement[0].line
        return [Token("word", f"SELECT NULL::{named}", line)] if named else []
    name = kind[:place]
    if not name or name[0].name in found.variables:
        return []
    rows = len(kind) > place + 1 and kind[place + 1].is_word("ROWTYPE")
    if rows:
        return _from(name)
    return _from(name[:-2], name) if len(name) > 2 else []


def _queried(statement: Sequence[Token], found: Body) -> Iterator[list[Token]]:
    """A query or an expression behind FOR … IN, FOREACH … ARRAY, OPEN … FOR, RETURN [QUERY | NEXT]."""
    if any(each.is_word("EXECUTE") for each in statement):
        found.dynamic = True
        return
    for place, token in enumerate(statement):
        if token.is_word(*QUERIES):
            yield _without_into(statement[place:])
            return
        if token.is_mark("("):
            break
    if statement[0].is_word("RETURN"):
        yield _returned(statement)
    elif statement[0].is_word("OPEN"):
        yield from _cursor_values(statement[1:])
    else:
        yield from _looped(statement, found)


def _returned(statement: Sequence[Token]) -> list[Token]:
    if len(statement) > 1 and statement[1].is_word("QUERY"):
        return list(statement[2:])
    return _selected(statement[2:] if len(statement) > 1 and statement[1].is_word("NEXT") else statement[1:])


def _looped(statement: Sequence[Token], found: Body) -> Iterator[list[Token]]:
    """``FOR i IN [REVERSE] low..high [BY step]``, ``FOR row IN cursor (…)``, ``FOREACH value IN ARRAY …``."""
    start = next((place for place, each in enumerate(statement) if each.is_word("IN")), None)
    if start is None:
        return
    of = list(statement[start + 1 :])
    if (
        of
        and of[0].is_word("REVERSE", "ARRAY")
        and not (
            len(of) > 1 and of[1].is_mark("[") and of[0].is_word("ARRAY") and statement[0].is_word("FOR")
        )
    ):
        of = of[1:]
    bounds = _split(of, "..")
    if len(bounds) == 1 and of and of[0].name in found.variables and statement[0].is_word("FOR"):
        yield from _cursor_values(of)
        return
    for each in bounds:
        step = next((place for place, token in enumerate(each) if token.is_word("BY")), len(each))
        yield _selected(each[:step])
        yield _selected(each[step + 1 :])


def _cursor_values(cursor: Sequence[Token]) -> Iterator[list[Token]]:
    """``cursor [(value, name := value, …)]``."""
    if len(cursor) > 2 and cursor[1].is_mark("("):
        for each in _split(cursor[2:-1], ","):
            named = len(each) > 1 and each[1].is_mark(":=", "=>")
            yield _selected(each[2:] if named else each)


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
