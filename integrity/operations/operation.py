"""What all operations of a target catalog have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from integrity import conf
from integrity.database.identifiers import TableName, parse_table
from integrity.database.locks import Lock
from integrity.database.postgresql import ddl
from integrity.database.schema import Schema
from integrity.database.session import Session, engine_for
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration, refusing
from integrity.operations.check import Check
from integrity.operations.record import Origin, Record, forget, record, recorded


class CatalogOperation(Operation):
    """An operation with literal arguments that looks before it acts and may run twice.

    It changes nothing in Django's state: tables of targets are not the site's models.
    """

    reduces_to_sql = True
    reversible = True
    atomic = False
    kind: ClassVar[str]
    restores_rows: ClassVar[bool] = False
    """Whether its reverse brings rows back that break a rule, and proves that itself."""
    locks: ClassVar[tuple[Lock, ...]] = (Lock.ACCESS_EXCLUSIVE,)
    """What it takes of its tables on PostgreSQL when it is applied; empty where it waits for itself."""
    reverse_locks: ClassVar[tuple[Lock, ...]] = (Lock.ACCESS_EXCLUSIVE,)
    table: str
    name: str

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Makes the object, unless it stands already."""
        if schema_editor.collect_sql:
            _show(schema_editor, self.shown(schema_editor))
            return
        with refusing(self.describe(), schema_editor.connection.alias):
            self.make(Alteration.by(schema_editor))

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Takes away what the operation made; what it adopted stays."""
        if schema_editor.collect_sql:
            _show(schema_editor, self.reverse_shown(schema_editor))
            return
        with refusing(f"Reversing {self.describe()!r}", schema_editor.connection.alias):
            work = Alteration.by(schema_editor)
            if not self.gone(work.look_ahead()):
                self.unmake(work)

    def locked_tables(self) -> tuple[str, ...]:
        """Returns the tables that it locks, as the migration writes them."""
        return (self.table,)

    def locking(self) -> str:
        """What it locks on PostgreSQL, and what that keeps others from doing; empty where its kind says so
        (:func:`integrity.operations.schema_fix.locks`)."""
        return ""

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """Yields what must hold before it can be applied, looked at without changing anything.

        Raises:
            SchemaFixRefused, UnknownTable: for what must not be; that check failed.
        """
        return iter(())

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """Yields what must hold when it was applied."""
        return iter(())

    def statements(self, vendor: str) -> list[str]:
        """Returns the statements as a script would have them, without a look at any database."""
        raise NotImplementedError

    def reverse_statements(self, vendor: str) -> list[str]:
        """Returns the statements of the reverse."""
        raise NotImplementedError

    def shown(self, editor: BaseDatabaseSchemaEditor) -> list[str]:
        """Returns the statements for one target, where a driver of its vendor has others."""
        return self.statements(editor.connection.vendor)

    def reverse_shown(self, editor: BaseDatabaseSchemaEditor) -> list[str]:
        """Returns the statements of the reverse for one target."""
        return self.reverse_statements(editor.connection.vendor)

    def make(self, work: Alteration) -> None:
        """Makes the object in a target, or adopts it."""
        raise NotImplementedError

    def unmake(self, work: Alteration) -> None:
        """Takes back what :meth:`make` did."""
        raise NotImplementedError

    def gone(self, schema: Schema) -> bool:
        """Whether the table was dropped since, and the object with it."""
        path = parse_table(self.table)
        return not any(each.name.name == path.table for each in schema)

    def written_table(self, vendor: str, table: str = "") -> TableName:
        """Returns the table as the migration writes it, for statements that are only shown."""
        path = parse_table(table or self.table)
        return TableName(path.schema or engine_for(vendor).default_schema, path.table)

    def adopt(self, work: Alteration, table: TableName, actual: str) -> None:
        """Records that the object stood already, unless it is recorded how it came to be."""
        if recorded(work.session, self.kind, table, self.name) is None:
            entry = Record(self.kind, table, self.name, actual, Origin.ADOPTED, work.migration)
            work.within_bounds(lambda: record(work.session, entry))

    def made(self, work: Alteration, table: TableName) -> None:
        """Records that the migration made the object; within the transaction that does."""
        record(work.session, Record(self.kind, table, self.name, self.name, Origin.MADE, work.migration))

    def adopted(self, work: Alteration, table: TableName) -> bool:
        """Whether the object is somebody else's; forgets it in that case."""
        entry = recorded(work.session, self.kind, table, self.name)
        if entry is None or entry.origin is not Origin.ADOPTED:
            return False
        work.within_bounds(lambda: self.forgotten(work, table))
        return True

    def forgotten(self, work: Alteration, table: TableName) -> None:
        """Removes the record; within the transaction that takes the object away."""
        forget(work.session, self.kind, table, self.name)

    def refuse(self, what: str, hint: str, where: str = "") -> SchemaFixRefused:
        """Returns the refusal, its place being this operation's table and name."""
        return SchemaFixRefused(what, where=where or f"{self.table}, {self.name}", hint=hint)

    def arguments(self) -> dict[str, Any]:
        """Returns the arguments that it was made with, in the order of its signature."""
        return dict(self._constructor_args[1])  # type: ignore[attr-defined]


def bounded(statements: list[str], vendor: str) -> list[str]:
    """Returns statements as a script would have them: one transaction, its locks bounded."""
    if vendor == "sqlite":
        return ["BEGIN IMMEDIATE", *statements, "COMMIT"]
    return ["BEGIN", *ddl.bounds(conf.lock_timeout_ms()), *statements, "COMMIT"]


def _show(editor: BaseDatabaseSchemaEditor, statements: list[str]) -> None:
    for statement in statements:
        editor.execute(statement, None)
