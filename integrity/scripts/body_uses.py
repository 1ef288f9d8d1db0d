"""Which tables and functions the body of a routine uses, by its tokens.

PL/pgSQL is not parsed, and names in it may be variables, so only what stands where a table or a call of a
function must stand is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity.database.sqlite.tokens import Token
from integrity.scripts.cursor import Cursor, ObjectName, object_name
from integrity.scripts.definitions import Kind
from integrity.scripts.uses import Use

_CALLS = ("PERFORM", "SELECT", "RETURN", "CALL")
_NO_TABLE = ("SELECT", "LATERAL", "UNNEST", "VALUES", "ROWS", "ONLY", "STRICT", "SET", "NEW", "OLD")


def body_uses(tokens: Sequence[Token], schema: str = "") -> Iterator[Use]:
    """Yields the tables and functions that a body uses; offsets are those of its own text."""
    own = _made_within(tokens)
    for use in _Body(tokens, schema).uses():
        if use.name.schema or use.name.name not in own:
            yield use


def assigned_columns(tokens: Sequence[Token]) -> Iterator[tuple[str, int]]:
    """Yields the columns of NEW and OLD that a trigger's body names, with their offsets."""
    for row, dot, column in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if row.is_word("NEW", "OLD") and dot.text == "." and column.kind in ("word", "name"):
            yield column.name, column.start


def _made_within(tokens: Sequence[Token]) -> set[str]:
    """Names of CTEs, of tables made within, and of variables."""
    found = set()
    for at, token in enumerate(tokens):
        following = tokens[at + 1 : at + 3]
        if len(following) == 2 and following[0].is_word("AS") and following[1].text.upper() in _OPENS:
            found.add(token.name.lower())
        if token.is_word("TABLE", "EXISTS") and following:
            found.add(following[-1 if following[-1].kind == "name" else 0].name.lower())
    return found | _recursive_names(tokens) | _declared(tokens)


_OPENS = ("(", "MATERIALIZED", "NOT")


def _recursive_names(tokens: Sequence[Token]) -> set[str]:
    """``WITH x (a, b) AS (…)``: the name stands before the brackets."""
    found, cursor = set(), Cursor(tokens)
    while cursor:
        token = cursor.take()
        if token.kind in ("word", "name") and cursor.sees("("):
            at = cursor.at
            cursor.brackets()
            if cursor.sees("AS", "("):
                found.add(token.name.lower())
            cursor.at = at
    return found


def _declared(tokens: Sequence[Token]) -> set[str]:
    """Variables between DECLARE and BEGIN: ``FROM`` never names one, but ``INTO`` may."""
    found, inside, first = set(), False, False
    for token in tokens:
        if token.is_word("DECLARE"):
            inside, first = True, True
        elif token.is_word("BEGIN"):
            inside = False
        elif inside and first and token.kind in ("word", "name"):
            found.add(token.name.lower())
            first = False
        elif token.text == ";":
            first = True
    return found


class _Body:
    def __init__(self, tokens: Sequence[Token], schema: str) -> None:
        self.cursor = Cursor(tokens, schema=schema)
        self.selects = [False]

    def uses(self) -> Iterator[Use]:
        before: Token | None = None
        while self.cursor:
            token = self.cursor.take()
            self._follow(token)
            yield from self._table(token, before)
            if token.is_word(*_CALLS):
                yield from self._call()
            before = token

    def _follow(self, token: Token) -> None:
        """In brackets without SELECT, FROM belongs to a function: ``extract(epoch FROM x)``."""
        if token.text == "(":
            self.selects.append(False)
        elif token.text == ")" and len(self.selects) > 1:
            self.selects.pop()
        elif token.text == ";":
            self.selects = [False]
        elif token.is_word("SELECT", "DELETE", "PERFORM", "UPDATE"):
            self.selects[-1] = True

    def _table(self, token: Token, before: Token | None) -> Iterator[Use]:
        reads = token.is_word("FROM") and self.selects[-1] and not (before and before.is_word("DISTINCT"))
        writes = token.is_word("INTO") and before is not None and before.is_word("INSERT", "MERGE")
        if reads or writes or token.is_word("JOIN"):
            yield from self._named()
        elif token.is_word("UPDATE"):
            at = self.cursor.at
            found = list(self._named())
            rest = self.cursor.tokens[self.cursor.at : self.cursor.at + 3]
            if any(each.is_word("SET") for each in rest):
                yield from found
            self.cursor.at = at

    def _named(self) -> Iterator[Use]:
        """One table, or several between commas."""
        while True:
            self.cursor.accept("ONLY")
            here = self.cursor.here
            if here is None or here.kind not in ("word", "name") or here.is_word(*_NO_TABLE):
                return
            parts = self.cursor.parts()
            if self.cursor.sees("(") and not self._columns_follow():
                return
            yield Use(Kind.TABLE, object_name(parts, self.cursor.schema), here.start)
            at = self.cursor.at
            self.cursor.accept("AS")
            if self.cursor.here is not None and not self.cursor.sees(","):
                self.cursor.at += 1
            if not self.cursor.accept(","):
                self.cursor.at = at
                return

    def _columns_follow(self) -> bool:
        """``INSERT INTO t (a, b)``, not ``FROM f(x)``."""
        at = self.cursor.at
        self.cursor.brackets()
        found = self.cursor.sees_any("VALUES", "SELECT", "DEFAULT", "WITH", "OVERRIDING")
        self.cursor.at = at
        return found

    def _call(self) -> Iterator[Use]:
        here = self.cursor.here
        if here is None or here.kind not in ("word", "name"):
            return
        at = self.cursor.at
        parts = self.cursor.parts()
        if self.cursor.sees("(") and parts:
            schema = parts[-2].lower() if len(parts) > 1 else ""
            name = object_name([schema, parts[-1]]) if schema else ObjectName("", parts[-1].lower())
            yield Use(Kind.FUNCTION, name, here.start)
        self.cursor.at = at
