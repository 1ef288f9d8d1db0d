"""SQL text of either engine, token by token, for what the parser leaves as it is.

CREATE TRIGGER, DO blocks, PL/pgSQL bodies and psql's dumps are not all understood by the parser, and it
keeps no place for most of what it does understand. Definitions are read from here, so that each
column and key has its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from integrity.database.sqlite.tokens import Token

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*(?:\n|$))
      | (?P<body>\$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$)
      | (?P<placeholder>\$\{(?:[^{}]|\{[^{}]*\})*\})
      | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*')
      | (?P<string>(?:[xXbBnN]|[uU]&)?'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[A-Za-z_][^\]\[(),]*\])
      | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
      | (?P<number>\d[\w.+]*)
      | (?P<mark>::|.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


def read_tokens(sql: str) -> tuple[Token, ...]:
    """Returns the tokens of SQL text, without spaces and comments; comments may be nested."""
    return tuple(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    place = 0
    while place < len(sql):
        if sql.startswith("/*", place):
            place = _behind_comment(sql, place)
            continue
        match = _TOKEN.match(sql, place)
        if match is None:
            return
        kind = str(match.lastgroup)
        if kind != "space":
            kind = "string" if kind == "escaped" else kind
            yield Token(kind, match.group(), match.start(), match.end())
        place = match.end()


def _behind_comment(sql: str, place: int) -> int:
    depth = 0
    for mark in _COMMENT.finditer(sql, place):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(sql)


def body_text(token: Token) -> str:
    """Returns what stands between the dollars, or the quotes, of a routine's body."""
    if token.kind == "body":
        width = token.text.index("$", 1) + 1
        return token.text[width:-width]
    return token.name if token.text[0] in "'\"" else token.text


def body_start(token: Token) -> int:
    """Returns where the text of a routine's body begins."""
    return token.start + (token.text.index("$", 1) + 1 if token.kind == "body" else 1)


@dataclass(frozen=True, order=True)
class ObjectName:
    """An object of a script as both engines compare names: without regard to case, and with
    the usual schema (``public``, ``main``) left out."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


USUAL_SCHEMAS = ("public", "main", "dbo")


def object_name(parts: Sequence[str], schema: str = "") -> ObjectName:
    """Returns the name of an object from its written parts; ``schema`` is where it is made
    when none is written."""
    written = parts[-2].lower() if len(parts) > 1 else schema.lower()
    return ObjectName("" if written in USUAL_SCHEMAS else written, parts[-1].lower())


@dataclass
class Cursor:
    """Walks over tokens."""

    tokens: Sequence[Token]
    at: int = 0
    schema: str = field(default="", kw_only=True)

    def __bool__(self) -> bool:
        return self.at < len(self.tokens)

    @property
    def here(self) -> Token | None:
        """The next token, or None at the end."""
        return self.tokens[self.at] if self else None

    def sees(self, *words: str) -> bool:
        """Whether these keywords come next, one after the other."""
        ahead = self.tokens[self.at : self.at + len(words)]
        return len(ahead) == len(words) and all(
            token.is_word(word) or token.text == word for token, word in zip(ahead, words, strict=True)
        )

    def sees_any(self, *words: str) -> bool:
        """Whether one of these keywords comes next."""
        return self.here is not None and self.here.is_word(*words)

    def accept(self, *words: str) -> bool:
        """Steps over these keywords where they come next."""
        found = self.sees(*words)
        self.at += len(words) if found else 0
        return found

    def accept_any(self, *words: str) -> str:
        """Steps over one of these keywords and returns it, empty where none comes next."""
        if self.here is None or not self.here.is_word(*words):
            return ""
        return self.take().text.upper()

    def take(self) -> Token:
        """Returns the next token and steps over it."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def sees_name(self) -> bool:
        """Whether something that can be a name comes next."""
        return self.here is not None and self.here.kind in ("word", "name", "placeholder", "string")

    def parts(self) -> list[str]:
        """Returns a dotted name, empty where none comes next."""
        found: list[str] = []
        while self.sees_name():
            found.append(self.take().name)
            if not self.sees("."):
                break
            self.take()
        return found

    def object_name(self) -> ObjectName | None:
        """Returns the name of an object, None where none comes next."""
        parts = self.parts()
        return object_name(parts, self.schema) if parts else None

    def brackets(self) -> tuple[Token, ...]:
        """Returns what stands in the brackets that come next, without them; nothing where none do."""
        if not self.sees("("):
            return ()
        start, depth = self.at + 1, 0
        while self:
            depth += {"(": 1, ")": -1}.get(self.take().text, 0)
            if depth == 0:
                return tuple(self.tokens[start : self.at - 1])
        return tuple(self.tokens[start:])

    def until(self, *words: str) -> tuple[Token, ...]:
        """Returns the tokens before the next of these keywords that stands in no brackets."""
        start, depth = self.at, 0
        while self.here is not None:
            if depth == 0 and (self.here.is_word(*words) or self.here.text in words):
                break
            depth += {"(": 1, ")": -1, "[": 1, "]": -1}.get(self.take().text, 0)
        return tuple(self.tokens[start : self.at])


def split_list(tokens: Sequence[Token]) -> list[tuple[Token, ...]]:
    """Splits tokens at the commas that stand in no brackets."""
    found: list[tuple[Token, ...]] = []
    cursor = Cursor(tokens)
    while cursor:
        found.append(cursor.until(","))
        cursor.accept(",")
    return [each for each in found if each]


def joined(tokens: Sequence[Token]) -> str:
    """Returns tokens as one line: keywords apart, marks close."""
    text = ""
    for token in tokens:
        close = token.kind == "mark" or not text or text[-1] in "(.[:"
        text += token.text if close else f" {token.text}"
    return text
