"""What operations on functions, triggers and views have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from integrity.database import clauses
from integrity.database.identifiers import TableName, parse_table
from integrity.database.routines import Routine, RoutineKind
from integrity.database.schema import Schema
from integrity.database.session import Session, engine_for
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.operation import CatalogOperation
from integrity.operations.record import Origin, Record, forget, record, recorded

UNCHECKED = "SET LOCAL check_function_bodies = off"
"""PostgreSQL: a function comes back as it was, also where it refers to what is gone."""


@dataclass(frozen=True)
class Kept:
    """What the reverse of an operation needs: what it made, and what stood there before, whole."""

    label: str = ""
    definition: str = ""
    drop: str = ""
    before: tuple[str, ...] = ()

    def text(self) -> str:
        """As it is recorded."""
        return json.dumps(self.__dict__)

    @classmethod
    def read(cls, text: str) -> Kept:
        """As it was recorded; nothing where nothing was."""
        data: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
        return cls(**data | {"before": tuple(data.get("before", ()))})


class RoutineOperation(CatalogOperation):
    """An operation on one function, trigger or view, with its SQL written in the migration."""

    locks: ClassVar = ()
    reverse_locks: ClassVar = ()

    def __init__(self, *, routine: str, name: str, table: str) -> None:
        self.routine = RoutineKind(routine)
        self.name = name
        self.table = table

    @property
    def titled(self) -> str:
        """``trigger touch on orders``."""
        return f"{self.routine} {self.name}" + (f" on {self.table}" if self.table else "")

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return parse_table(self.name).table.lower()

    def locking(self) -> str:
        """What others wait for."""
        if self.routine is RoutineKind.TRIGGER:
            return (
                f"SHARE ROW EXCLUSIVE on {self.table}, or ACCESS EXCLUSIVE to drop one, briefly: writers wait"
            )
        return "nothing that others wait for"

    def locked_tables(self) -> tuple[str, ...]:
        """A trigger's table."""
        return (self.table,) if self.table else ()

    def refuse(self, what: str, hint: str, where: str = "") -> SchemaFixRefused:
        """Returns the refusal, its place being the routine."""
        return super().refuse(what, hint, where or self.titled)

    def gone(self, schema: Schema) -> bool:
        """A trigger went with its table; others have none."""
        return bool(self.table) and super().gone(schema)

    def place(self, schema: Schema) -> tuple[TableName, TableName | None]:
        """Where it is, and a trigger's table.

        Raises:
            UnknownTable: where the trigger's table is not there.
        """
        path = parse_table(self.name)
        table = schema.resolve(self.table) if self.table else None
        home = table.schema if table else schema.default_schema
        return TableName(path.schema or home, path.table), table

    def standing(self, session: Session, schema: Schema) -> list[Routine]:
        """What is there under its name: several where a function has several forms."""
        name, table = self.place(schema)
        wanted = (self.routine, _folded(name, schema), _folded(table, schema))
        return [
            each
            for each in session.engine.routines(session)
            if (each.kind, _folded(each.name, schema), _folded(each.table, schema)) == wanted
        ]

    def dropping(self, vendor: str) -> str:
        """How a script would take it away."""
        path = parse_table(self.name)
        if self.routine is RoutineKind.TRIGGER:
            on = f" ON {clauses.table(self.written_table(vendor))}" if vendor == "postgresql" else ""
            return f"DROP TRIGGER {clauses.name(path.table)}{on}"
        default = engine_for(vendor).default_schema
        full = clauses.table(TableName(path.schema or default, path.table))
        return f"DROP {self.routine.upper()} {full}"

    def home(self, schema: Schema) -> TableName:
        """Under what it is recorded."""
        name, table = self.place(schema)
        return table or name

    def keep(self, work: Alteration, home: TableName, kept: Kept, origin: Origin = Origin.MADE) -> None:
        """Records what the reverse needs; within the transaction of the change."""
        entry = Record(self.kind, home, self.titled, kept.text(), origin, work.migration)
        record(work.session, entry)

    def kept(self, work: Alteration, home: TableName) -> tuple[Kept, Origin] | None:
        """What was recorded, None where nothing was."""
        entry = recorded(work.session, self.kind, home, self.titled)
        return (Kept.read(entry.actual), entry.origin) if entry else None

    def forget(self, work: Alteration, home: TableName) -> None:
        """Removes the record; within the transaction of the reverse."""
        forget(work.session, self.kind, home, self.titled)

    def restore(self, work: Alteration, statements: tuple[str, ...]) -> None:
        """Makes again what stood before."""
        if not work.sqlite:
            work.execute(UNCHECKED)
        for statement in statements:
            work.execute(statement)


def _folded(name: TableName | None, schema: Schema) -> TableName | None:
    """SQLite compares names without regard to case."""
    if name is None or schema.vendor != "sqlite":
        return name
    return TableName(name.schema, name.name.lower())
