"""Audits scripts, against a target where one is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from integrity.database.routines import Routine
from integrity.database.session import Target
from integrity.exceptions import NotCheckable
from integrity.references.catalog import load_catalog

if TYPE_CHECKING:
    from integrity.scripts.auditing import ScriptAudit
    from integrity.scripts.checks.base import LiveTarget


def audit_scripts(
    paths: Sequence[Path],
    *,
    target: str = "",
    catalog_file: Path | None = None,
    dialect: str = "",
    ignore_file: Path | None = None,
    on_read: Callable[[int, int, str], None] | None = None,
) -> ScriptAudit:
    """Returns what is wrong with scripts and with the SQL of sources.

    Args:
        paths: files and folders.
        target: the alias of a database with which definitions are compared, and whose catalog decides.
        catalog_file: a catalog lent for this run; it may be given without a target.
        dialect: ``postgresql``, ``sqlite`` or ``shared`` for all of them (default: as each says).
        ignore_file: findings to ignore (default: the ``.integrity-scripts`` nearest above the first path).
        on_read: told how many files are read of how many, and which.

    Raises:
        NotCheckable: without the extra that reads scripts.
        ScriptsUnreadable: one of the paths is not there.
        IgnoreFileError: the ignore file has a mistake.
    """
    try:
        from integrity.scripts import auditing, statement  # noqa: PLC0415 - the extra may be missing
    except ImportError as error:
        raise NotCheckable(
            f"Scripts cannot be read: the package {error.name} is not installed",
            hint='Install the extra: pip install "django-referential-integrity[scripts]".',
        ) from error
    with live_target(target) as live:
        return auditing.audit_scripts(
            paths,
            dialect=statement.Dialect(dialect) if dialect else None,
            ignore_file=ignore_file,
            catalog=load_catalog(target, catalog_file) if target or catalog_file else None,
            live=live,
            on_read=on_read,
        )


@contextmanager
def live_target(alias: str) -> Iterator[LiveTarget | None]:
    """Opens a target to hold scripts against, as it is at one moment; without an alias, there is none."""
    if not alias:
        yield None
        return
    from integrity.scripts.checks.base import LiveTarget  # noqa: PLC0415 - the extra may be missing

    with Target(alias).reading() as session:
        engine = session.engine
        schema, names = session.schema(), engine.function_names(session)
        routines = tuple(engine.routines(session))

        def differs(routine: Routine, create: str) -> bool:
            with session.look():
                return engine.routine_differs(session, routine, create)

        yield LiveTarget(alias, schema.vendor, schema, names, routines, differs)
