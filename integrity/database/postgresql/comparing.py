"""Whether a function, trigger or view is the one that a CREATE statement would make, without making it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from django.db import DatabaseError

from integrity.database import clauses
from integrity.database.postgresql.signatures import Signature, signature
from integrity.database.postgresql.tokens import Token, tokens
from integrity.database.routines import Routine, RoutineKind
from integrity.database.session import Session
from integrity.exceptions import NotCheckable, ReferentialIntegrityError

_DOLLAR = re.compile(r"\$(\w*)\$(.*?)\$\1\$", re.DOTALL)
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)


def differs(session: Session, routine: Routine, create: str) -> bool:
    """Returns whether it is another one.

    A function is compared by its signature, options, body and language; a view by its columns, options and
    what the planner makes of both; a trigger word by word, in any order, its WHEN by what the server makes of
    both.

    Raises:
        NotCheckable: where that cannot be known.
    """
    if routine.kind is RoutineKind.FUNCTION:
        return _function_differs(session, routine, create)
    if routine.kind is RoutineKind.VIEW:
        return _view_differs(session, routine, create)
    return _trigger_differs(session, routine, create)


def _function_differs(session: Session, routine: Routine, create: str) -> bool:
    if _ATOMIC.search(create):
        raise NotCheckable("A body in BEGIN ATOMIC is kept in another form than it was written in")
    written = tokens(create)
    language = next(
        (after.name for each, after in pairwise(written) if each.is_word("LANGUAGE")),
        "sql",
    )
    body = _body(create, written)
    if language != routine.language or _words(tokens(body)) != _words(tokens(routine.body)):
        return True
    return _signature_differs(session, signature(routine.definition), signature(create))


def _signature_differs(session: Session, one: Signature, other: Signature) -> bool:
    if (one.what, one.is_set, one.options) != (other.what, other.is_set, other.options):
        return True
    if not (one.returns and other.returns):
        one.returns = other.returns = ""
    shapes = [[(a.mode, a.name, bool(a.default)) for a in each.arguments] for each in (one, other)]
    if shapes[0] != shapes[1] or _types(session, one.kinds) != _types(session, other.kinds):
        return True
    pairs = zip(one.arguments, other.arguments, strict=True)
    unlike = [mine.name for mine, its in pairs if mine.default != its.default]
    if unlike:
        raise NotCheckable(
            f"The default of {unlike[0] or 'an argument'} is kept in another form than written"
        )
    return False


def _types(session: Session, kinds: Sequence[str]) -> list[int]:
    sql = "SELECT to_regtype(kind)::oid FROM unnest(%s::text[]) WITH ORDINALITY k(kind, place) ORDER BY place"
    try:
        with session.nested():
            found = [oid for (oid,) in session.rows(sql, [list(kinds)])]
    except (ReferentialIntegrityError, DatabaseError) as error:
        raise NotCheckable(f"A type cannot be read: {str(error).splitlines()[0]}") from error
    if None in found:
        raise NotCheckable(f"There is no type {kinds[found.index(None)]}")
    return found


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


_QUERY = re.compile(r"\bAS\b(?=\s*(?:\(|SELECT\b|WITH\b|VALUES\b|TABLE\b))", re.IGNORECASE)
_CHECKED = re.compile(r"\bWITH\s+(?:(LOCAL|CASCADED)\s+)?CHECK\s+OPTION\s*;?\s*$", re.IGNORECASE)
_FILLED = re.compile(r"\bWITH\s+(?:NO\s+)?DATA\s*;?\s*$", re.IGNORECASE)


def _view_differs(session: Session, routine: Routine, create: str) -> bool:
    match = _QUERY.search(create)
    if match is None or re.search(r"\bRECURSIVE\s+VIEW\b", create, re.IGNORECASE):
        raise NotCheckable(f"There is no query behind AS in {create[:60]!r}")
    checked = _CHECKED.search(create)
    query = _FILLED.sub("", _CHECKED.sub("", create[match.end() :]))
    wanted, named = _view_head(create[: match.start()])
    if checked:
        wanted.add(f"check_option={(checked[1] or 'cascaded').lower()}")
    made = _QUERY.search(routine.definition)
    if wanted != _view_head(routine.definition[: made.start() if made else 0])[0]:
        return True
    try:
        with session.nested():
            standing, made_of = _columns(session, routine.body), _columns(session, query)
            renamed = [(new, kind) for new, (_, kind) in zip(named, made_of, strict=False)]
            if standing != [*renamed, *made_of[len(renamed) :]]:
                return True
            return _plan(session, routine.body) != _plan(session, query)
    except (ReferentialIntegrityError, DatabaseError) as error:
        raise NotCheckable(f"The catalog's view cannot be read: {str(error).splitlines()[0]}") from error


def _view_head(head: str) -> tuple[set[str], list[str]]:
    """Its options, MATERIALIZED among them, and the names that it gives its columns."""
    found = tokens(head)
    options = {"materialized"} if any(each.is_word("MATERIALIZED") for each in found) else set()
    with_ = next((place for place, each in enumerate(found) if each.is_word("WITH")), len(found))
    text = "".join(each.text.lower().strip("'") for each in found[with_ + 2 : -1])
    for option in filter(None, text.split(",")):
        options.add(option if "=" in option else f"{option}=true")
    before = found[:with_]
    start = next((place for place, each in enumerate(before) if each.is_mark("(")), len(before))
    return options, [each.name for each in before[start:] if each.is_identifier]


def _columns(session: Session, query: str) -> list[tuple[str, int]]:
    """The names and types of a query's columns: it is prepared, and not run."""
    from psycopg.pq import ExecStatus  # noqa: PLC0415 - a site without PostgreSQL has no psycopg

    server = session.connection.connection.pgconn
    found = server.prepare(b"", query.strip().rstrip(";").encode())
    if found.status == ExecStatus.COMMAND_OK:
        found = server.describe_prepared(b"")
    if found.status != ExecStatus.COMMAND_OK:
        raise DatabaseError(found.error_message.decode(errors="replace"))
    return [((found.fname(at) or b"").decode(), found.ftype(at)) for at in range(found.nfields)]


def _plan(session: Session, query: str) -> list[str]:
    """By the extended protocol, which takes one statement and no second: a script is not ours."""
    from psycopg import Cursor  # noqa: PLC0415 - a site without PostgreSQL has no psycopg

    connection, sql = session.connection, f"EXPLAIN (VERBOSE, COSTS OFF) {query.strip().rstrip(';')}"
    with (
        session.engine.errors(session),
        connection.wrap_database_errors,
        Cursor(connection.connection) as cursor,
    ):
        cursor.execute(sql, binary=True, prepare=False)
        return [line for (line,) in cursor.fetchall()]


_FILLERS = (
    "CREATE", "OR", "REPLACE", "CONSTRAINT", "FOR", "EACH", "PROCEDURE", "FUNCTION", "STATEMENT", "AS", "NOT",
    "INITIALLY", "IMMEDIATE",
)  # fmt: skip


def _trigger_differs(session: Session, routine: Routine, create: str) -> bool:
    mine, its = _trigger(routine.definition), _trigger(create)
    if mine[0] != its[0] or mine[2] != its[2] or bool(mine[1]) != bool(its[1]):
        return True
    if mine[1] == its[1]:
        return False
    assert routine.table is not None
    on = clauses.table(routine.table)
    try:
        with session.nested():
            plans = [
                _plan(session, f"SELECT {when[1]} FROM {on} AS old CROSS JOIN {on} AS new")
                for when in (mine, its)
            ]
    except (ReferentialIntegrityError, DatabaseError) as error:
        raise NotCheckable(f"The trigger's WHEN cannot be read: {str(error).splitlines()[0]}") from error
    return plans[0] != plans[1]


def _trigger(create: str) -> tuple[Counter[str], str, list[str]]:
    """Its words in any order, its WHEN, and what it calls with which arguments."""
    found = tokens(create.strip().rstrip(";"))
    call = next((place for place, each in enumerate(found) if each.is_word("EXECUTE")), len(found))
    when = next((place for place, each in enumerate(found) if each.is_word("WHEN")), call)
    condition = " ".join(each.name if each.kind == "word" else each.text for each in found[when + 1 : call])
    called = _trigger_words(found[call + 2 :])
    return Counter(_trigger_words(found[:when])), condition, called


def _trigger_words(found: Sequence[Token]) -> list[str]:
    words: list[str] = []
    for place, token in enumerate(found):
        qualifies = place + 1 < len(found) and found[place + 1].is_mark(".")
        deferred = token.is_word("DEFERRABLE") and place and found[place - 1].is_word("NOT")
        if not (qualifies or deferred or token.is_mark("(", ")", ".", ",", ";") or token.is_word(*_FILLERS)):
            words.append(token.name if token.is_identifier else token.text)
    return words
