"""What a command says, before it is known where: titles, lines and grids, as plain text or Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Title:
    """What follows, in a few words."""

    text: str


@dataclass(frozen=True)
class Line:
    """A sentence. ``style`` is ``error``, ``warning``, ``info``, ``good``, ``faint`` or nothing; ``depth``
    is how far it is set in."""

    text: str
    style: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Code:
    """Statements or a file, word for word."""

    text: str
    language: str = "sql"


@dataclass(frozen=True)
class Grid:
    """A table; numbers stand right, with separators for thousands. ``styles`` are of its rows."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    styles: Sequence[str] = ()

    def cells(self) -> list[list[str]]:
        """Every cell as people read it."""
        return [[cell(value) for value in row] for row in self.rows]

    def right(self, place: int) -> bool:
        """Whether a column holds numbers."""
        values = [row[place] for row in self.rows if row[place] not in (None, "")]
        return bool(values) and all(_is_number(value) for value in values)

    def style(self, place: int) -> str:
        """The style of a row."""
        return self.styles[place] if place < len(self.styles) else ""


Block = Title | Line | Code | Grid


def cell(value: Any) -> str:
    """Returns a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def count(number: int, noun: str) -> str:
    """Returns ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# -- plain text ------------------------------------------------------------------------------


def plain(blocks: Iterable[Block]) -> str:
    """Returns blocks as lines for a log: nothing folded, nothing coloured."""
    lines: list[str] = []
    for block in blocks:
        if isinstance(block, Title):
            lines += ["", block.text]
        elif isinstance(block, Line):
            lines.append("  " * block.depth + block.text)
        elif isinstance(block, Code):
            lines += block.text.rstrip("\n").split("\n")
        else:
            lines += _aligned(block)
    return "\n".join(lines).strip("\n")


def _aligned(grid: Grid) -> list[str]:
    rows = [list(grid.columns), *grid.cells()]
    widths = [max(len(row[place]) for row in rows) for place in range(len(grid.columns))]
    rights = [grid.right(place) for place in range(len(grid.columns))]
    return ["  " + _padded(row, widths, rights) for row in rows]


def _padded(row: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    parts = [
        text.rjust(width) if right else text.ljust(width)
        for text, width, right in zip(row, widths, rights, strict=True)
    ]
    return "  ".join(parts).rstrip()


# -- Markdown --------------------------------------------------------------------------------


def markdown(blocks: Iterable[Block]) -> str:
    """Returns blocks as Markdown, for an issue or a chat."""
    parts: list[str] = []
    bulleted = False
    for block in blocks:
        text = _markdown(block)
        listed = isinstance(block, Line) and block.depth > 0
        if listed and bulleted:
            parts[-1] += f"\n{text}"
        else:
            parts.append(text)
        bulleted = listed
    return "\n\n".join(parts)


def _markdown(block: Block) -> str:
    if isinstance(block, Title):
        return f"## {_escaped(block.text)}"
    if isinstance(block, Line):
        return "  " * (block.depth - 1) + "- " * bool(block.depth) + _escaped(block.text)
    if isinstance(block, Code):
        return f"```{block.language}\n{block.text.rstrip()}\n```"
    heads = "| " + " | ".join(_escaped(name) for name in block.columns) + " |"
    rule = "|" + "|".join(" --: " if block.right(at) else " --- " for at in range(len(block.columns))) + "|"
    rows = ["| " + " | ".join(_escaped(text) for text in row) + " |" for row in block.cells()]
    return "\n".join([heads, rule, *rows])


def _escaped(text: str) -> str:
    for mark in "\\|*_<`[":
        text = text.replace(mark, "\\" + mark)
    return text.replace("\n", " ")
