"""Audits scripts, against a target where one is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from integrity.database.session import Target
from integrity.exceptions import NotCheckable
from integrity.operations.run_script import functions_of
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
    return auditing.audit_scripts(
        paths,
        dialect=statement.Dialect(dialect) if dialect else None,
        ignore_file=ignore_file,
        catalog=load_catalog(target, catalog_file) if target or catalog_file else None,
        live=live_target(target) if target else None,
        on_read=on_read,
    )


def live_target(alias: str) -> LiveTarget:
    """Returns a target as it is now, to hold scripts against."""
    from integrity.scripts.checks.base import LiveTarget  # noqa: PLC0415 - the extra may be missing

    with Target(alias).reading() as session:
        schema, functions = session.schema(), functions_of(session)
    return LiveTarget(alias, schema.vendor, schema, None if functions is None else frozenset(functions))
