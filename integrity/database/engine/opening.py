"""How a target is opened: connections, transactions, time limits, and what an error means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from integrity.database.session import Session, Target
from integrity.exceptions import ReferentialIntegrityError


class Opening(ABC):
    """Connections, transactions, time limits, errors."""

    vendor: str
    default_schema: str

    @abstractmethod
    def check_exists(self, target: Target) -> None:
        """Raises TargetUnreachable for what opening would silently create."""

    @abstractmethod
    def prepare(self, connection: BaseDatabaseWrapper) -> None:
        """Adapts the settings of a connection that is not open yet."""

    @abstractmethod
    def opened(self, session: Session) -> None:
        """Adapts a connection that was just opened."""

    def hurry(self, connection: BaseDatabaseWrapper, seconds: int) -> None:
        """Bounds how long opening a connection may take, where there is anything to wait for."""
        return

    def check_session(self, target: Target) -> None:
        """Raises where Django's own connection would set what a pooler gives to the next client."""
        return

    def pooled(self, session: Session) -> bool:
        """Whether a pooler stands between us and the server, so that a session may be another's next."""
        return False

    @abstractmethod
    def begin_reading(self, session: Session) -> None:
        """Begins the transaction in which everything is read."""

    @abstractmethod
    def begin_changing(self, session: Session) -> None:
        """Begins a transaction that changes rows, its timeouts set."""

    def wait_briefly(self, session: Session) -> None:
        """Within a transaction: from here on a lock is waited for no longer than a migration waits."""
        return

    @abstractmethod
    def hasten(self, session: Session, statement_timeout_ms: int) -> None:
        """Within a reading: from here on a statement may take so long."""

    @abstractmethod
    def look(self, session: Session) -> AbstractContextManager[None]:
        """One check within a reading; a failure inside leaves the reading usable."""

    @abstractmethod
    def one_moment(self, session: Session) -> bool:
        """Whether everything that this reading saw so far belongs to one moment."""

    @abstractmethod
    def rollback(self, session: Session) -> None:
        """Ends the transaction without keeping anything; never raises."""

    @abstractmethod
    def streaming_cursor(self, session: Session) -> AbstractContextManager[Any]:
        """A cursor that does not fetch everything at once."""

    @abstractmethod
    def translate(
        self, error: DatabaseError | InterfaceError, session: Session
    ) -> ReferentialIntegrityError | None:
        """Returns what a database error means in this product's words, or None."""

    @abstractmethod
    def opening_error(self, error: Exception, target: Target) -> ReferentialIntegrityError:
        """Returns why a target could not be opened."""

    @contextmanager
    def errors(self, session: Session) -> Iterator[None]:
        """Turns the database errors that a user can act on into ours."""
        try:
            yield
        except (DatabaseError, InterfaceError) as error:
            meaning = self.translate(error, session)
            if meaning is None:
                raise
            raise meaning from error

    @contextmanager
    def opening_errors(self, target: Target) -> Iterator[None]:
        """Turns whatever keeps a target from being opened into ours."""
        try:
            yield
        except ReferentialIntegrityError:
            raise
        except (DatabaseError, OSError) as error:
            raise self.opening_error(error, target) from error
