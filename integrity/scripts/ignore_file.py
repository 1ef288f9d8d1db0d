"""Findings that somebody decided to live with, one a line of a file.

A line is a fingerprint, or a code (``*`` for all), a path and an object, the last two as patterns and left
out from the end: ``not_rerunnable legacy/*.sql`` or ``duplicate_definition lib/*.ts presets``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path

from integrity.exceptions import ReferentialIntegrityError
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.statement import Place

NAME = ".integrity-scripts"
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_WORD = re.compile(r'"[^"]*"|\S+')


class IgnoreFileError(ReferentialIntegrityError):
    """A mistake in a file of findings to ignore, with its line: left alone, it would silence nothing."""


@dataclass(frozen=True)
class Ignored:
    """A line of the file. ``root`` is the folder that its path is relative to."""

    place: Place
    root: Path
    fingerprint: str = ""
    code: str = "*"
    path: str = "*"
    object: str = "*"

    def covers(self, finding: ScriptFinding) -> bool:
        """Whether it is about a finding."""
        if self.fingerprint:
            return finding.fingerprint == self.fingerprint
        return (
            fnmatch(finding.code, self.code)
            and self._covers_path(Path(finding.place.file))
            and fnmatch(finding.object.lower(), self.object.lower())
        )

    def is_about(self, paths: Sequence[Path], files: Iterable[str]) -> bool:
        """Whether what it may be about was read: else it is no news that it silences nothing."""
        if any(self.root.is_relative_to(path.resolve()) for path in paths):
            return True
        return not self.fingerprint and any(self._covers_path(Path(each)) for each in files)

    def _covers_path(self, path: Path) -> bool:
        resolved = path.resolve()
        inside = resolved.is_relative_to(self.root)
        shown = (resolved.relative_to(self.root) if inside else resolved).as_posix()
        return fnmatch(shown, self.path) or fnmatch(shown, f"{self.path.rstrip('/')}/*")


def find_ignore_file(paths: Sequence[Path]) -> Path | None:
    """Returns the ``.integrity-scripts`` nearest above the first path, up to the root of its checkout."""
    start = paths[0].resolve()
    for folder in ([start] if start.is_dir() else []) + list(start.parents):
        if (folder / NAME).is_file():
            return folder / NAME
        if (folder / ".git").exists():
            return None
    return None


def read_ignore_file(path: Path, codes: Collection[str]) -> tuple[Ignored, ...]:
    """Returns the lines of a file.

    Raises:
        IgnoreFileError: it cannot be read, or a line has a mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise IgnoreFileError(
            f"The file of findings to ignore cannot be read: {reason}",
            where=str(path),
            hint="Correct the path of --ignore-file.",
        ) from error
    return tuple(_lines(path, text, codes))


def _lines(path: Path, text: str, codes: Collection[str]) -> Iterator[Ignored]:
    root = path.resolve().parent
    for number, line in enumerate(text.splitlines(), start=1):
        words = [word.strip('"') for word in _WORD.findall(line.partition("#")[0])]
        if not words:
            continue
        place = Place(str(path), number, 1)
        if _FINGERPRINT.fullmatch(words[0]):
            _only(words, 1, place)
            yield Ignored(place, root, fingerprint=words[0])
            continue
        _only(words, 3, place)
        if words[0] != "*" and words[0] not in codes:
            near = get_close_matches(words[0], codes, 1)
            meant = f"Did you mean {near[0]}?" if near else f"Codes: {', '.join(sorted(codes))}."
            raise IgnoreFileError(
                f"There is no check {words[0]!r}", where=f"{path}, line {number}", hint=meant
            )
        yield Ignored(place, root, "", *words)


def _only(words: Sequence[str], most: int, place: Place) -> None:
    if len(words) > most:
        raise IgnoreFileError(
            f"{' '.join(words)!r} says too much",
            where=f"{place.file}, line {place.line}",
            hint="Write a fingerprint, or: code path object. Quote what has spaces.",
        )
