"""Triggers and views of a SQLite file, and which of them refer to what is gone.

SQLite compiles a trigger when it fires and a view when it is read, so either may refer to anything (SQLite
manual, CREATE TRIGGER and CREATE VIEW). Each is compiled alone, on a copy of the structure without a row.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.routines import Examined, Fault, Missing, Routine, RoutineKind, Unread
from integrity.database.session import Session
from integrity.database.sqlite import tokens

MAIN = "main"

OBJECTS = """
SELECT type, name, tbl_name, sql FROM sqlite_master
WHERE sql <> '' AND name NOT LIKE 'sqlite\\_%%' ESCAPE '\\'
  AND name NOT LIKE 'integrity\\_journal\\_%%' ESCAPE '\\'
ORDER BY CASE type WHEN 'table' THEN 1 WHEN 'index' THEN 2 WHEN 'view' THEN 3 ELSE 4 END, rowid
"""
FUNCTIONS = "SELECT DISTINCT lower(name) FROM pragma_function_list"

_GONE = (
    (Missing.TABLE, re.compile(r"no such table: (?:main\.)?(.+)", re.DOTALL)),
    (Missing.COLUMN, re.compile(r"no such column: (.+)", re.DOTALL)),
    (Missing.COLUMN, re.compile(r"table (?P<of>.+) has no column named (.+)", re.DOTALL)),
    (Missing.FUNCTION, re.compile(r"no such function: (.+)", re.DOTALL)),
)
_WRITES = {"INSERT", "UPDATE", "DELETE"}
_MOST_FUNCTIONS = 200


def routines(session: Session) -> list[Routine]:
    """Returns the triggers and views, in one query."""
    found = [_Object(*row) for row in session.rows(OBJECTS)]
    return [each.routine() for each in found if each.kind in ("trigger", "view")]


def examine(session: Session, chosen: Sequence[Routine]) -> Examined:
    """Returns what is wrong with some of the routines, each compiled alone."""
    objects = [_Object(*row) for row in session.rows(OBJECTS)]
    provided = {name for (name,) in session.rows(FUNCTIONS)}
    wanted = {(each.kind, each.name.name) for each in chosen}
    result = Examined()
    with closing(sqlite3.connect(":memory:", cached_statements=0)) as raw:
        copy = _Copy(raw, provided)
        copy.make(objects)
        for each in objects:
            if (each.kind, each.name) in wanted:
                _examine(copy, each, result)
    return result


def _examine(copy: _Copy, each: _Object, result: Examined) -> None:
    routine, said = each.routine(), copy.complaint(each)
    fault = _fault(routine, said)
    if said and fault is None:
        result.unread.append(Unread(routine, said))
        return
    if fault and fault.missing is Missing.TABLE and fault.what.lower() in copy.refused:
        result.unread.append(Unread(routine, f"{fault.what} needs a module that is not here"))
        return
    result.checked += 1
    if fault:
        result.faults.append(fault)


def _fault(routine: Routine, said: str) -> Fault | None:
    for missing, pattern in _GONE:
        if match := pattern.fullmatch(said):
            groups = match.groupdict()
            what, of = match[match.lastindex or 1], groups.get("of") or ""
            if missing is Missing.COLUMN and not of and "." in what:
                of, _, what = what.rpartition(".")
            if of.lower() in ("new", "old") and routine.table:
                of = routine.table.name
            # A function of an application's own is in no file: every client may register it.
            return Fault(routine, missing, what, said, of, certain=missing is not Missing.FUNCTION)
    return None


@dataclass(frozen=True)
class _Object:
    """One object of the stored structure."""

    kind: str
    name: str
    table: str
    sql: str

    def routine(self) -> Routine:
        on = TableName(MAIN, self.table) if self.kind == "trigger" else None
        return Routine(
            kind=RoutineKind(self.kind),
            name=TableName(MAIN, self.name),
            label=f"{self.name} on {self.table}" if on else self.name,
            definition=self.sql,
            drop=f"DROP {self.kind.upper()} {clauses.name(self.name)}",
            make=(self.sql,),
            table=on,
        )


@dataclass
class _Copy:
    """The structure in memory, without a row and without triggers.

    ``refused`` are the tables that could not be made: a virtual table whose module is not here.
    """

    raw: sqlite3.Connection
    provided: set[str]
    refused: set[str] = field(default_factory=set)

    def make(self, objects: Sequence[_Object]) -> None:
        """Makes everything but triggers."""
        for each in objects:
            if each.kind == "trigger":
                continue
            try:
                self.raw.execute(each.sql)
            except sqlite3.Error:
                if each.kind == "table" and not self._knows(each.name):
                    self.refused.add(each.name.lower())

    def _knows(self, name: str) -> bool:
        sql = "SELECT 1 FROM sqlite_master WHERE lower(name) = lower(?)"
        return self.raw.execute(sql, [name]).fetchone() is not None

    def complaint(self, each: _Object) -> str:
        """What SQLite says against an object, empty where it compiles."""
        for _ in range(_MOST_FUNCTIONS):
            said = self._view(each) if each.kind == "view" else self._trigger(each)
            if not self._provided(said):
                return said
        return ""

    def _provided(self, said: str) -> bool:
        """Registers a function that the application's connections have, so that its users compile."""
        name = said.removeprefix("no such function: ")
        if name == said or name.lower() not in self.provided:
            return False
        self.provided.discard(name.lower())
        self.raw.create_function(name, -1, lambda *values: None)
        return True

    def _view(self, view: _Object) -> str:
        return self._compile(f"SELECT * FROM {clauses.name(view.name)}")

    def _trigger(self, trigger: _Object) -> str:
        try:
            self.raw.execute(trigger.sql)
        except sqlite3.Error as error:
            return str(error)
        try:
            said = (self._compile(statement) for statement in self._firing(trigger))
            return next(filter(None, said), "")
        finally:
            self.raw.execute(f"DROP TRIGGER IF EXISTS {clauses.name(trigger.name)}")

    def _firing(self, trigger: _Object) -> Iterator[str]:
        """What fires it, and nothing else: a view takes only what a trigger does for it."""
        on = clauses.name(trigger.table)
        words = (each for each in tokens.tokens(trigger.sql) if each.is_word(*_WRITES))
        event = next((each.text.upper() for each in words), "")
        if event == "INSERT":
            yield f"INSERT INTO {on} DEFAULT VALUES"
        elif event == "DELETE":
            yield f"DELETE FROM {on}"
        else:
            columns = [clauses.name(name) for name in self._columns(trigger.table)]
            yield f"UPDATE {on} SET {', '.join(f'{each} = {each}' for each in columns)}"

    def _columns(self, table: str) -> list[str]:
        with suppress(sqlite3.Error):
            return [row[1] for row in self.raw.execute(f"PRAGMA table_info({clauses.name(table)})")]
        return []

    def _compile(self, statement: str) -> str:
        try:
            self.raw.execute(f"EXPLAIN {statement}")
        except sqlite3.Error as error:
            return str(error)
        return ""


def differs(routine: Routine, create: str) -> bool:
    """Whether a routine is another one than a CREATE statement makes: word by word, as both are written."""
    return _words(routine.definition) != _words(create)


_LEAD = ("CREATE", "TEMP", "TEMPORARY", "IF", "NOT", "EXISTS")


def _words(create: str) -> list[str]:
    found = list(tokens.tokens(create))
    head = [each for each in found[:6] if not each.is_word(*_LEAD)]
    rest = [*head, *found[6:]]
    while rest and rest[-1].text == ";":
        rest.pop()
    words = [each.text if each.kind == "string" else each.name.lower() for each in rest]
    return words[:1] + words[3:] if words[1:3] == [MAIN, "."] else words
