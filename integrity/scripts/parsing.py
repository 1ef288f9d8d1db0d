"""Statements through the parser, by the engine that they are meant for.

The parser keeps to what queries and tables need. Routines, extensions, rights and the like it hands back as
they are, with a warning; they are known by the words they begin with, and their definitions and bodies are
read from their tokens.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.errors import SqlglotError

from integrity.scripts.rewording import reworded
from integrity.scripts.snippet import UNKNOWN
from integrity.scripts.splitting import end_of_placeholder
from integrity.scripts.statement import Dialect

_ORDER = {
    Dialect.POSTGRESQL: ("postgres",),
    Dialect.SQLITE: ("sqlite",),
    Dialect.SHARED: ("postgres", "sqlite"),
}
_FIRST_SQLITE = re.compile(
    r"\s*PRAGMA\b|.*\b(?:AUTOINCREMENT|WITHOUT\s+ROWID|OR\s+IGNORE)\b|.*`", re.IGNORECASE | re.DOTALL
)
_CREATED = (
    r"(?:FUNCTION|PROCEDURE|AGGREGATE|TRIGGER|EXTENSION|TYPE|DOMAIN|SEQUENCE|POLICY|ROLE|USER|SCHEMA"
    r"|DATABASE|RULE|PUBLICATION|SUBSCRIPTION|CAST|OPERATOR|COLLATION|STATISTICS|SERVER|TABLE|VIEW|TEXT|LANGUAGE"
    r"|ACCESS|CONVERSION|TRANSFORM|GROUP|TABLESPACE|INDEX)"
)
_CREATING = (
    r"(?:(?:OR\s+REPLACE|TEMP|TEMPORARY|UNLOGGED|GLOBAL|LOCAL|MATERIALIZED|RECURSIVE|VIRTUAL|FOREIGN"
    r"|CONSTRAINT|DEFAULT|TRUSTED|PROCEDURAL|EVENT|UNIQUE)\s+)*"
)
_KNOWN = re.compile(
    rf"CREATE\s+{_CREATING}{_CREATED}\s+\S"
    rf"|ALTER\s+(?:DEFAULT\s+PRIVILEGES|LARGE\s+OBJECT|SYSTEM|MATERIALIZED\s+VIEW|EVENT\s+TRIGGER|FOREIGN\s+\w+|{_CREATED})\s+\S"
    rf"|DROP\s+(?:OWNED|MATERIALIZED\s+VIEW|EVENT\s+TRIGGER|FOREIGN\s+\w+|{_CREATED})\s+\S"
    r"|DO\s+(?:LANGUAGE\s+\w+\s+)?(?:\$|'|E')"
    r"|COMMENT\s+ON\s|GRANT\s|REVOKE\s|SET\s+\w|RESET\s+\w|SHOW\s+\w|COPY\s+\S|VACUUM\b|ANALYZE\b|REINDEX\b|CLUSTER\b"
    r"|LOCK\s+\w|NOTIFY\s|LISTEN\s|UNLISTEN\s|CHECKPOINT\b|DISCARD\s|BEGIN\b|START\s+TRANSACTION|COMMIT\b|END\b"
    r"|ROLLBACK\b|ABORT\b|SAVEPOINT\s|RELEASE\s|PREPARE\s|EXECUTE\s|DEALLOCATE\s|DECLARE\s|FETCH\s|CLOSE\s|MOVE\s"
    r"|CALL\s|EXPLAIN\s|REFRESH\s+MATERIALIZED\s|SECURITY\s+LABEL\s|IMPORT\s+FOREIGN\s|REASSIGN\s+OWNED\s|LOAD\s"
    r"|ATTACH\s|DETACH\s|PRAGMA\s+\w|TRUNCATE\s+\S",
    re.IGNORECASE,
)
_ROUTINE = re.compile(
    rf"CREATE\s+{_CREATING}(?:FUNCTION|PROCEDURE|AGGREGATE|TRIGGER|RULE|POLICY)\b|DO\b", re.IGNORECASE
)
_MUST_PARSE = re.compile(
    rf"CREATE\s+{_CREATING}(?:TABLE|VIEW|INDEX)\b|ALTER\s+TABLE\b|EXPLAIN\b", re.IGNORECASE
)
_VIRTUAL = re.compile(r"CREATE\s+(?:VIRTUAL|FOREIGN)\s+TABLE\b", re.IGNORECASE)
_LEADING = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_LONGEST = 200_000
_FILLINGS = (" ", "SELECT 1")
_HANDED_OVER = re.compile(r"%(?:\(\w+\))?s|%%")


@dataclass(frozen=True)
class Parsed:
    """What came of parsing: the tree where there is one; ``problem`` where it is not understood."""

    tree: exp.Expression | None = None
    problem: str = ""


@contextmanager
def without_warnings() -> Iterator[None]:
    """The parser says on its log what it hands back as it is; that is told by what it returns."""
    log = logging.getLogger("sqlglot")
    level, log.level = log.level, logging.CRITICAL
    try:
        yield
    finally:
        log.level = level


def parse(text: str, dialect: Dialect, *, in_source: bool = False) -> Parsed:
    """Parses one statement.

    Args:
        text: the statement; ``${…}`` in it may stand for a name, a value or nothing.
        dialect: what it is meant for; SHARED is tried as each engine's.
        in_source: a program hands it over: ``%s`` in it stands for a value.
    """
    text = without_leading_comments(text)
    if in_source and "%" in text:
        text = _HANDED_OVER.sub(
            lambda each: each[0][1:] if each[0] == "%%" else "?".ljust(len(each[0])), text
        )
    if _ROUTINE.match(text):
        return Parsed()
    if "${" not in text:
        return _parsed(text, dialect)
    found = _parsed(known_as_names(text), dialect)
    if not found.problem:
        return found
    others = (_parsed(_replaced(text, filling), dialect) for filling in _FILLINGS)
    return next((each for each in others if not each.problem), found)


def without_leading_comments(text: str) -> str:
    """Returns a statement from its first word on."""
    comment = _LEADING.match(text)
    return text[comment.end() :] if comment else text


def known_as_names(text: str) -> str:
    """Returns a text of the same length in which a name stands for each ``${…}``."""
    return _replaced(text, UNKNOWN)


def _replaced(text: str, filling: str) -> str:
    """Fills in what is not known, to the same length: with a name, with nothing, with a query."""
    parts, at = [], 0
    while (start := text.find("${", at)) >= 0:
        end = end_of_placeholder(text, start)
        written = filling * (end - start) if len(filling) == 1 else filling.ljust(end - start)
        parts += [text[at:start], written if len(written) == end - start else " " * (end - start)]
        at = end
    return "".join([*parts, text[at:]])


def _parsed(text: str, dialect: Dialect) -> Parsed:
    names = _ORDER[dialect]
    if len(names) > 1 and _FIRST_SQLITE.match(text[:_LONGEST]):
        names = names[::-1]
    first = Parsed(problem="it says nothing")
    for place, name in enumerate(names):
        found = _by(text, name)
        if not found.problem:
            return found
        first = found if place == 0 else first
    return first


def _by(text: str, name: str) -> Parsed:
    found = _as_written(text, name)
    if found.tree is not None or len(text) > _LONGEST:
        return found
    plain = reworded(text)
    other = found if plain == text else _as_written(plain, name)
    return found if other.problem else other


def _as_written(text: str, name: str) -> Parsed:
    try:
        trees = sqlglot.parse(text, dialect=name, error_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError, ValueError) as error:
        return _known(text, _said(error))
    tree = trees[0] if trees else None
    if isinstance(tree, exp.Command):
        return _known(text, "")
    if not isinstance(tree, exp.Expression) or not _is_statement(tree):
        return _known(text, "")
    return Parsed(tree)


def _is_statement(tree: exp.Expression) -> bool:
    return isinstance(tree, exp.Query) or not isinstance(
        tree, (exp.Condition, exp.Alias, exp.Identifier, exp.Var)
    )


def _known(text: str, problem: str) -> Parsed:
    """What the parser hands back: known by its first words, or not at all."""
    if problem and _MUST_PARSE.match(text) and not _VIRTUAL.match(text):
        return Parsed(problem=problem)
    if _KNOWN.match(text):
        return Parsed()
    return Parsed(problem=problem or "it does not begin as a statement does")


def _said(error: Exception) -> str:
    """The parser's first sentence, without its colours, its own words, and the place within the statement."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    line = _COLOUR.sub("", str(error)).strip().split("\n")[0]
    line = re.sub(r"\.?\s*Line \d+, Col: \d+\.?.*", "", line)
    line = re.sub(r"<Token token_type: TokenType\.(\w+), text: (.*?), line: .*", r"\2", line)
    line = re.sub(
        r"Required keyword: '\w+' missing for <class '[\w.]*\.(\w+)'>", r"something is missing (\1)", line
    )
    return re.sub(r"<class '[\w.]*\.(\w+)'>", r"\1", line).replace("SENTINEL", "the end").rstrip(". ")
