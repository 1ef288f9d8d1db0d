"""What an operation works with: the schema editor of its migration, a session, and bounded locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.exceptions import MigrationSchemaMissing

from integrity import conf
from integrity.database.postgresql import ddl
from integrity.database.schema import Schema
from integrity.database.session import Session, Target, engine_for
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused


@dataclass(frozen=True)
class Alteration:
    """One operation at work on one target; every change of structure goes through the editor."""

    editor: BaseDatabaseSchemaEditor
    session: Session
    migration: str = ""
    _seen: list[Schema] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def by(cls, editor: BaseDatabaseSchemaEditor) -> Alteration:
        """Returns the alteration that works through ``editor``."""
        connection = editor.connection
        engine = engine_for(connection.vendor, connection.alias)
        session = Session(Target(connection.alias), connection, engine)
        return cls(editor, session, getattr(editor, "integrity_migration", ""))

    @property
    def alias(self) -> str:
        """The target's alias."""
        return self.session.target.alias

    @property
    def sqlite(self) -> bool:
        """Whether the target is a SQLite file."""
        return self.session.engine.vendor == "sqlite"

    def look(self) -> Schema:
        """Reads the structure as it is now."""
        return self._seen.pop() if self._seen else self.session.schema()

    def look_ahead(self) -> Schema:
        """Reads the structure for a first decision; the next look takes it too, unless something happened."""
        self._seen[:] = [self.look()]
        return self._seen[0]

    def execute(self, sql: str) -> None:
        """Sends one statement without parameters."""
        self._seen.clear()
        self.editor.execute(sql, None)

    def within_bounds(self, work: Callable[[], Any]) -> None:
        """Runs ``work`` in one transaction whose locks are waited for only briefly, and again while
        they are not granted.

        Raises:
            TargetBusy: when they were not granted in any attempt.
        """

        def once() -> None:
            self._seen.clear()
            with self.session.engine.errors(self.session), self._transaction():
                work()

        self.session.retrying(once)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with immediate(self.session.connection), transaction.atomic(using=self.alias):
            if not self.sqlite:
                for statement in ddl.bounds(conf.lock_timeout_ms()):
                    self.execute(statement)
            yield

    def outside_transactions(self, doing: str) -> None:
        """Refuses within a transaction what cannot run in one.

        Raises:
            SchemaFixRefused: with the way out.
        """
        if self.session.connection.in_atomic_block:
            raise SchemaFixRefused(
                f"{doing} cannot run within a transaction",
                where=self.alias,
                hint="Let the migration subclass CatalogMigration and keep atomic = False.",
            )


@contextmanager
def immediate(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lets SQLite's transactions take the write lock at their beginning; nothing on other engines."""
    if connection.vendor != "sqlite":
        yield
        return
    before: str | None = getattr(connection, "transaction_mode", None)
    connection.transaction_mode = "IMMEDIATE"  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.transaction_mode = before  # type: ignore[attr-defined]


@contextmanager
def refusing(doing: str, alias: str) -> Iterator[None]:
    """Turns what a database says against a statement into our own refusal."""
    try:
        yield
    except ReferentialIntegrityError:
        raise
    except DatabaseError as error:
        raise refused(f"{doing}: {error}", alias) from error


def refused(text: str, alias: str) -> SchemaFixRefused:
    """Returns the refusal for what a database says: its first line, for the rest may show values."""
    line = next(iter(text.strip().splitlines()), "The database refused it")
    return SchemaFixRefused(
        line.rstrip("."),
        where=alias,
        hint="This step changed nothing, those before it stand. Correct that and run it again.",
    )


@contextmanager
def in_our_words(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Turns what a database says against a migration, or against its ledger, into our own errors."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        inner = error.__context__ if isinstance(error, MigrationSchemaMissing) else None
        cause = inner if isinstance(inner, DatabaseError) else error
        engine = engine_for(connection.vendor, connection.alias)
        meaning = engine.translate(cause, Session(Target(connection.alias), connection, engine))
        raise meaning or refused(str(error), connection.alias) from error
