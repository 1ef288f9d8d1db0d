"""Where a command's words go: coloured tables on a terminal, plain lines in a pipe, one JSON document."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from integrity.audit import OnProgress, Progress
from integrity.management.blocks import Block, Code, Grid, Line, Title, markdown, plain

STYLES = {
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "good": "green",
    "faint": "dim",
}
SECONDS_BETWEEN_LINES = 10.0
"""How often progress is said where it is not on a terminal."""


@dataclass
class Terminal:
    """What a command writes to. ``format`` is ``text``, ``json`` or ``markdown``."""

    stdout: OutputWrapper
    stderr: OutputWrapper
    format: str = "text"
    colour: bool | None = None
    quiet: bool = False
    bar: Bar | None = None

    def show(self, data: Any, blocks: Sequence[Block]) -> None:
        """Writes a command's one answer: its data as JSON, or its blocks for people."""
        if self.format in ("json", "sarif"):
            self.stdout.write(json.dumps(data, indent=2, default=str, ensure_ascii=False))
        else:
            self._write(self.stdout, blocks)

    def preview(self, blocks: Sequence[Block]) -> None:
        """Writes what comes before the answer: beside the document when that is JSON."""
        self._write(self.stderr if self.format in ("json", "sarif") else self.stdout, blocks)

    def say(self, text: str, style: str = "") -> None:
        """Writes a line that is not part of the answer."""
        if self.bar is not None:
            self.bar.console.print(rendered(Line(text, style)))
        elif not self.quiet:
            self._write(self.stderr, [Line(text, style)], always_text=True)

    def ask(self, question: str, answers: IO[str]) -> str:
        """Asks beside the answer, and returns what somebody typed."""
        stream = _raw(self.stderr)
        stream.write(question)
        stream.flush()
        return answers.readline().strip()

    @contextmanager
    def progress(self, what: str) -> Iterator[OnProgress]:
        """Shows how far something is: a bar on a terminal, a line now and then elsewhere."""
        if self.quiet:
            yield lambda progress: None
        elif self._live(self.stderr):
            with self._bar() as self.bar:
                yield self._moving(self.bar, what)
            self.bar = None
        else:
            yield _Lines(self, what)

    def _moving(self, bar: Bar, what: str) -> OnProgress:
        task = bar.add_task(what, total=None, at="")
        return lambda step: bar.update(task, completed=step.done, total=step.total, at=step.at)

    def _bar(self) -> Bar:
        return Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[at]}", style="dim"),
            console=self._console(self.stderr),
            transient=True,
        )

    def _live(self, stream: OutputWrapper) -> bool:
        return bool(stream.isatty()) if self.colour is None else self.colour

    def _console(self, stream: OutputWrapper) -> Console:
        live = self._live(stream)
        return Console(file=_raw(stream), force_terminal=live, highlight=False, soft_wrap=False)

    def _write(self, stream: OutputWrapper, blocks: Sequence[Block], *, always_text: bool = False) -> None:
        if self.format == "markdown" and not always_text:
            stream.write(markdown(blocks))
        elif self._live(stream):
            console = self._console(stream)
            for block in blocks:
                console.print(rendered(block, console.width))
        else:
            stream.write(plain(blocks), style_func=str)


@dataclass
class _Lines:
    """Progress for a log: what is done, every few seconds."""

    terminal: Terminal
    what: str
    said_at: float = 0.0

    def __post_init__(self) -> None:
        self.said_at = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self.said_at >= SECONDS_BETWEEN_LINES:
            self.said_at = time.monotonic()
            total = f" of {progress.total:,}" if progress.total is not None else ""
            at = f", {progress.at}" if progress.at else ""
            self.terminal.say(f"{self.what}: {progress.done:,}{total}{at}")


def _raw(stream: OutputWrapper) -> IO[str]:
    """The stream behind Django's wrapper, which would end each write with a new line."""
    return cast("IO[str]", stream._out)


# -- rich ------------------------------------------------------------------------------------


def rendered(block: Block, width: int = 80) -> RenderableType:
    """Returns a block for a terminal; nothing in it is read as markup.

    A grid that does not fit without cutting names in two becomes one paragraph a row.
    """
    if isinstance(block, Title):
        return Text(f"\n{block.text}", style="bold")
    if isinstance(block, Line):
        return Padding(Text(block.text, style=STYLES.get(block.style, "")), (0, 0, 0, 2 * block.depth))
    if isinstance(block, Code):
        return Syntax(block.text, block.language, theme="ansi_dark", word_wrap=True)
    return _table(block) if fits(block, width) else _paragraphs(block)


def fits(grid: Grid, width: int) -> bool:
    """Whether every cell, and every word of a heading, has room."""
    columns = zip(grid.columns, *grid.cells(), strict=True)
    widest = [max(map(len, [*column[0].split(), *column[1:]]), default=0) for column in columns]
    return sum(widest) + 2 * len(widest) <= width


def _paragraphs(grid: Grid) -> RenderableType:
    rows: list[RenderableType] = []
    for place, (head, *rest) in enumerate(grid.cells()):
        facts = [f"{name} {text}" for name, text in zip(grid.columns[1:], rest, strict=True) if text]
        rows.append(Text(f"{grid.columns[0]} {head}", style=STYLES.get(grid.style(place), "") or "bold"))
        rows.append(Padding(Text(" · ".join(facts)), (0, 0, 0, 2)))
    return Group(*rows)


def _table(grid: Grid) -> Table:
    """Numbers are never folded, headings and names are."""
    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True, header_style="bold"
    )
    cells = grid.cells()
    for place, name in enumerate(grid.columns):
        right = grid.right(place)
        width = max((len(row[place]) for row in cells), default=0) if right else None
        table.add_column(Text(name), justify="right" if right else "left", min_width=width, overflow="fold")
    for place, row in enumerate(cells):
        table.add_row(*[Text(text) for text in row], style=STYLES.get(grid.style(place), ""))
    return table
