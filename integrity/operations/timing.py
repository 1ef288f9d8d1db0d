"""How long each operation of a migration takes, and the whole of what stopped it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation

from integrity.database.identifiers import shown

LONGEST_STATEMENT = 20_000
"""Characters of a statement that are kept; the migration's file has the rest."""

MOST_STATEMENTS = 200
"""Statements of a migration that are kept; a repair sends thousands that are alike."""

_LOOKS = re.compile(
    r"\s*(SELECT|WITH|SHOW|BEGIN|COMMIT|SET LOCAL|EXPLAIN|SAVEPOINT|RELEASE"
    r"|PRAGMA (?!writable_schema|schema_version))",
    re.IGNORECASE,
)

_OWN = re.compile(r"integrity_journal|\bintegrity_(violations|keys|bump)\b|\bdjango_migrations\b")
"""What is written for ourselves beside what a migration does."""


@dataclass(frozen=True)
class OperationEvent:
    """One operation that was carried out or failed; ``error`` is everything that was said, cause after
    cause, and ``statement`` the one that the database refused, without its values. ``kind`` and ``table``
    tell operations that take their time for the same reason."""

    operation: str
    seconds: float
    error: str = ""
    statement: str = ""
    kind: str = ""
    table: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return asdict(self) | {"seconds": round(self.seconds, 4)}


OnOperation = Callable[[str, OperationEvent | None], None]
"""Told an operation when it begins, and with what it came to when it ended."""


@dataclass
class Stopwatch:
    """Takes the time of each operation of one migration, and keeps what was sent, without values."""

    connection: BaseDatabaseWrapper
    on_operation: OnOperation = lambda operation, event: None
    events: list[OperationEvent] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    refused: str = ""
    """The statement that the database refused last."""

    @contextmanager
    def watching(self, migration: Migration) -> Iterator[None]:
        """Watches the operations of a migration, and the statements on its connection."""
        own = list(migration.operations)
        migration.operations = [_Watched(each, self) for each in own]  # type: ignore[misc]
        try:
            with self.connection.execute_wrapper(self._executing):
                yield
        finally:
            migration.operations = own  # type: ignore[misc]

    @contextmanager
    def timing(self, operation: Operation) -> Iterator[None]:
        """Takes the time of one operation."""
        began, self.refused = time.monotonic(), ""
        self.on_operation(operation.describe(), None)
        try:
            yield
        except BaseException as error:
            self._ended(operation, began, whole(error), self.refused)
            raise
        self._ended(operation, began)

    def _ended(self, operation: Operation, began: float, error: str = "", statement: str = "") -> None:
        seconds = time.monotonic() - began
        kind, table = (str(getattr(operation, name, "")) for name in ("kind", "table"))
        event = OperationEvent(operation.describe(), seconds, error, statement, kind, table)
        self.events.append(event)
        self.on_operation(event.operation, event)

    def _executing(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self._keep(str(sql) if params is None else shown(str(sql)))
        try:
            return execute(sql, params, many, context)
        except Exception:
            self.refused = str(sql)[:LONGEST_STATEMENT]
            raise

    def _keep(self, sql: str) -> None:
        """Of what changes something that is not ours: the first of many that are alike."""
        text = sql.strip()[:LONGEST_STATEMENT]
        known = _LOOKS.match(text) or _OWN.search(text) or text in self.statements[-3:]
        if not known and len(self.statements) < MOST_STATEMENTS:
            self.statements.append(text)


class _Watched:
    """An operation whose time is taken; anything else is the operation's own."""

    def __init__(self, operation: Operation, watch: Stopwatch) -> None:
        self._operation = operation
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operation, name)

    def database_forwards(self, *args: Any) -> None:
        """Applies it."""
        with self._watch.timing(self._operation):
            self._operation.database_forwards(*args)

    def database_backwards(self, *args: Any) -> None:
        """Reverses it."""
        with self._watch.timing(self._operation):
            self._operation.database_backwards(*args)


def whole(error: BaseException) -> str:
    """Returns everything that an error and its causes say, the outermost first, nothing twice."""
    said: list[str] = []
    each: BaseException | None = error
    while each is not None:
        text = str(each).strip() or type(each).__name__
        if not any(text in before for before in said):
            said.append(text)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return "\n".join(said)
