"""libSQL as an engine: SQLite's, but for what the driver cannot do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from integrity.database.access import Work
from integrity.database.engine import Digest
from integrity.database.libsql import base, digests
from integrity.database.room import removed_when_failed
from integrity.database.schema import Schema, Table
from integrity.database.session import Session, Target
from integrity.database.sqlite import plans
from integrity.database.sqlite.engine import SQLiteEngine
from integrity.database.sqlite.engine.opening import database_file, overdue
from integrity.exceptions import BackupFailed, TargetUnreachable

_OF_REPLICAS = ("-info", "-client_wal_index")
"""What libSQL puts beside a file that it keeps in step with a service."""

STEPS = "SELECT sum(nstep) FROM sqlite_stmt WHERE sql = %s"
"""The statements of this connection, and how many instructions each has run (SQLite manual,
"The SQLITE_STMT Virtual Table")."""


class LibSQLEngine(SQLiteEngine):
    """A local libSQL file, by the package ``libsql``."""

    # -- opening ---------------------------------------------------------------------------

    def check_exists(self, target: Target) -> None:
        """libSQL would make an empty file of any name; a copy that is kept in step with a service would be
        out of step with the first change made here."""
        if base.is_remote(target.settings["NAME"]):
            raise TargetUnreachable(base.REMOTE, where=target.alias, hint=base.REMOTE_HINT)
        super().check_exists(target)
        file = database_file(target)
        if file is not None and any(Path(f"{file}{end}").exists() for end in _OF_REPLICAS):
            raise TargetUnreachable(
                f"{file} is a replica of a database of Turso's service, or was one",
                where=target.alias,
                hint="Work on a copy of it: open it by libSQL and run VACUUM INTO. docs/libsql.md says more.",
            )

    @contextmanager
    def opening_errors(self, target: Target) -> Iterator[None]:
        """A missing driver is a target that cannot be opened, and so is one with an option of a service's."""
        try:
            with super().opening_errors(target):
                yield
        except ImproperlyConfigured as error:
            missing = str(error) == base.MISSING
            hint = "Install it where this runs, and try again." if missing else base.REMOTE_HINT
            raise TargetUnreachable(str(error), where=target.alias, hint=hint) from error

    def adapt(self, session: Session, raw: Any) -> None:
        """The driver cannot be interrupted: the clock is looked at whenever rows are fetched."""
        raw.overdue = lambda: overdue(session)

    # -- structure -------------------------------------------------------------------------

    def introspect(self, session: Session) -> Schema:
        """SQLite's, with the name of what reads it."""
        schema = super().introspect(session)
        return replace(schema, version=f"{schema.version} (libSQL)")

    # -- verification ----------------------------------------------------------------------

    def work(self, session: Session, sql: str, params: Sequence[Any]) -> Work:
        """By the driver's own count of the virtual machine's instructions."""
        plan = tuple(str(row[3]) for row in session.rows(plans.EXPLAIN + sql, params))
        with self.errors(session), self.streaming_cursor(session) as cursor:
            cursor.execute(sql, tuple(params))
            rows = sum(1 for _ in cursor)
            steps = session.value(STEPS, [cursor.cursor.sent])
        return Work(rows, tuple(plans.accesses(session, sql, params)), plan, steps=steps)

    # -- rows ------------------------------------------------------------------------------

    def digest(self, session: Session, table: Table) -> Digest:
        """Computed here: the driver knows no functions of ours."""
        return digests.digest(session, table)

    # -- backup ----------------------------------------------------------------------------

    def backup(self, target: Target, folder: Path) -> Path:
        """``VACUUM INTO``: one moment, while others write; rowids stay (SQLite manual, "VACUUM" 3)."""
        file = folder / f"{target.alias}-{time.strftime('%Y%m%d-%H%M%S')}.sqlite3"
        if file.exists():
            raise BackupFailed("There is a backup of this second already", where=str(file), hint="Try again.")
        with target.changing() as session, removed_when_failed(file):
            session.execute("VACUUM INTO %s", [str(file)])
        return file
