"""Source files that name a column: they break, or go on with something else, when it goes.

Files are read as text, line by line, by the names that languages give a table and a column:
``store_customers``, ``storeCustomers``, ``StoreCustomers``, ``StoreCustomer``. It is certain where both
stand together (``store_customers.orders``, ``sc.orders`` with ``store_customers sc``, or one line with
both whose column is not a table of that name), possible where both are only in one file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from integrity.references.log_entry import singular

SKIPPED = {
    ".git", ".hg", ".svn", ".tox", ".venv", "venv", "node_modules", "bower_components", "__pycache__",
    "dist", "build", ".next", ".nuxt", "target", "coverage", ".mypy_cache", ".ruff_cache", ".pytest_cache",
}  # fmt: skip
_LARGEST = 2_000_000
_LINES = 20
_LONGEST = 160


@dataclass(frozen=True)
class Mention:
    """A line of a file that names the column; ``certain`` says that it is this table's."""

    file: str
    line: int
    text: str
    certain: bool

    def as_json(self) -> dict[str, Any]:
        """Returns the mention as plain values."""
        return asdict(self)


@dataclass
class Searched:
    """What came of a search: how many files were read, and which could not be."""

    mentions: list[Mention]
    files: int = 0
    unread: tuple[str, ...] = ()

    @property
    def certain_files(self) -> tuple[str, ...]:
        """The files that certainly name the column."""
        return tuple(dict.fromkeys(each.file for each in self.mentions if each.certain))


def search_sources(paths: Sequence[Path], table: str, column: str, *, tables: Sequence[str] = ()) -> Searched:
    """Returns the lines of source files that name a column.

    Args:
        paths: files and folders; dependencies, version control and binary files are left out.
        table: the column's table.
        column: the column.
        tables: other tables of the target: one that is named like the column is not the column.
    """
    names = _Names.of(table, column, ambiguous=column in tables)
    found = Searched([])
    unread = []
    for file in _files(paths):
        try:
            text = _text(file)
        except OSError as error:
            unread.append(f"{file}: {error.strerror}")
            continue
        if text is not None:
            found.files += 1
            found.mentions += names.mentions(str(file), text)
    found.unread = tuple(unread)
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(each for each in folders if each not in SKIPPED)
            yield from (Path(folder) / name for name in sorted(names))


def _text(file: Path) -> str | None:
    """The text of a file, None for a binary or a very large one."""
    if not file.is_file() and file.exists():
        return None
    with file.open("rb") as opened:
        head = opened.read(8_192)
        if b"\0" in head:
            return None
        rest = opened.read(_LARGEST)
    return None if len(rest) == _LARGEST else (head + rest).decode("utf-8", "replace")


def spellings(name: str) -> list[str]:
    """Returns a name as languages write it: ``store_customers``, ``storeCustomers``, ``StoreCustomers``."""
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part]
    camel = "".join(part[:1].upper() + part[1:] for part in parts)
    return list(dict.fromkeys([name, camel[:1].lower() + camel[1:], camel]))


@dataclass(frozen=True)
class _Names:
    """What is looked for, as patterns."""

    table: re.Pattern[str]
    column: re.Pattern[str]
    together: re.Pattern[str]
    alias: re.Pattern[str]
    columns: str
    ambiguous: bool

    @classmethod
    def of(cls, table: str, column: str, *, ambiguous: bool) -> _Names:
        both = [each for name in (table, singular(table)) for each in spellings(name)]
        tables, columns = _any(both), _any(spellings(column))
        quote = r"[\"'`\]\[]*"
        return cls(
            table=re.compile(rf"(?<!\w){tables}(?!\w)"),
            column=re.compile(rf"(?<!\w){columns}(?!\w)"),
            together=re.compile(rf"(?<!\w){tables}{quote}\s*(?:\.|->|\[)\s*{quote}{columns}(?!\w)"),
            alias=re.compile(rf"(?<!\w){tables}{quote}\s+(?:AS\s+)?([A-Za-z_]\w*)", re.IGNORECASE),
            columns=columns,
            ambiguous=ambiguous,
        )

    def mentions(self, file: str, text: str) -> Iterator[Mention]:
        if not (self.table.search(text) and self.column.search(text)):
            return
        aliases = _any(sorted({each for each in self.alias.findall(text) if each.upper() not in _WORDS}))
        by_alias = re.compile(rf"(?<!\w){aliases}\s*\.\s*[\"`\[]*{self.columns}(?!\w)") if aliases else None
        possible = 0
        for number, line in enumerate(text.splitlines(), start=1):
            if not self.column.search(line):
                continue
            certain = self._certain(line, by_alias)
            possible += not certain
            if certain or possible <= _LINES:
                yield Mention(file, number, line.strip()[:_LONGEST], certain)

    def _certain(self, line: str, by_alias: re.Pattern[str] | None) -> bool:
        if self.together.search(line) or (by_alias is not None and by_alias.search(line)):
            return True
        return not self.ambiguous and self.table.search(line) is not None


_WORDS = {
    "WHERE", "SET", "ON", "JOIN", "LEFT", "RIGHT", "INNER", "FULL", "CROSS", "GROUP", "ORDER", "USING", "AS",
    "VALUES", "ADD", "ALTER", "DROP", "RENAME", "AND", "OR", "SELECT", "FROM", "UNION", "LIMIT", "IS", "IN",
}  # fmt: skip


def _any(names: Sequence[str]) -> str:
    return f"(?:{'|'.join(re.escape(name) for name in names)})" if names else ""
