"""SQL of a PL/pgSQL body made plain: a typed NULL stands in the place of each variable.

PL/pgSQL puts a parameter there (manual, "PL/pgSQL under the Hood", Variable Substitution).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from integrity.database.postgresql.tokens import Token


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
