"""SQLite: what holds rows off when they come back, and is set aside meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from integrity.database.engine.restoring import Restoring
from integrity.database.identifiers import quote
from integrity.database.schema import ForeignKey, Schema, Table
from integrity.database.session import Session


class SQLiteRestoring(Restoring):
    """Triggers, checks and foreign keys while rows are restored."""

    def insert_prefix(self, table: Table) -> str:
        """Nothing: any rowid may be given."""
        return ""

    @contextmanager
    def suppress_triggers(self, session: Session, table: Table) -> Iterator[None]:
        """Dropped and made again within the same transaction: SQLite cannot disable one."""
        for trigger in table.triggers:
            session.execute(f"DROP TRIGGER {quote(trigger.name)}")
        yield
        for trigger in table.triggers:
            session.execute(trigger.definition.replace("%", "%%"))

    @contextmanager
    def lifted(self, session: Session, schema: Schema, keys: Sequence[ForeignKey]) -> Iterator[None]:
        """Nothing: our connection has enforcement off, and a key of SQLite never says of old rows
        that they hold."""
        yield
