"""Orphans of the live target, a page at a time, in the same time however many stand before it.

A page is looked for in the rows next to its place first: where orphans are many, it is full soon. Where
they are few, the rest of the table is searched once, as an audit does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.row_order import Place, RowOrder
from integrity.database.schema import Table, TableKind
from integrity.diagnosis.rows import places
from integrity.diagnosis.rows.chosen import ShownColumn, choose_columns
from integrity.diagnosis.rows.looking import Orphans
from integrity.diagnosis.rows.places import Mark
from integrity.references.masking import MASKED

ROWS_A_PAGE = 25
LETTERS = 1_000
"""Of a longer text nobody reads more on a page."""

A_LINE = 28

WINDOWS = (2_000, 50_000)
"""How many rows next to a place are looked at before the whole rest is."""


@dataclass(frozen=True)
class Cell:
    """A value as people read it: ``size`` are the bytes of what is no text."""

    text: str | int | float | None
    size: int | None = None
    cut: bool = False
    hidden: bool = False

    @property
    def is_long(self) -> bool:
        """Whether it does not fit on one line of a table."""
        return isinstance(self.text, str) and len(self.text) > A_LINE


@dataclass(frozen=True)
class ShownRow:
    """An orphan: the texts of its primary key (none where it has none that may be shown), its missing key
    as texts, the values by which others refer to it, and its cells."""

    key: tuple[str, ...]
    missing: tuple[str, ...]
    cells: tuple[Cell, ...]
    beside: tuple[Cell, ...]
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    mark: Mark = field(default=Mark("", ()), repr=False)


@dataclass(frozen=True)
class RowPage:
    """A page: ``after`` and ``before`` are the places at which the next and the previous one begin, empty
    where there is none; ``ends_early`` says that there are more rows, but no order in which to go on."""

    columns: tuple[ShownColumn, ...]
    beside: tuple[ShownColumn, ...]
    rows: tuple[ShownRow, ...] = ()
    after: str = ""
    before: str = ""
    ends_early: bool = False


def orphan_rows(
    orphans: Orphans,
    *,
    after: str = "",
    before: str = "",
    key: tuple[str, ...] = (),
    limit: int = ROWS_A_PAGE,
    letters: int = LETTERS,
) -> RowPage:
    """Returns a page of the orphans of a reference.

    Args:
        orphans: an open look at them.
        after: the place that a page gave for the next one.
        before: the place that a page gave for the previous one; it counts where both are given.
        key: only those that miss this key, as texts.
        limit: how many rows a page has.
        letters: how many letters of a text are read.

    Raises:
        NotAnswerable: for a place that was never given out, or a key that no column can hold.
        TimedOut: when it takes too long.
    """
    return _Reader(orphans, key, limit, letters).page(after, before)


@dataclass
class _Reader:
    orphans: Orphans
    key: tuple[str, ...]
    limit: int
    letters: int

    def page(self, after: str, before: str) -> RowPage:
        backwards = bool(before)
        mark = places.read(self.orphans, before or after)
        found = self._found(mark, backwards=backwards)
        more, rows = len(found) > self.limit, found[: self.limit]
        if backwards:
            rows = rows[::-1]
        shown, beside = self._columns
        if not rows:
            return RowPage(shown, beside)
        if not rows[0].mark.place:
            return RowPage(shown, beside, tuple(rows), ends_early=more)
        following = backwards or more
        preceding = more if backwards else mark is not None
        after = places.written(self.orphans, rows[-1].mark) if following else ""
        before = places.written(self.orphans, rows[0].mark) if preceding else ""
        return RowPage(shown, beside, tuple(rows), after, before)

    # -- where rows stand ------------------------------------------------------------------

    @cached_property
    def _columns(self) -> tuple[tuple[ShownColumn, ...], tuple[ShownColumn, ...]]:
        return choose_columns(self.orphans)

    @cached_property
    def _parts(self) -> list[tuple[str, Table, RowOrder]]:
        """The pieces of the table that have an order of their own, in theirs: most have one."""
        table, by_key = self.orphans.table, bool(self.orphans.key)
        order = self.orphans.engine.row_order(table, by_key=by_key)
        if order.terms or table.kind is not TableKind.PARTITIONED:
            return [("", table, order)]
        leaves = sorted(self.orphans.schema.leaves(table.name), key=lambda each: str(each.name))
        return [(str(leaf.name), leaf, self.orphans.engine.row_order(leaf, by_key=False)) for leaf in leaves]

    def _found(self, mark: Mark | None, *, backwards: bool) -> list[ShownRow]:
        """One row more than a page has, where there is one."""
        found: list[ShownRow] = []
        for part, table, order, place in self._from(mark, backwards=backwards):
            wanted = self.limit + 1 - len(found)
            found += self._in_part(part, table, order, place, wanted, backwards=backwards)
            if len(found) > self.limit:
                break
        return found

    def _from(
        self, mark: Mark | None, *, backwards: bool
    ) -> Iterator[tuple[str, Table, RowOrder, Place | None]]:
        """The pieces from a place on; a place in a piece that is gone is at the start of the next."""
        parts = self._parts[::-1] if backwards else self._parts
        for part, table, order in parts:
            if mark is None:
                yield part, table, order, None
            elif part == mark.part:
                fits = len(mark.place) == len(order.terms)
                yield part, table, order, mark.place if fits else None
            elif (part < mark.part) if backwards else (part > mark.part):
                yield part, table, order, None

    def _in_part(
        self, part: str, table: Table, order: RowOrder, place: Place | None, wanted: int, *, backwards: bool
    ) -> list[ShownRow]:
        for size in WINDOWS:
            source = self.orphans.engine.source(table)
            near = order.window(source, self._needed, place, size, backwards=backwards)
            found = self._read(part, order, near, place, wanted, backwards=backwards) if near else []
            if len(found) >= wanted:
                return found
        whole = Predicate(f"{self.orphans.engine.source(table)} c")
        return self._read(part, order, whole, place, wanted, backwards=backwards)

    # -- what is read of them --------------------------------------------------------------

    @cached_property
    def _referred(self) -> list[str]:
        """The columns by which rows of other tables refer to these."""
        name = self.orphans.table.name
        others = [each for each in self.orphans.references if each.referenced_table == name]
        columns = dict.fromkeys(each for other in others for each in other.referenced_columns)
        return [each for each in columns if each not in self.orphans.table.unreadable]

    @cached_property
    def _needed(self) -> list[str]:
        shown, beside = self._columns
        names = [each.name for each in (*shown, *beside) if each.name not in self.orphans.table.unreadable]
        key = self.orphans.table.primary_key
        own = [each for each in (key.columns if key else ()) if each not in self.orphans.table.unreadable]
        return list(dict.fromkeys([*own, *self.orphans.reference.columns, *names, *self._referred]))

    @cached_property
    def _listed(self) -> list[str]:
        engine, names = self.orphans.engine, self.orphans.reference.columns
        texts = [engine.key_text([name]) for name in (*self.orphans.key, *names)]
        values = [engine.key_value(column(name, "c")) for name in self._referred]
        return [*texts, *values, *(sql for each in self._shown for sql in self._pair(each))]

    @cached_property
    def _shown(self) -> Sequence[ShownColumn]:
        shown, beside = self._columns
        return (*shown, *beside)

    def _pair(self, each: ShownColumn) -> tuple[str, str]:
        if each.name in self.orphans.table.unreadable:
            return f"'{MASKED}'", "NULL"
        sql = column(each.name, "c")
        if each.hidden:
            return f"CASE WHEN {sql} IS NOT NULL THEN '{MASKED}' END", "NULL"
        read = self.orphans.engine.shown(self.orphans.table.column(each.name), sql, self.letters + 1)
        return read.text, read.size

    def _read(
        self,
        part: str,
        order: RowOrder,
        source: Predicate,
        place: Place | None,
        wanted: int,
        *,
        backwards: bool,
    ) -> list[ShownRow]:
        where = self.orphans.where & order.beyond(place, backwards=backwards)
        if self.key:
            where = where & self.orphans.with_key(self.key)
        listed = ", ".join([*order.told, *self._listed])
        ordered = order.listed(backwards=backwards)
        sql = f"SELECT {listed} FROM {source.sql} WHERE {where.sql} {ordered} LIMIT %s"
        params = [*source.params, *where.params, wanted]
        rows = self.orphans.session.rows(sql, params)
        return [self._row(part, len(order.terms), row) for row in rows]

    def _row(self, part: str, terms: int, row: tuple[Any, ...]) -> ShownRow:
        place, rest = row[:terms], row[terms:]
        key, rest = rest[: len(self.orphans.key)], rest[len(self.orphans.key) :]
        width = len(self.orphans.reference.columns)
        missing, rest = rest[:width], rest[width:]
        values, rest = dict(zip(self._referred, rest, strict=False)), rest[len(self._referred) :]
        pairs = zip(self._shown, rest[::2], rest[1::2], strict=True)
        cells = tuple(self._cell(each, text, size) for each, text, size in pairs)
        several = len(self._columns[0])
        whole = () if self.orphans.hides_keys else sayable(missing)
        mark = Mark(part, tuple(place))
        return ShownRow(sayable(key), whole, cells[:several], cells[several:], values, mark)

    def _cell(self, each: ShownColumn, text: Any, size: int | None) -> Cell:
        cut = isinstance(text, str) and len(text) > self.letters
        return Cell(text[: self.letters] if cut else text, size, cut=cut, hidden=each.hidden)


def sayable(key: Sequence[Any]) -> tuple[str, ...]:
    """Returns the texts of a key, none where a part of it is NULL or no text in any encoding: neither can be
    named in a decision."""
    texts = [str(each) for each in key if each is not None]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return ()
    return tuple(texts) if len(texts) == len(key) else ()
