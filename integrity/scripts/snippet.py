"""A text that stands in a file, perhaps in pieces and escaped, and where each of its characters does."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from integrity.scripts.statement import Dialect

UNKNOWN = "ǂ"
"""Stands in text that is parsed for each character of something that is not known: a letter, so that it
may be a name or part of one, and none that anybody names a table with."""


@dataclass(frozen=True)
class Snippet:
    """SQL of a source file.

    ``marks`` are pairs of an index in the text and the offset in the file from which on both go together.
    ``certain`` says that what is around it takes SQL; else it is what its words make it. ``silent`` says
    that it is a message for people. ``reverse`` says that it takes something back.
    """

    text: str
    marks: tuple[tuple[int, int], ...]
    certain: bool = False
    silent: bool = False
    condition: Dialect = Dialect.SHARED
    reverse: bool = False

    def offset(self, index: int) -> int:
        """Returns where in the file a character stands."""
        at, start = self.marks[bisect_right(self.marks, (index, 1 << 62)) - 1]
        return start + index - at


@dataclass
class Pieces:
    """A snippet in the making."""

    text: list[str] = field(default_factory=list)
    marks: list[tuple[int, int]] = field(default_factory=list)
    length: int = 0

    def add(self, text: str, offset: int) -> None:
        """Adds what stands at an offset of the file."""
        if text:
            self.marks.append((self.length, offset))
            self.text.append(text)
            self.length += len(text)

    def add_unknown(self, written: str, offset: int) -> None:
        """Adds something that is not known: ``${…}`` with what is written there."""
        inner = written.replace("{", "(").replace("}", ")")
        self.add(f"${{{inner}}}", offset)

    @property
    def joined(self) -> str:
        """The text so far."""
        return "".join(self.text)


@dataclass(frozen=True)
class Lines:
    """Turns offsets of a file into lines and columns, both from 1."""

    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Lines:
        """The lines of a text."""
        starts, at = [0], text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = text.find("\n", at + 1)
        return cls(tuple(starts))

    def at(self, offset: int) -> tuple[int, int]:
        """Returns line and column."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1
