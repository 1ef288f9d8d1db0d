"""What uses a column on SQLite: it is asked itself, on a copy of the structure without a row.

SQLite keeps no record of what a view or a trigger uses. But ``ALTER TABLE … DROP COLUMN`` refuses, by
name, what could not be read afterwards (SQLite manual, ALTER TABLE, section 5); triggers are compiled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from integrity.database import clauses
from integrity.database.dependents import Dependent, Fate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import tokens
from integrity.database.sqlite.own_keys import own_keys, without_own_keys

EVERYTHING = """
SELECT type, name, tbl_name, sql FROM sqlite_master
WHERE sql <> '' AND name NOT LIKE 'sqlite\\_%%' ESCAPE '\\'
ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, rowid
"""
_MOST = 1_000


def without_table(session: Session, table: str) -> list[Dependent]:
    """Returns the views, and the triggers of other tables, that work now and would not without a table."""
    objects = [_Object(*row) for row in session.rows(EVERYTHING)]
    with closing(sqlite3.connect(":memory:", cached_statements=0)) as raw:
        copy = _Copy(raw, objects)
        views, broken = copy.selected(), copy.broken_triggers()
        with suppress(sqlite3.Error):  # where its text could not be read, nothing can be said of it
            raw.execute(f"DROP TABLE {clauses.name(table)}")
        left = copy.selected()
        lost = [
            each for each in objects if each.kind == "view" and each.name in views and each.name not in left
        ]
        others = [each for each in copy.broken_triggers() if each not in broken]
    return [each.dropped() for each in (*lost, *others) if each.table.lower() != table.lower()]


def unreadable(session: Session) -> set[str]:
    """Returns the views and triggers that do not compile, by their labels."""
    objects = [_Object(*row) for row in session.rows(EVERYTHING)]
    with closing(sqlite3.connect(":memory:", cached_statements=0)) as raw:
        copy = _Copy(raw, objects)
        views = copy.selected()
        broken = [each for each in objects if each.kind == "view" and each.name not in views]
        return {f"{each.kind} {each.name}" for each in (*broken, *copy.broken_triggers())}


def dependents(
    session: Session, schema: Schema, table: Table, column: str, besides: Sequence[TableName] = ()
) -> list[Dependent]:
    """Returns what uses a column, in an order in which it can be made; not the views ``besides``, nor
    what uses only those."""
    objects = [_Object(*row) for row in session.rows(EVERYTHING)]
    keys = own_keys(table.definition, column)
    # A statement that was kept would be explained as it was compiled before.
    with closing(sqlite3.connect(":memory:", cached_statements=0)) as raw:
        copy = _Copy(raw, [_without_keys(each, table, column) for each in objects] if keys else objects)
        for each in besides:
            copy.replace(schema.table(each))
        views = copy.selected()
        broken = copy.broken_triggers()
        found = [*copy.refusing(table.name.name, column), *_of_column(objects, table.name.name, column)]
        found += [Dependent("constraint", f"{key.label} on {table.name.name}", Fate.GOES) for key in keys]
        seen = {each.label for each in found}
        found += [each for each in copy.losing(views) if each.label not in seen]
        found += [
            each.dropped()
            for each in copy.broken_triggers()
            if each not in broken and f"trigger {each.name}" not in seen
        ]
    order = [(each.kind, each.name) for each in objects]
    return sorted(found, key=lambda each: order.index((each.kind, each.name)) if each.make else -1)


@dataclass(frozen=True)
class _Object:
    """One object of the stored structure."""

    kind: str
    name: str
    table: str
    sql: str

    def dropped(self) -> Dependent:
        """As a dependent that is made again by its own text."""
        drop = f"DROP {self.kind.upper()} {clauses.name(self.name)}"
        return Dependent(self.kind, self.name, Fate.DROPPED, (drop,), (self.sql,))


@dataclass(frozen=True)
class _Copy:
    """The structure in memory, without a row and without triggers."""

    raw: sqlite3.Connection
    objects: list[_Object]

    def __post_init__(self) -> None:
        for each in self.objects:
            if each.kind != "trigger":
                with suppress(sqlite3.Error):
                    self.raw.execute(each.sql)

    def replace(self, view: Table) -> None:
        """Puts another view with the same columns in the place of one that will be made again."""
        name = clauses.name(view.name.name)
        columns = ", ".join(f"NULL AS {clauses.name(each)}" for each in view.column_names)
        with suppress(sqlite3.Error):
            self.raw.execute(f"DROP VIEW {name}")
            self.raw.execute(f"CREATE VIEW {name} AS SELECT {columns}")

    def refusing(self, table: str, column: str) -> Iterator[Dependent]:
        """Drops the column, and whatever is in its way, until it is gone. Complaints that come before the
        first dependent are about what is broken already."""
        drop = f"ALTER TABLE {clauses.name(table)} DROP COLUMN {clauses.name(column)}"
        met = False
        for _ in range(_MOST):
            try:
                self.raw.execute(drop)
            except sqlite3.Error as error:
                found, after = self._named(str(error))
                if found is None:
                    yield Dependent("constraint", f"of {table}", Fate.BLOCKS, note=str(error))
                    return
                self.raw.execute(f"DROP {found.kind.upper()} {clauses.name(found.name)}")
                met = met or after
                if met:
                    yield found.dropped()
            else:
                return

    def _named(self, error: str) -> tuple[_Object | None, bool]:
        """What an error is about, and whether it is so only without the column."""
        for each in sorted(self.objects, key=lambda each: -len(each.name)):
            for after in (" after drop column", ""):
                if each.kind != "table" and error.startswith(f"error in {each.kind} {each.name}{after}:"):
                    return each, bool(after)
        return None, False

    def selected(self) -> dict[str, list[str]]:
        """The columns of every view that works."""
        views = {each.name: self._columns(each.name) for each in self.objects if each.kind == "view"}
        return {name: columns for name, columns in views.items() if columns}

    def losing(self, before: dict[str, list[str]]) -> Iterator[Dependent]:
        """The views that select every column of a table: they go on with one less."""
        for name, columns in before.items():
            after = self._columns(name)
            if after and after != columns:
                note = "it selects every column, and loses this one"
                yield Dependent("view", name, Fate.STAYS, note=note)

    def _columns(self, name: str) -> list[str]:
        try:
            return [row[1] for row in self.raw.execute(f"PRAGMA table_info({clauses.name(name)})")]
        except sqlite3.Error:
            return []

    def broken_triggers(self) -> list[_Object]:
        """The triggers that cannot be compiled: dropping a column does not look into all of their text."""
        return [each for each in self.objects if each.kind == "trigger" and not self._compiles(each)]

    def _compiles(self, trigger: _Object) -> bool:
        on = clauses.name(trigger.table)
        columns = [clauses.name(each) for each in self._columns(trigger.table)]
        statements = [f"INSERT INTO {on} DEFAULT VALUES", f"DELETE FROM {on}"]
        statements += [f"UPDATE {on} SET {', '.join(f'{each} = {each}' for each in columns)}"]
        try:
            self.raw.execute(trigger.sql)
            for statement in statements:
                self.raw.execute(f"EXPLAIN {statement}")
        except sqlite3.Error:
            return False
        finally:
            self.raw.execute(f"DROP TRIGGER IF EXISTS {clauses.name(trigger.name)}")
        return True


def _without_keys(each: _Object, table: Table, column: str) -> _Object:
    """Keys behind the columns go with the column; they are made again with the table's text."""
    ours = each.kind == "table" and each.name == table.name.name
    return replace(each, sql=without_own_keys(each.sql, column)) if ours else each


def _of_column(objects: list[_Object], table: str, column: str) -> Iterator[Dependent]:
    """Triggers on changes of the column: without it they would never fire, and nothing would say so."""
    for each in objects:
        if each.kind == "trigger" and each.table.lower() == table.lower():
            found = list(tokens.tokens(each.sql))
            starts = (place for place, token in enumerate(found) if token.is_word("OF"))
            start = next(starts, None)
            names = [] if start is None else _until_on(found[start + 1 :])
            if column.lower() in names:
                yield each.dropped()


def _until_on(found: list[tokens.Token]) -> list[str]:
    end = next((place for place, token in enumerate(found) if token.is_word("ON")), 0)
    return [token.name.lower() for token in found[:end] if token.kind != "mark"]
