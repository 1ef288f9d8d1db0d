"""What stands around a string of a source: what it is handed to, named after, and for which engine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from integrity.scripts.engine_names import condition_engine, named_engine
from integrity.scripts.statement import Dialect


class Token(Protocol):
    """What is needed of a token."""

    @property
    def kind(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Context:
    """What is around a string. ``certain``: it takes SQL. ``silent``: it is a message for people."""

    certain: bool = False
    silent: bool = False
    condition: Dialect = Dialect.SHARED
    reverse: bool = False


_TAKES_SQL = re.compile(
    r"(?:^|_)(?:sql|query|queries|execute|exec|executescript|executemany|executesql|prepare|raw|unsafe|ddl|runsql"
    r"|queryraw|executeraw|statement|statements|multiquery|fetchrow|fetchval|querywithretry)(?:_|\d|$)"
)
_MESSAGE = re.compile(
    r"^(?:log|warn|error|info|debug|trace|fatal|alert|toast|describe|it|test|print|exception)$|error$|exception$|warning$"
)
_REVERSE = re.compile(r"^(?:down|rollback|downgrade|revert|undo|reverse_sql|reversesql)$|_(?:down|rollback)$")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def takes_sql(name: str) -> bool:
    """Whether something of this name takes SQL: ``executeQuery``, ``sql``, ``create_sql``."""
    return bool(name) and _TAKES_SQL.search(snake(name)) is not None


def is_message(name: str) -> bool:
    """Whether something of this name is for people: ``console.log``, ``Error``."""
    return bool(name) and _MESSAGE.search(snake(name)) is not None


def is_reverse(name: str) -> bool:
    """Whether something of this name takes a migration back."""
    return bool(name) and _REVERSE.search(snake(name)) is not None


def snake(name: str) -> str:
    """``executeQuery`` as ``execute_query``, without ``$``."""
    return _CAMEL.sub("_", name.strip("$'\"`")).lower()


@dataclass
class _Bracket:
    """A bracket that is open: what is called or named before it, and the engine for which it holds."""

    opened: str
    name: str = ""
    called: str = ""
    is_body: bool = False
    condition: Dialect = Dialect.SHARED
    of_if: Dialect = Dialect.SHARED
    """The engine of the ``if`` that ended last in here, for its ``else``."""
    rest: Dialect = Dialect.SHARED
    """The engine of what follows an ``if`` that returned."""
    named: str = ""
    """The name that the part since the last comma was given."""
    ternary: list[Dialect] = field(default_factory=list)
    start: int = 0
    returned: bool = False


def contexts(tokens: Sequence[Token]) -> dict[int, Context]:
    """Returns the context of each string, by the place of its token."""
    walk = _Walk(tokens)
    return dict(walk.run())


@dataclass
class _Walk:
    tokens: Sequence[Token]
    open: list[_Bracket] = field(default_factory=lambda: [_Bracket("", is_body=True)])

    def run(self) -> Iterator[tuple[int, Context]]:
        for place, token in enumerate(self.tokens):
            if token.kind in ("string", "template") and not self._is_key(place):
                yield place, self._context(place)
            elif token.kind in ("string", "template"):
                yield place, Context(silent=True)
            elif token.kind == "mark":
                self._mark(place, token.text)
            elif token.text in ("return", "throw", "continue", "break"):
                self.open[-1].returned = True
                self._fresh(place)

    def _is_key(self, place: int) -> bool:
        """Whether a string is a property's name."""
        return (
            self._text(place + 1) == ":"
            and self._text(place - 1) in ("{", ",")
            and self.open[-1].opened == "{"
            and not self.open[-1].ternary
        )

    def _text(self, place: int) -> str:
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def _mark(self, place: int, mark: str) -> None:
        here = self.open[-1]
        if mark in ("(", "[", "{"):
            self.open.append(self._opened(place, mark))
        elif mark in (")", "]", "}") and len(self.open) > 1:
            self._close(self.open.pop())
        elif mark in (";", ","):
            self._fresh(place)
        elif mark == ":" and self._text(place - 2) == "case":
            here.rest = named_engine(self._text(place - 1)) or Dialect.SHARED
        elif mark in ("=", ":") and not (mark == ":" and here.ternary):
            here.named = self._named(place)
        elif mark == "?":
            here.ternary.append(self._told(place))
        elif mark == ":" and here.ternary:
            here.ternary[-1] = here.ternary[-1].other

    def _fresh(self, place: int) -> None:
        here = self.open[-1]
        here.named, here.ternary, here.start = "", [], place + 1

    def _told(self, place: int) -> Dialect:
        """The engine of a condition before ``?``."""
        start = self.open[-1].start
        for at in range(place - 1, max(start, place - 24) - 1, -1):
            if self._text(at) in ("=", ":", "=>", "return", "+", "${"):
                start = at + 1
                break
        return condition_engine(self._joined(start, place)) or Dialect.SHARED

    def _joined(self, start: int, end: int) -> str:
        return " ".join(each.text for each in self.tokens[start:end])

    def _named(self, place: int) -> str:
        """The name before ``=`` or ``:``, over a type that may stand between."""
        at = place - 1
        if self._text(place) == "=":
            for back in range(place - 1, max(place - 14, 0), -1):
                if self._text(back - 1) in ("const", "let", "var", "readonly", "static", "private", "public"):
                    at = back
                    break
        return self._text(at).strip("'\"`")

    def _opened(self, place: int, mark: str) -> _Bracket:
        here = self.open[-1]
        found = _Bracket(mark, name=here.named, start=place + 1)
        if mark == "(":
            found.called = self._called(place)
            return found
        if mark == "{":
            found.is_body = self._text(place - 1) in (")", "=>", "else", "try", "finally", "do")
            found.condition = self._condition(place)
            found.name = found.name or self._function(place)
        return found

    def _function(self, place: int) -> str:
        """The name of the function whose body begins here."""
        if self._text(place - 1) != ")":
            return ""
        before = self._matching(place - 1) - 1
        return self._text(before) if before >= 0 and self.tokens[before].kind == "word" else ""

    def _called(self, place: int) -> str:
        """The name before ``(``, over the types that TypeScript puts between."""
        at = place - 1
        if self._text(at) == ">":
            depth = 0
            while at >= 0:
                depth += {">": 1, "<": -1}.get(self._text(at), 0)
                at -= 1
                if depth == 0:
                    break
        return self._text(at) if at >= 0 and self.tokens[at].kind == "word" else ""

    def _condition(self, place: int) -> Dialect:
        """The engine for which a block is run: by its ``if``, or the ``if`` before its ``else``."""
        here = self.open[-1]
        before = self._text(place - 1)
        if before == "else":
            return here.of_if.other
        if before == ")":
            start = self._matching(place - 1)
            if self._text(start - 1) == "if":
                told = condition_engine(self._joined(start + 1, place - 1))
                unlike = here.of_if.other if self._text(start - 2) == "else" else Dialect.SHARED
                return told or unlike
        return Dialect.SHARED

    def _matching(self, place: int) -> int:
        depth = 0
        for at in range(place, -1, -1):
            depth += {")": 1, "(": -1}.get(self._text(at), 0)
            if depth == 0:
                return at
        return 0

    def _close(self, closed: _Bracket) -> None:
        here = self.open[-1]
        if closed.opened == "{" and closed.is_body:
            if closed.condition is not Dialect.SHARED:
                here.of_if = closed.condition
                if closed.returned:
                    here.rest = closed.condition.other
            here.named, here.ternary = "", []
            here.start = -1

    # -- what all that means for a string -------------------------------------------------------

    def _context(self, place: int) -> Context:
        names = list(self._names(place))
        called = next((each.called for each in reversed(self.open) if each.opened == "("), "")
        innermost = self.open[-1].called if self.open[-1].opened == "(" else ""
        return Context(
            certain=any(takes_sql(name) for name in names),
            silent=is_message(innermost or called) or self._text(place - 1) in ("import", "from", "case"),
            condition=self._engine(names),
            reverse=any(is_reverse(name) for name in [*names, *self._functions()]),
        )

    def _names(self, place: int) -> Iterator[str]:
        """What the string is handed to or named after, inside out, up to the function it is in."""
        before = self._text(place - 1)
        if self.tokens[place].kind == "template" and place and self.tokens[place - 1].kind == "word":
            yield before
        if self.tokens[place].kind == "template" and before == ">":
            yield self._called(place)
        for bracket in reversed(self.open):
            if bracket.is_body:
                if bracket.named:
                    yield bracket.named
                return
            yield from (name for name in (bracket.named, bracket.called) if name)

    def _functions(self) -> Iterator[str]:
        for bracket in self.open:
            if bracket.name:
                yield bracket.name

    def _engine(self, names: Sequence[str]) -> Dialect:
        for bracket in reversed(self.open):
            for told in (*reversed(bracket.ternary), bracket.rest, bracket.condition):
                if told is not Dialect.SHARED:
                    return told
        for name in [*names, *reversed(list(self._functions()))]:
            engine = named_engine(name)
            if engine is not None and engine is not Dialect.SHARED:
                return engine
        return Dialect.SHARED
