"""Small random databases, and what a repair of them must do, by hand: rows are dictionaries, no SQL."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from integrity.plans import Change, Plan
from integrity.references.reference import Reference

Row = dict[str, int | None]
Found = set[tuple[str, int]]


@dataclass
class Column:
    """A referencing column of a table."""

    name: str
    parent: str
    action: str
    nullable: bool
    default: int | None = None

    @property
    def sql(self) -> str:
        default = "" if self.default is None else f" DEFAULT {self.default}"
        return f"{self.name} integer{'' if self.nullable else ' NOT NULL'}{default}"


@dataclass
class Database:
    """Tables with a key, their references and rows."""

    columns: dict[str, list[Column]]
    rows: dict[str, dict[int, Row]]
    deleted: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)

    @property
    def script(self) -> str:
        """Everything as SQL that both engines read."""
        parts = []
        for table, columns in self.columns.items():
            listed = ", ".join(["id integer PRIMARY KEY", *(each.sql for each in columns)])
            parts.append(f"CREATE TABLE {table} ({listed});")
            for number, row in self.rows[table].items():
                values = ", ".join(
                    "NULL" if row[each.name] is None else str(row[each.name]) for each in columns
                )
                parts.append(f"INSERT INTO {table} VALUES ({number}{', ' if values else ''}{values});")
        return "\n".join(parts)

    @property
    def references(self) -> list[str]:
        """As the tests write them."""
        return [
            f"{table}.{each.name} -> {each.parent}.id {each.action}"
            for table, columns in self.columns.items()
            for each in columns
        ]

    def orphans(self, table: str, column: str) -> set[int]:
        """Which rows break a reference."""
        (found,) = [each for each in self.columns[table] if each.name == column]
        rows, there = self.rows[table].items(), self.rows[found.parent]
        return {number for number, row in rows if row[column] is not None and row[column] not in there}

    def referring(self, doomed: Found, actions: Iterable[str]) -> set[tuple[str, int, str]]:
        """(table, row, column) of what refers to rows by one of these actions."""
        return {
            (table, number, each.name)
            for table, columns in self.columns.items()
            for each in columns
            if each.action in actions
            for number, row in self.rows[table].items()
            if (each.parent, row[each.name]) in doomed
        }

    def closure(self, roots: Found) -> Found:
        """Everything that goes with rows."""
        doomed = set(roots)
        while more := {(table, row) for table, row, _ in self.referring(doomed, ["CASCADE"])} - doomed:
            doomed |= more
        return doomed

    def forbidden(self, doomed: Found) -> bool:
        """Whether a row that stays refers to one that goes."""
        strict = self.referring(doomed, ["RESTRICT", "NO ACTION"])
        strict |= {each for each in self.referring(doomed, ["SET NULL"]) if not self._may_be_null(each)}
        return any((table, row) not in doomed for table, row, _ in strict)

    def _may_be_null(self, found: tuple[str, int, str]) -> bool:
        return next(each.nullable for each in self.columns[found[0]] if each.name == found[2])

    def delete(self, roots: Found) -> None:
        """Deletes rows with everything that goes with them, and sets NULL where deletion ends."""
        doomed = self.closure(roots)
        for table, row, column in self.referring(doomed, ["SET NULL"]):
            if (table, row) not in doomed:
                self.rows[table][row][column] = None
                self.updated[table] = self.updated.get(table, 0) + 1
        for table, row in doomed:
            del self.rows[table][row]
            self.deleted[table] = self.deleted.get(table, 0) + 1

    def set(self, table: str, column: str, rows: Iterable[int], value: int | None) -> None:
        """Updates rows."""
        for row in rows:
            self.rows[table][row][column] = value
            self.updated[table] = self.updated.get(table, 0) + 1


def forbidden_anywhere(database: Database, plan: Plan) -> bool:
    """Carries a plan out on ``database``; returns whether something forbids a part of it."""
    for step in plan.changing_steps:
        table, column = _named(step.reference)
        orphans = database.orphans(table, column)
        if step.change is Change.DELETE:
            roots = {(table, row) for row in orphans}
            if database.forbidden(database.closure(roots)):
                return True
            database.delete(roots)
        else:
            value = None if step.change is Change.SET_NULL else int(step.values[0][1])
            database.set(table, column, orphans, value)
    return False


def _named(reference: Reference) -> tuple[str, str]:
    return reference.table.name, reference.columns[0]


@st.composite
def databases(draw: st.DrawFn) -> Database:
    """Up to four tables that refer to one another in any way, themselves included."""
    names = ["a", "b", "c", "d"][: draw(st.integers(2, 4))]
    actions = st.sampled_from(
        ["CASCADE", "CASCADE", "CASCADE", "SET NULL", "SET NULL", "RESTRICT", "NO ACTION"]
    )
    columns: dict[str, list[Column]] = {}
    for name in names:
        count = draw(st.integers(0, 3))
        columns[name] = [
            Column(f"r{n}", draw(st.sampled_from(names)), draw(actions), draw(st.integers(0, 4)) > 0)
            for n in range(count)
        ]
    rows: dict[str, dict[int, Row]] = {}
    for name in names:
        rows[name] = {}
        for number in draw(st.lists(st.integers(1, 9), unique=True, max_size=8)):
            rows[name][number] = {
                each.name: draw(
                    st.one_of(st.integers(1, 12), st.none()) if each.nullable else st.integers(1, 12)
                )
                for each in columns[name]
            }
    return Database(columns, rows)
