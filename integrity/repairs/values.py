"""Values of rows as people read them: cut where they are long, by their size where they are binary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import TableName, column

LETTERS = 300
"""How much of a long text is shown."""

COLUMNS = 200
"""So many columns of a row are shown; a database selects no more than some 1,600 expressions at once."""

IsMasked = Callable[[TableName, str], bool]
"""Whether the values of a column are never shown, nor searched."""


@dataclass(frozen=True)
class Value:
    """What a row has in a column; ``size`` in bytes stands for a binary value."""

    text: str = ""
    size: int | None = None
    null: bool = False
    cut: bool = False
    masked: bool = False


def first_columns(columns: Sequence[str], key: Sequence[str]) -> tuple[str, ...]:
    """The columns of a wide table that are shown: the first ones, and those of the key."""
    return tuple(name for n, name in enumerate(columns) if n < COLUMNS or name in key)


@dataclass(frozen=True)
class Reading:
    """Reads columns of a table; masked ones never leave the database."""

    engine: Engine
    table: TableName
    columns: Sequence[str]
    is_masked: IsMasked
    letters: int | None = LETTERS

    def sql(self, alias: str) -> list[str]:
        """The expressions to select, two for each column that may be shown."""
        more = None if self.letters is None else self.letters + 1
        return [each for name in self._shown for each in self.engine.readable(column(name, alias), more)]

    def differences(self, one: str, other: str) -> list[str]:
        """The expressions to select, one for each column: 1 where two rows are not the same in it."""
        found = []
        for name in self.columns:
            left, right = (self.engine.readable(column(name, each), None)[0] for each in (one, other))
            same = f"COALESCE({left} = {right}, {left} IS NULL AND {right} IS NULL)"
            found.append(f"CASE WHEN {same} THEN 0 ELSE 1 END")
        return found

    def different(self, row: Sequence[Any]) -> tuple[str, ...]:
        """The columns for which these came to 1."""
        return tuple(name for name, differs in zip(self.columns, row, strict=True) if differs)

    @property
    def width(self) -> int:
        """How many expressions these are."""
        return 2 * len(self._shown)

    def values(self, row: Sequence[Any]) -> dict[str, Value]:
        """What came of them, column by column."""
        read = dict(zip(self._shown, zip(row[::2], row[1::2], strict=True), strict=True))
        masked = Value(masked=True)
        return {name: self._value(*read[name]) if name in read else masked for name in self.columns}

    @property
    def _shown(self) -> list[str]:
        return [name for name in self.columns if not self.is_masked(self.table, name)]

    def _value(self, text: Any, size: Any) -> Value:
        if size is not None:
            return Value(size=int(size))
        if text is None:
            return Value(null=True)
        whole = legible(str(text))
        cut = self.letters is not None and len(whole) > self.letters
        return Value(whole[: self.letters] if cut else whole, cut=cut)


def legible(text: str) -> str:
    """A text that can be sent on: bytes that are no UTF-8 as their numbers."""
    return text.encode("utf-8", "backslashreplace").decode()
