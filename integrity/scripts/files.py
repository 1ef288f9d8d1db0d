"""Which files are scripts, and in which order they are run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from integrity.exceptions import ReferentialIntegrityError

SUFFIXES = (".sql", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".py")
SKIPPED = frozenset({
    "node_modules", "bower_components", "venv", "env", "__pycache__", "dist", "build", "site-packages",
    "coverage",
})  # fmt: skip
LARGEST = 20_000_000
_NUMBER = re.compile(r"^[VvRU]?(?P<number>\d+)(?P<more>(?:[._]\d+)*)(?=[^\d]|$)")
_REVERSE = re.compile(
    r"(?:^|[._-])(?:down|rollback|revert|undo)(?:[._-]|$)|^U\d+(?:[._]\d+)*__", re.IGNORECASE
)


class ScriptsUnreadable(ReferentialIntegrityError):
    """A path that was given, and that is not there or cannot be read: nothing can be said of its scripts."""


@dataclass(frozen=True)
class File:
    """A file to read: ``shown`` as it was given, ``unread`` why it cannot be."""

    path: Path
    shown: str
    text: str = ""
    unread: str = ""
    given: Path | None = None
    """The folder that was named and in which it is: what lies above that says nothing of the file."""

    @property
    def named(self) -> PurePath:
        """The part of its path that may speak of what it is meant for."""
        if self.given is None or not self.path.is_relative_to(self.given):
            return PurePath(*self.path.parts[-2:])
        return PurePath(self.given.name) / self.path.relative_to(self.given)

    @property
    def is_source(self) -> bool:
        """Whether it is a program's rather than SQL alone."""
        return self.path.suffix.lower() != ".sql"

    @property
    def number(self) -> int | None:
        """The number that its name begins with, else its folder's (``20240101_users/migration.sql``)."""
        version = self._version
        return version[0] if version else None

    @property
    def _version(self) -> tuple[int, ...]:
        for name in (self.path.name, self.path.parent.name):
            found = _NUMBER.match(name)
            if found:
                more = re.findall(r"\d+", found["more"]) if name[:1] in "Vv" else []
                return (int(found["number"]), *map(int, more))
            if self.path.name.lower() not in ("migration.sql", "up.sql", "down.sql"):
                break
        return ()

    @property
    def is_version(self) -> bool:
        """Whether its number has parts (``V1_2__x.sql``)."""
        return len(self._version) > 1

    @property
    def reverse(self) -> bool:
        """Whether it takes another script back."""
        return _REVERSE.search(self.path.stem) is not None

    @property
    def order(self) -> tuple[object, ...]:
        """Scripts by folder and number, sources after them."""
        version = self._version
        return (self.is_source, self._folder, not version, version, self.path.name)

    @property
    def _folder(self) -> str:
        own = self.path.parent
        return str(own.parent if self.path.name.lower() in ("migration.sql", "up.sql", "down.sql") else own)


def files(paths: Sequence[Path]) -> list[File]:
    """Returns the scripts and sources of paths, in the order in which scripts are run.

    Args:
        paths: files and folders; of folders, what is hidden, dependencies and what is built are left out,
            and what a symbolic link leads to is read once.

    Raises:
        ScriptsUnreadable: one of the paths is not there, or is a file of another kind.
    """
    found: dict[str, File] = {}
    for path in paths:
        for each in _walked(path):
            file = _read(each)
            found.setdefault(os.path.realpath(each), replace(file, given=path if path.is_dir() else None))
    return sorted(found.values(), key=lambda each: each.order)


def _walked(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise ScriptsUnreadable("There is no such file or folder", where=str(path), hint="Correct the path.")
    if not path.is_dir():
        if path.suffix.lower() not in SUFFIXES:
            raise ScriptsUnreadable(
                "This is no script",
                where=str(path),
                hint=f"Files are read that end with {', '.join(SUFFIXES)}.",
            )
        yield path
        return
    seen = {os.path.realpath(path)}
    for folder, folders, names in os.walk(path, followlinks=True, onerror=_unlisted(path)):
        folders[:] = [each for each in sorted(folders) if _enters(Path(folder) / each, seen)]
        yield from (
            Path(folder) / name
            for name in sorted(names)
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        )


def _enters(folder: Path, seen: set[str]) -> bool:
    if folder.name in SKIPPED or folder.name.startswith("."):
        return False
    real = os.path.realpath(folder)
    if real in seen:
        return False
    seen.add(real)
    return True


def _unlisted(path: Path) -> Callable[[OSError], None]:
    def tell(error: OSError) -> None:
        raise ScriptsUnreadable(
            f"A folder cannot be read: {error.strerror}",
            where=str(error.filename or path),
            hint="Give the right to read it, or name other paths.",
        )

    return tell


def _read(path: Path) -> File:
    shown = str(path)
    try:
        if not path.is_file():
            return File(path, shown, unread="it is no regular file")
        if path.stat().st_size > LARGEST:
            return File(path, shown, unread=f"it is larger than {LARGEST // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        return File(path, shown, unread=error.strerror or "it cannot be read")
    return _decoded(path, shown, data)


def _decoded(path: Path, shown: str, data: bytes) -> File:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in data:
        return File(path, shown, unread="it is binary")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if path.suffix.lower() != ".sql":
            return File(path, shown, unread=f"it is not UTF-8: {error.reason} at byte {error.start}")
        text = data.decode("latin-1")
    return File(path, shown, text.replace("\r\n", "\n").replace("\r", "\n"))
