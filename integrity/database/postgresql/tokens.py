"""The tokens of SQL and PL/pgSQL text, as PostgreSQL splits it (manual, "Lexical Structure")."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<string>[eE]'(?:[^'\\]|\\.|'')*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<name>"(?:[^"]|"")*")
      | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
      | (?P<number>\d+(?:\.(?!\.)\d*)?|\$\d+)
      | (?P<mark>:=|<<|>>|\.\.|::|[-+*/<>=]*[~!@\#%^&|`?][-+*/<>=~!@\#%^&|`?]*|[-+*/<>=]*[*/<>=]|.)""",
    re.VERBOSE | re.DOTALL,
)
_KINDS = ("space", "string", "name", "word", "number", "mark")


@dataclass(frozen=True)
class Token:
    """A piece of a body: its kind, as written, and its line, counted from one."""

    kind: str
    text: str
    line: int

    @property
    def name(self) -> str:
        """The identifier it stands for, as PostgreSQL folds it."""
        return self.text[1:-1].replace('""', '"') if self.kind == "name" else self.text.lower()

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, unquoted."""
        return self.kind == "word" and self.text.upper() in words

    def is_mark(self, *marks: str) -> bool:
        """Whether it is one of these marks."""
        return self.kind == "mark" and self.text in marks

    @property
    def is_identifier(self) -> bool:
        """Whether it may name something."""
        return self.kind in ("word", "name")


def tokens(body: str) -> list[Token]:
    """Returns the tokens of a body, without spaces and comments."""
    found, line = [], 1
    for match in _TOKEN.finditer(body):
        kind = next(each for each in _KINDS if match.group(each) is not None)
        if kind != "space":
            found.append(Token(kind, match.group(), line))
        line += match.group().count("\n")
    return found
