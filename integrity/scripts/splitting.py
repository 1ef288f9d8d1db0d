"""SQL text into statements: where each begins and ends, whatever stands in quotes, bodies and comments.

PostgreSQL nests comments and quotes bodies with dollars (manual, "Lexical Structure"); SQLite's triggers
hold statements between BEGIN and END (lang_createtrigger.html). psql's and sqlite3's own commands, and the
rows behind ``COPY … FROM stdin``, are no SQL and are stepped over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_MARK = re.compile(
    r"""(?P<comment>--[^\n]*)
      | (?P<block>/\*)
      | (?P<body>\$(?:[A-Za-z_]\w*|)\$)
      | (?P<placeholder>\$\{)
      | (?P<escaped>(?<!\w)[eE]'(?:[^'\\]|\\.|'')*(?P<escaped_end>')?)
      | (?P<quote>['"`])
      | (?P<bracket>\[[A-Za-z_][^\]\[(),\n]*\])
      | (?P<word>[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*)
      | (?P<meta>\\[^\n]*)
      | (?P<dot>(?<![^\n])\.[a-z]+(?=[ \n]|\Z)[^\n]*)
      | (?P<semicolon>;)
      | (?P<other>[^\s])""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_COPY_FROM = re.compile(r"COPY\b.*\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL)
_END_OF_COPY = re.compile(r"^\\\.[ \t\r]*$", re.MULTILINE)
_BREAKPOINT = "--> statement-breakpoint"
_HEAD = 6


@dataclass(frozen=True)
class Comment:
    """A comment: its text with its marks, and where it begins."""

    start: int
    text: str


@dataclass(frozen=True)
class Cut:
    """A statement: from where to where, without its semicolon. ``open`` says what is not closed in it."""

    start: int
    end: int
    open: str = ""


@dataclass
class Split:
    """What a text is made of."""

    cuts: list[Cut] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


def split(text: str) -> Split:
    """Returns the statements and comments of SQL text.

    Args:
        text: the text of a script; ``${…}`` in it stands for something that is not known.
    """
    return _Splitter(text).run()


@dataclass
class _Splitter:
    text: str
    found: Split = field(default_factory=Split)
    at: int = 0
    start: int | None = None
    end: int = 0
    head: list[str] = field(default_factory=list)
    depth: int = 0
    blocked: bool = False
    last_word: str = ""
    open: str = ""

    def run(self) -> Split:
        while (mark := _MARK.search(self.text, self.at)) is not None:
            kind = str(mark.lastgroup) if mark.lastgroup != "escaped_end" else "escaped"
            self.at = mark.end()
            step: Callable[[re.Match[str]], None] = getattr(self, f"_{kind}", self._other)
            step(mark)
        self._cut()
        return self.found

    # -- what belongs to no statement --------------------------------------------------------

    def _comment(self, mark: re.Match[str]) -> None:
        self.found.comments.append(Comment(mark.start(), mark.group()))
        if mark.group().startswith(_BREAKPOINT):
            self._cut()

    def _block(self, mark: re.Match[str]) -> None:
        """A comment that may hold others; where those do not end, one that holds none (SQLite)."""
        depth, end = 1, -1
        for each in _COMMENT_MARK.finditer(self.text, mark.end()):
            depth += 1 if each.group() == "/*" else -1
            if depth == 0:
                end = each.end()
                break
        if end < 0:
            plain = self.text.find("*/", mark.end())
            end = plain + 2 if plain >= 0 else len(self.text)
        self.found.comments.append(Comment(mark.start(), self.text[mark.start() : end]))
        self.at = end

    def _meta(self, mark: re.Match[str]) -> None:
        r"""A command of psql's: a line of its own, or ``\gexec`` in place of a semicolon."""
        if self.start is None:
            return
        if mark.group()[1:2] == "g":
            self._cut()
        else:
            self.at = mark.start() + 1
            self._take(mark.start(), self.at)

    def _dot(self, mark: re.Match[str]) -> None:
        """A command of sqlite3's, where no statement is under way."""
        if self.start is not None:
            self.at = mark.start() + 1
            self._take(mark.start(), self.at)

    # -- what does -----------------------------------------------------------------------------

    def _take(self, start: int, end: int) -> None:
        if self.start is None:
            self.start = start
        self.at = self.end = end

    def _other(self, mark: re.Match[str]) -> None:
        self._take(mark.start(), mark.end())

    def _body(self, mark: re.Match[str]) -> None:
        self._until(mark, mark.group(), f"{mark.group()} is not closed")

    def _quote(self, mark: re.Match[str]) -> None:
        self._until(mark, mark.group(), f"a {mark.group()} is not closed")

    def _until(self, mark: re.Match[str], closing: str, problem: str) -> None:
        end = self.text.find(closing, mark.end())
        self.open = self.open if end >= 0 else problem
        self._take(mark.start(), end + len(closing) if end >= 0 else len(self.text))

    def _escaped(self, mark: re.Match[str]) -> None:
        if not mark.group("escaped_end"):
            self.open = "a ' is not closed"
        self._take(mark.start(), mark.end())

    def _placeholder(self, mark: re.Match[str]) -> None:
        self._take(mark.start(), end_of_placeholder(self.text, mark.start()))

    def _word(self, mark: re.Match[str]) -> None:
        self._take(mark.start(), mark.end())
        word = mark.group().upper()
        if len(self.head) < _HEAD:
            self.head.append(word)
        if self.head[0] == "CREATE":
            self._nest(word)
        self.last_word = word

    def _nest(self, word: str) -> None:
        """Counts what ends with END, in a trigger of SQLite's or a body of SQL's own (BEGIN ATOMIC)."""
        if self.depth == 0:
            in_trigger = word == "BEGIN" and "TRIGGER" in self.head
            if not self.blocked and (in_trigger or (word == "ATOMIC" and self.last_word == "BEGIN")):
                self.depth, self.blocked = 1, True
        elif word == "CASE":
            self.depth += 1
        elif word == "END":
            self.depth -= 1

    def _semicolon(self, mark: re.Match[str]) -> None:
        if self.depth:
            self._take(mark.start(), mark.end())
            return
        copied = self.start is not None and _COPY_FROM.match(self.text, self.start, mark.start())
        self._cut()
        if copied:
            rows = _END_OF_COPY.search(self.text, self.at)
            self.at = rows.end() if rows else len(self.text)

    def _cut(self) -> None:
        if self.start is not None:
            problem = self.open or ("BEGIN has no END" if self.depth else "")
            self.found.cuts.append(Cut(self.start, self.end, problem))
        self.start, self.open, self.last_word = None, "", ""
        self.head, self.depth, self.blocked = [], 0, False


def end_of_placeholder(text: str, start: int) -> int:
    """Returns where ``${…}`` ends that begins at ``start``; what it holds may have brackets of its own."""
    depth = 0
    for at in range(start + 1, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)
