"""A mapping from missing keys to referenced ones, as somebody wrote it in a CSV file.

It is read whole, and every mistake is found before anything is planned.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integrity.exceptions import MappingRefused
from integrity.plans.steps import KeyTexts, Step
from integrity.references.reference import Reference


@dataclass(frozen=True)
class Line:
    """A line of the file, by its number."""

    number: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """What a missing key becomes, and the line that says so."""

    line: int
    old: KeyTexts
    new: KeyTexts


@dataclass(frozen=True)
class Mapping:
    """A file as read; ``mistakes`` are those of its lines alone."""

    file: str
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    mistakes: tuple[str, ...] = ()

    def pairs(self, reference: Reference) -> tuple[list[Pair], list[str]]:
        """Returns the pairs for a reference, and every mistake found in them.

        Raises:
            MappingRefused: when the header does not fit the reference's columns.
        """
        old, new = self._places(reference)
        pairs = [
            Pair(each.number, tuple(each.values[n] for n in old), tuple(each.values[n] for n in new))
            for each in self.lines
        ]
        return pairs, [*self.mistakes, *_twice(pairs)]

    def as_json(self) -> dict[str, Any]:
        """Returns the mapping as plain values, from which :meth:`from_json` makes it again."""
        return {
            "file": self.file,
            "header": list(self.header),
            "lines": [[line.number, *line.values] for line in self.lines],
            "mistakes": list(self.mistakes),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Mapping:
        """Makes a mapping of what :meth:`as_json` returned."""
        return cls(
            file=data["file"],
            header=tuple(data["header"]),
            lines=tuple(Line(number, tuple(values)) for number, *values in data["lines"]),
            mistakes=tuple(data["mistakes"]),
        )

    def _places(self, reference: Reference) -> tuple[list[int], list[int]]:
        headers = _headers(reference)
        for names in headers:
            if sorted(self.header) == sorted(names):
                half = len(names) // 2
                return [self.header.index(n) for n in names[:half]], [
                    self.header.index(n) for n in names[half:]
                ]
        raise MappingRefused(
            f"The header of {self.file} does not fit {reference.label}: {','.join(self.header) or 'none'}",
            where="line 1",
            hint=f"Write: {' or '.join(','.join(names) for names in headers)}.",
        )


def read_mapping(file: Path) -> Mapping:
    """Reads a mapping: a header, then the old and the new values of one missing key a line.

    Raises:
        MappingRefused: for a file that is not there, or is no CSV in UTF-8.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MappingRefused(
            f"The mapping {file} cannot be read: {error.strerror}", hint="Correct --map."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise MappingRefused(
            f"The mapping {file} is not in UTF-8", where=f"line {line}", hint="Save it in UTF-8."
        ) from error
    return parse_mapping(text, str(file))


def parse_mapping(text: str, file: str) -> Mapping:
    """Reads a mapping that somebody wrote or sent; ``file`` is what people know it by."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: tuple[str, ...] = ()
    lines, mistakes = [], []
    begun = 1
    try:
        for row in reader:
            number, begun = begun, reader.line_num + 1
            if not header:
                header = tuple(name.strip() for name in row)
            elif row:
                mistake = _mistake(row, header)
                mistakes += [f"line {number}: {mistake}"] if mistake else []
                lines += [] if mistake else [Line(number, tuple(row))]
    except csv.Error as error:
        mistakes.append(f"line {reader.line_num}: {error}")
    if not lines and not mistakes:
        mistakes.append("line 1: there is no header" if not header else "line 2: there is no mapping")
    return Mapping(file, header, tuple(lines), tuple(mistakes))


def mapping_of(step: Step, file: str) -> Mapping:
    """Returns what a step of a plan makes of which missing key, as if it stood in a file."""
    header = _headers(step.reference)[0]
    pairs = enumerate(step.mapping, start=2)
    return Mapping(file, header, tuple(Line(n, (*old, *map(str, new))) for n, (old, new) in pairs))


def _mistake(row: Sequence[str], header: Sequence[str]) -> str:
    if len(row) != len(header):
        return f"{len(row)} values, where the header has {len(header)}"
    if "" in row:
        return f"{header[row.index('')]} is empty"
    return ""


def _headers(reference: Reference) -> list[tuple[str, ...]]:
    named = [f"{side}_{name}" for side in ("old", "new") for name in reference.columns]
    return [("old", "new"), tuple(named)] if len(reference.columns) == 1 else [tuple(named)]


def _twice(pairs: Sequence[Pair]) -> list[str]:
    first: dict[KeyTexts, int] = {}
    mistakes = []
    for pair in pairs:
        before = first.setdefault(pair.old, pair.line)
        if before != pair.line:
            mistakes.append(f"line {pair.line}: {', '.join(pair.old)} is mapped in line {before} already")
    return mistakes
