"""What a script is made of: statements, each with its place, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlglot.expressions import Expression


class Dialect(StrEnum):
    """What SQL is written for; ``SHARED`` is meant for every engine."""

    POSTGRESQL = "postgresql"
    SQLITE = "sqlite"
    SHARED = "shared"


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

    ``parsed`` is None for what the parser does not understand: ``unparsed`` says why. ``dialect`` is
    what its script is meant for, ``condition`` the engine for which it alone is run within a script meant for
    several, SHARED where it is run for all.
    """

    text: str
    place: Place
    dialect: Dialect
    parsed: Expression | None = field(default=None, compare=False)
    unparsed: str = ""
    condition: Dialect = Dialect.SHARED


@dataclass(frozen=True)
class Script:
    """A file with SQL: ``number`` is the one that its name begins with, by which runners order scripts."""

    path: Path
    shown: str
    dialect: Dialect
    statements: tuple[Statement, ...] = ()
    number: int | None = None
    silenced: tuple[tuple[int, str], ...] = ()
