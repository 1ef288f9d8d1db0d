"""Small random databases, and what a repair of them must do, by hand: rows are dictionaries, no SQL."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from integrity.plans import Change, Plan, Step
from integrity.references.reference import Reference

Row = dict[str, int | None]
Found = set[tuple[str, int]]


@dataclass
class Column:
    """A referencing column of a table; ``tenant`` says that the row and its parent share a tenant, too."""

    name: str
    parent: str
    action: str
    nullable: bool
    default: int | None = None
    tenant: bool = False

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
            head = ["id integer PRIMARY KEY", "g integer NOT NULL"]
            listed = ", ".join([*head, *(each.sql for each in columns)])
            parts.append(f"CREATE TABLE {table} ({listed});")
            for number, row in self.rows[table].items():
                names = ["g", *(each.name for each in columns)]
                values = ", ".join("NULL" if row[name] is None else str(row[name]) for name in names)
                parts.append(f"INSERT INTO {table} VALUES ({number}, {values});")
        return "\n".join(parts)

    @property
    def references(self) -> list[str]:
        """As the tests write them."""
        return [
            f"{table}.{each.name}{',g' * each.tenant} -> {each.parent}.id{',g' * each.tenant} {each.action}"
            for table, columns in self.columns.items()
            for each in columns
        ]

    def parent(self, each: Column, row: Row) -> int | None:
        """The row that a row refers to by a column."""
        key, there = row[each.name], self.rows[each.parent]
        if key is None or key not in there or (each.tenant and there[key]["g"] != row["g"]):
            return None
        return key

    def orphans(self, table: str, column: str) -> set[int]:
        """Which rows break a reference."""
        (found,) = [each for each in self.columns[table] if each.name == column]
        rows = self.rows[table].items()
        return {number for number, row in rows if row[column] is not None and self.parent(found, row) is None}

    def meant(self, step: Step) -> set[int]:
        """Which rows a step is about."""
        table, names = step.table.name, step.reference.columns
        found = set()
        for number in self.orphans(table, names[0]):
            key = tuple(str(self.rows[table][number][name]) for name in names)
            wanted = not step.keys or key in step.keys
            chosen = not step.chosen_rows or (str(number),) in step.chosen_rows
            if wanted and chosen and key not in step.spared and (str(number),) not in step.spared_rows:
                found.add(number)
        return found

    def referring(self, doomed: Found, actions: Iterable[str]) -> set[tuple[str, int, str]]:
        """(table, row, column) of what refers to rows by one of these actions."""
        return {
            (table, number, each.name)
            for table, columns in self.columns.items()
            for each in columns
            if each.action in actions
            for number, row in self.rows[table].items()
            if (each.parent, self.parent(each, row)) in doomed
        }

    def closure(self, roots: Found) -> Found:
        """Everything that goes with rows."""
        doomed = set(roots)
        while more := {(table, row) for table, row, _ in self.referring(doomed, ["CASCADE"])} - doomed:
            doomed |= more
        return doomed

    def forbidden(self, doomed: Found, going: Found) -> bool:
        """Whether a row that stays, when ``going`` go, refers to one of ``doomed``."""
        strict = self.referring(doomed, ["RESTRICT", "NO ACTION"])
        strict |= {each for each in self.referring(doomed, ["SET NULL"]) if not self._may_be_null(each)}
        return any((table, row) not in going for table, row, _ in strict)

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


def carried_out(database: Database, plan: Plan) -> int:
    """Carries a plan out on ``database``; returns how many orphans stay because something is in the way."""
    stay = 0
    for step in plan.changing_steps:
        assert isinstance(step, Step)
        table, column = _named(step.reference)
        orphans = database.meant(step)
        if step.change is Change.DELETE:
            roots = {(table, row) for row in orphans}
            free = _free(database, roots)
            stay += len(roots - free)
            database.delete(free)
        else:
            value = None if step.change is Change.SET_NULL else int(step.values[0][1])
            database.set(table, column, orphans, value)
    return stay


def _free(database: Database, roots: Found) -> Found:
    """The most of them that can go together: whose closure is held is left out, until nothing is held."""
    free = set(roots)
    while True:
        doomed = database.closure(free)
        held = {each for each in free if database.forbidden(database.closure({each}), doomed)}
        if not held:
            return free
        free -= held


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
            Column(
                f"r{n}",
                draw(st.sampled_from(names)),
                draw(actions),
                draw(st.integers(0, 4)) > 0,
                tenant=draw(st.integers(0, 3)) == 0,
            )
            for n in range(count)
        ]
    rows: dict[str, dict[int, Row]] = {}
    for name in names:
        rows[name] = {}
        for number in draw(st.lists(st.integers(1, 9), unique=True, max_size=8)):
            rows[name][number] = {"g": draw(st.sampled_from([1, 1, 1, 2]))} | {
                each.name: draw(
                    st.one_of(st.integers(1, 12), st.none()) if each.nullable else st.integers(1, 12)
                )
                for each in columns[name]
            }
    return Database(columns, rows)
