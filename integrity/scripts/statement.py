"""What a script is made of: statements, each with its place, and what it says."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlglot.expressions import Expression


class Dialect(StrEnum):
    """What SQL is written for; ``SHARED`` is meant for every engine."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"
    SHARED = "shared"

    @property
    def other(self) -> Dialect:
        """The other engine; of SHARED itself."""
        pair = {Dialect.POSTGRESQL: Dialect.SQLITE, Dialect.SQLITE: Dialect.POSTGRESQL}
        return pair.get(self, self)


@dataclass(frozen=True, order=True)
class Place:
    """Where something stands: ``file`` as it was given, ``line`` and ``column`` from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Statement:
    """A statement of a script.

    ``parsed`` is None for what the parser does not understand: then ``unparsed`` says why, unless the words
    that it begins with are known (``CREATE EXTENSION``, routines, …). ``dialect`` is what its script is meant
    for, ``condition`` the engine for which it alone is run within a script meant for several, SHARED where it
    is run for all. ``reverse`` says that it takes something back (``down``, a rollback script): it is not run
    in order with the others. ``marks`` are index in the text, line and column from which on text and file go
    together: in a source, text may stand in several pieces. In the text, ``${…}`` stands for what is not
    known; ``dynamic`` says that there is some. ``end_line`` is the last line.
    """

    text: str
    place: Place
    dialect: Dialect
    parsed: Expression | None = field(default=None, compare=False)
    unparsed: str = ""
    condition: Dialect = Dialect.SHARED
    reverse: bool = False
    dynamic: bool = False
    in_source: bool = False
    end_line: int = 0
    marks: tuple[tuple[int, int, int], ...] = field(default=(), compare=False, repr=False)

    @property
    def engine(self) -> Dialect:
        """The engine for which it is run, SHARED where that is every one."""
        return self.dialect if self.condition is Dialect.SHARED else self.condition

    def runs_on(self, vendor: str) -> bool:
        """Whether an engine runs it."""
        return self.engine in (vendor, Dialect.SHARED)

    def place_at(self, index: int) -> Place:
        """Returns where a character of its text stands."""
        marks = self.marks or ((0, self.place.line, self.place.column),)
        start, line, column = marks[max(bisect_right(marks, (index, 1 << 62, 0)) - 1, 0)]
        between = self.text[start:index]
        breaks = between.count("\n")
        if not breaks:
            return Place(self.place.file, line, column + index - start)
        return Place(self.place.file, line + breaks, len(between) - between.rfind("\n"))


@dataclass(frozen=True)
class Silence:
    """A comment that silences findings: from line to line, for these codes, all where none is named.

    ``place`` is the comment's own.
    """

    place: Place
    first: int
    last: int
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Script:
    """A file with SQL: ``number`` is the one that its name begins with, by which runners order scripts.

    ``deduced`` says how its dialect is known. ``unread`` says why it could not be read: then it has no
    statements. ``reverse`` says that it takes another one back. ``is_source`` is a file of a program,
    ``dumped`` one that a dumping tool wrote, which is for an empty database.
    """

    path: Path
    shown: str
    dialect: Dialect
    statements: tuple[Statement, ...] = ()
    number: int | None = None
    silences: tuple[Silence, ...] = ()
    deduced: str = ""
    unread: str = ""
    reverse: bool = False
    is_source: bool = False
    dumped: bool = False
    text: str = field(default="", compare=False, repr=False)
