"""The parts of CREATE TABLE and ALTER TABLE: columns, keys, foreign keys, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from integrity.database.schema import Action
from integrity.database.sqlite.tokens import Token
from integrity.scripts.cursor import Cursor, joined, split_list
from integrity.scripts.definitions import ColumnDefinition, ForeignKeyDefinition, KeyDefinition
from integrity.scripts.statement import Place

PlaceOf = Callable[[int], Place]
"""Gives the place of an offset in the statement."""

_CONSTRAINTS = (
    "CONSTRAINT", "NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "REFERENCES", "CHECK", "COLLATE",
    "GENERATED", "DEFERRABLE", "INITIALLY", "ON", "AUTOINCREMENT", "AS", "STORAGE", "COMPRESSION", "MATCH",
    "FOREIGN", "USING", "AUTO_INCREMENT", "ENFORCED", "FIRST", "AFTER", "COMMENT",
)  # fmt: skip
_TABLE_HEADS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE")


@dataclass
class TableParts:
    """What was read so far of the body of a table."""

    place: PlaceOf
    schema: str = ""
    columns: list[ColumnDefinition] = field(default_factory=list)
    keys: list[KeyDefinition] = field(default_factory=list)
    foreign_keys: list[ForeignKeyDefinition] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    open: bool = False

    def read_body(self, tokens: Sequence[Token]) -> None:
        """Reads the columns and constraints of a CREATE TABLE."""
        for entry in split_list(tokens):
            self.read_entry(entry)

    def read_entry(self, entry: Sequence[Token]) -> None:
        """Reads one column or one table constraint."""
        cursor = Cursor(entry, schema=self.schema)
        if cursor.sees_any("LIKE"):
            self.open = True
        elif cursor.sees_any(*_TABLE_HEADS):
            self._constraints(cursor, None)
        elif entry[0].kind == "placeholder" or not cursor.sees_name():
            self.open = True
        elif not _is_index(entry):
            self._column(cursor)

    def _column(self, cursor: Cursor) -> None:
        head = cursor.take()
        column = ColumnDefinition(head.name, "", self.place(head.start))
        kind = joined(cursor.until(*_CONSTRAINTS))
        at = len(self.columns)
        self.columns.append(replace(column, type=kind))
        self._constraints(cursor, at)

    def _constraints(self, cursor: Cursor, at: int | None) -> None:
        """Reads constraints one after the other, of the column at a position or of the table."""
        name = ""
        while cursor:
            if cursor.accept("CONSTRAINT"):
                name = cursor.take().name if cursor else ""
                continue
            start = cursor.at
            self._constraint(cursor, at, name)
            name = ""
            cursor.at = max(cursor.at, start + 1)

    def _constraint(self, cursor: Cursor, at: int | None, name: str) -> None:
        assert cursor.here is not None
        place = self.place(cursor.here.start)
        if cursor.accept("PRIMARY", "KEY") or cursor.accept("UNIQUE"):
            primary = cursor.tokens[cursor.at - 1].is_word("KEY")
            _ = cursor.accept("NULLS", "NOT", "DISTINCT") or cursor.accept("NULLS", "DISTINCT")
            columns = names_in(cursor.brackets()) if at is None else (self.columns[at].name,)
            if columns:
                self.keys.append(KeyDefinition(columns, place, primary, name))
        elif cursor.accept("FOREIGN", "KEY"):
            columns = names_in(cursor.brackets())
            if cursor.accept("REFERENCES"):
                self._reference(cursor, columns, place, name)
        elif cursor.accept("REFERENCES"):
            columns = () if at is None else (self.columns[at].name,)
            self._reference(cursor, columns, place, name)
        elif cursor.accept("CHECK"):
            self.checks.append(joined(cursor.brackets()))
        elif at is not None:
            self.columns[at] = column_attribute(cursor, self.columns[at])

    def _reference(self, cursor: Cursor, columns: tuple[str, ...], place: Place, name: str) -> None:
        referenced = cursor.object_name()
        if referenced is None:
            return
        there = names_in(cursor.brackets())
        actions = {"DELETE": Action.NO_ACTION, "UPDATE": Action.NO_ACTION}
        while cursor.sees_any("MATCH", "ON"):
            if cursor.accept("MATCH"):
                cursor.at += 1
                continue
            cursor.at += 1
            event = cursor.accept_any("DELETE", "UPDATE")
            action = _action(cursor)
            if event:
                actions[event] = action
        self.foreign_keys.append(
            ForeignKeyDefinition(
                columns, referenced, there, place, actions["DELETE"], actions["UPDATE"], name
            )
        )


def _is_index(entry: Sequence[Token]) -> bool:
    """Whether it is MySQL's KEY or INDEX within a table: no column."""
    return entry[0].is_word("KEY", "INDEX") and len(entry) > 1 and entry[-1].text == ")"


def _action(cursor: Cursor) -> Action:
    for action in Action:
        if cursor.accept(*str(action).split()):
            cursor.brackets()
            return action
    return Action.NO_ACTION


def column_attribute(cursor: Cursor, column: ColumnDefinition) -> ColumnDefinition:
    """Reads what is said of a column beside its type and keys; steps over what is of no matter."""
    if cursor.accept("NOT", "NULL"):
        return replace(column, nullable=False)
    if cursor.accept("DEFAULT"):
        return replace(column, default=read_default(cursor))
    if cursor.accept("COLLATE"):
        return replace(column, collation=".".join(cursor.parts()))
    if cursor.accept("GENERATED") or cursor.sees("AS", "("):
        return _generated(cursor, column)
    if cursor.accept_any("AUTOINCREMENT", "AUTO_INCREMENT"):
        return replace(column, identity=True)
    cursor.at += 1
    return column


def _generated(cursor: Cursor, column: ColumnDefinition) -> ColumnDefinition:
    _ = cursor.accept("ALWAYS") or cursor.accept("BY", "DEFAULT")
    cursor.accept("AS")
    if cursor.accept("IDENTITY"):
        cursor.brackets()
        return replace(column, identity=True, nullable=False)
    cursor.brackets()
    return replace(column, generated=True)


def read_default(cursor: Cursor) -> str:
    """Reads the expression after DEFAULT: its first token is never a constraint."""
    if not cursor:
        return ""
    if cursor.sees("("):
        start = cursor.at
        cursor.brackets()
    else:
        start = cursor.at
        cursor.at += 1
    cursor.until(*_CONSTRAINTS, ",")
    return joined(cursor.tokens[start : cursor.at])


def names_in(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Returns the column names of a list in brackets; what is no plain name is left out."""
    found = []
    for part in split_list(tokens):
        part = part[1:] if len(part) == 2 and part[0].is_word("PERIOD") else part
        if part[0].kind in ("word", "name") and not (len(part) > 1 and part[1].text in ("(", ".")):
            found.append(part[0].name)
    return tuple(found)
