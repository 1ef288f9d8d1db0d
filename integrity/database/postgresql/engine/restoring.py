"""PostgreSQL: what holds rows off when they come back, and is set aside meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from integrity.database.engine.restoring import Restoring
from integrity.database.identifiers import quote, quote_table
from integrity.database.postgresql import ddl
from integrity.database.schema import ForeignKey, Schema, Table, TableKind
from integrity.database.session import Session


class PostgreSQLRestoring(Restoring):
    """Triggers, checks and foreign keys while rows are restored."""

    def insert_prefix(self, table: Table) -> str:
        """Identity values come back as they were."""
        return "OVERRIDING SYSTEM VALUE" if any(each.identity for each in table.columns) else ""

    @contextmanager
    def suppress_triggers(self, session: Session, table: Table) -> Iterator[None]:
        """DISABLE TRIGGER, one by one, each put back to how it fired before."""
        acting = [trigger for trigger in table.triggers if trigger.firing in ("origin", "always")]
        if not acting or not table.owned:
            yield
            return
        name = quote_table(table.name)
        for trigger in acting:
            session.execute(f"ALTER TABLE {name} DISABLE TRIGGER {quote(trigger.name)}")
        yield
        for trigger in acting:
            how = "ENABLE ALWAYS" if trigger.firing == "always" else "ENABLE"
            session.execute(f"ALTER TABLE {name} {how} TRIGGER {quote(trigger.name)}")

    @contextmanager
    def deferring(self, session: Session) -> Iterator[None]:
        """SET CONSTRAINTS, and back before anything is altered: a table with checks still to come
        cannot be (SQLSTATE 55006)."""
        session.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @contextmanager
    def lifted(self, session: Session, schema: Schema, keys: Sequence[ForeignKey]) -> Iterator[None]:
        """Dropped, and added again NOT VALID, in one transaction: no other sees it missing."""
        for key in keys:
            session.execute(ddl.drop_constraint(key.table, key.name).replace("%", "%%"))
        yield
        for key in keys:
            for each in unvalidated(schema, key):
                session.execute(ddl.add_foreign_key(each).replace("%", "%%"))


def unvalidated(schema: Schema, key: ForeignKey) -> list[ForeignKey]:
    """The keys by which ``key`` binds new rows only: before PostgreSQL 18 a partitioned table
    cannot have one that is NOT VALID, but each of its partitions can."""
    table = schema.table(key.table)
    major = int(schema.version.split(".")[0])
    if table.kind is TableKind.PARTITIONED and major < ddl.FIRST_WITH_UNVALIDATED_ON_PARTITIONED:
        return [replace(key, table=leaf.name) for leaf in schema.leaves(key.table)]
    return [key]
