"""Files as a patch for ``git apply``: for code that is read-only where it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

from integrity import conf
from integrity.operations.writer import WrittenFile

_ODD = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def patch_root() -> Path:
    """Returns the folder that paths are relative to: the checkout that the catalogs are in, else the folder
    above theirs."""
    root = conf.catalog_root().absolute()
    return next((each for each in (root, *root.parents) if (each / ".git").exists()), root.parent)


def relative(file: WrittenFile, root: Path) -> str:
    """Returns a file's path below ``root``, with slashes."""
    path = file.path.absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def patch_of(files: Sequence[WrittenFile], root: Path) -> str:
    """Returns what makes of the files that are there those that would be written; empty where nothing is
    to be done."""
    return "".join(line for file in files for line in _changes(file, relative(file, root)))


def _changes(file: WrittenFile, name: str) -> Iterator[str]:
    old = file.path.read_text(encoding="utf-8") if file.path.is_file() else None
    if old == file.text:
        return
    before, after = _named(f"a/{name}"), _named(f"b/{name}")
    yield f"diff --git {before} {after}\n"
    if old is None:
        yield "new file mode 100644\n"
    lines = unified_diff(
        _lines(old or ""),
        _lines(file.text),
        "/dev/null" if old is None else before + _ending(name),
        after + _ending(name),
    )
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """By line feeds alone: a form feed, say, ends no line of a file."""
    *lines, last = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]


def _ending(name: str) -> str:
    """What keeps a name with a space from being read as a name and a time."""
    return "\t" if " " in name and _named(name) == name else ""


def _named(name: str) -> str:
    """As Git writes a path: in quotes where it has a character that is not printed as it is."""
    if name.isascii() and name.isprintable() and not any(each in name for each in _ODD):
        return name
    return '"' + "".join(_ODD.get(each, each) if each.isascii() else _octal(each) for each in name) + '"'


def _octal(letter: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in letter.encode())
