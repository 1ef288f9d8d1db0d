"""Drops an index that another makes redundant."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.identifiers import TableName
from integrity.database.locks import Lock
from integrity.database.postgresql import ddl
from integrity.database.schema import Index, Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import ddl as sqlite_ddl
from integrity.operations import concurrently
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Verdict
from integrity.operations.operation import CatalogOperation, bounded
from integrity.operations.record import recorded
from integrity.references.reference import written


class RemoveIndex(CatalogOperation):
    """Drops an index that does nothing which another does not do; re-entrant, reversible.

    PostgreSQL drops and builds it CONCURRENTLY. It stops where the other one is not there or not usable,
    where the index is not the one that was meant, and where a constraint or a foreign key needs it. The
    reverse builds it by the same definition; where it was gone already, nothing.

    Args:
        table: the table as it is written in catalogs: ``orders``, ``auth.users``.
        name: what the index is called.
        definition: its CREATE INDEX, as the database keeps it.
        covered_by: the index that does the same, or more.
    """

    kind = "redundant_index"
    locks = (Lock.CONCURRENTLY,)
    reverse_locks = (Lock.CONCURRENTLY,)

    def __init__(self, *, table: str, name: str, definition: str, covered_by: str) -> None:
        self.table = table
        self.name = name
        self.definition = definition
        self.covered_by = covered_by

    def describe(self) -> str:
        """One line."""
        return f"Drop index {self.name} of {self.table}, which {self.covered_by} makes redundant"

    @property
    def migration_name_fragment(self) -> str:
        """What is done."""
        return f"drop_{self.name}"

    def statements(self, vendor: str) -> list[str]:
        """The index taken away."""
        if vendor == "sqlite":
            return bounded([sqlite_ddl.drop_index(self.name)], vendor)
        return [ddl.drop_index(self.written_table(vendor).schema, self.name)]

    def reverse_statements(self, vendor: str) -> list[str]:
        """The index as it was."""
        if vendor == "sqlite":
            return bounded([self.definition], vendor)
        return [ddl.concurrent(self.definition)]

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """Nothing needs it that the other one does not do; that one may be made by an earlier migration."""
        table = schema.table(schema.resolve(self.table))
        index = table.index(self.name)
        subject = f"{written(table.name)}, {self.name}"
        if index is None:
            yield Check("redundant index", subject, message="it is gone already")
            return
        self._refuse_needed(table, index)
        lacking = self._lacking(table, index)
        verdict = Verdict.NOTED if lacking else Verdict.PASSED
        yield Check("redundant index", subject, verdict, lacking or f"{self.covered_by} does what it does")

    def make(self, work: Alteration) -> None:
        """Drops it, unless it is gone."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        index = table.index(self.name)
        if index is None:
            self.adopt(work, table.name, "")
            return
        self._refuse_needed(table, index)
        if lacking := self._lacking(table, index):
            raise self.refuse(
                lacking, "It was left as it is. Apply the migration that makes the other one first."
            )
        if work.sqlite:
            work.within_bounds(lambda: self._run(work, sqlite_ddl.drop_index(self.name), table.name))
            return
        work.within_bounds(lambda: self.made(work, table.name))
        concurrently.drop_index(work, table.name.schema, self.name)

    def _refuse_needed(self, table: Table, index: Index) -> None:
        if index.needed_by:
            raise self.refuse(f"{index.needed_by} needs the index {self.name}", "It was left as it is.")
        if _plain(index.definition) != _plain(self.definition):
            raise self.refuse(
                f"The index {self.name} on {written(table.name)} is another one: {index.definition}",
                "It was left as it is. Look again: integrity_makemigrations --drop-redundant.",
            )

    def _lacking(self, table: Table, index: Index) -> str:
        """Says in which way the other one does not do what this one does."""
        other = table.index(self.covered_by)
        if other is None or not other.valid:
            return (
                f"{self.covered_by} does not stand on {written(table.name)}, so {self.name} is not redundant"
            )
        if not (other.terms[: len(index.terms)] == index.terms and other.where == index.where):
            return f"{self.covered_by} does not do what {self.name} does"
        return ""

    def unmake(self, work: Alteration) -> None:
        """Builds it again as it was."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if self.adopted(work, table.name):
            return
        if recorded(work.session, self.kind, table.name, self.name) is None:
            return
        self._refuse_another(schema, table)
        if table.index(self.name) is None or not work.sqlite:
            self._build(work, table)
        work.within_bounds(lambda: self.forgotten(work, table.name))

    def _build(self, work: Alteration, table: Table) -> None:
        if work.sqlite:
            work.within_bounds(lambda: work.execute(self.definition))
        else:
            concurrently.build(work, table, self.name, ddl.concurrent(self.definition))

    def _refuse_another(self, schema: Schema, table: Table) -> None:
        named = concurrently.named(schema, self.name, table.name.schema)
        if named is not None and named.valid and _plain(named.definition) != _plain(self.definition):
            raise self.refuse(
                f"There is another index {self.name}: {named.definition}",
                "Drop or rename it, and reverse the migration again.",
            )

    def _run(self, work: Alteration, sql: str, table: TableName) -> None:
        work.execute(sql)
        self.made(work, table)


def _plain(definition: str) -> str:
    """A definition without the spaces that its writer chose."""
    return " ".join(definition.split())
