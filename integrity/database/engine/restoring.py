"""What holds rows off when they come back, and is set aside meanwhile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from integrity.database.schema import ForeignKey, Schema, Table
from integrity.database.session import Session


class Restoring(ABC):
    """Triggers, checks and foreign keys while rows are restored."""

    @abstractmethod
    def insert_prefix(self, table: Table) -> str:
        """What stands between the column list and the values when identity values are given."""

    @abstractmethod
    def suppress_triggers(self, session: Session, table: Table) -> AbstractContextManager[None]:
        """Keeps users' triggers of a table from acting while rows are restored."""

    @contextmanager
    def deferring(self, session: Session) -> Iterator[None]:
        """Checks that may wait, wait until this is left: rows that refer to one another come together."""
        yield

    @abstractmethod
    def lifted(
        self, session: Session, schema: Schema, keys: Sequence[ForeignKey]
    ) -> AbstractContextManager[None]:
        """Lifts foreign keys while rows come back as orphans; afterwards they bind new rows only.
        Within one transaction."""
