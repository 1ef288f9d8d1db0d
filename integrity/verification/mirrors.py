"""Is every column that repeats a table gone, and does its view answer?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from django.db import DatabaseError

from integrity.database.identifiers import quote_table
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.detectors.finding import Finding, Severity
from integrity.exceptions import MissingPrivilege, ReferentialIntegrityError
from integrity.operations.removed_columns import remembered
from integrity.references.catalog import Catalog
from integrity.references.mirror import Mirror, known_mirrors
from integrity.references.reference import Reference, written


def mirror_problems(
    session: Session, schema: Schema, catalog: Catalog, references: Sequence[Reference]
) -> Iterator[Finding]:
    """Yields what is not as the catalog's ``[[mirror]]`` entries want it.

    A column that is still there is a warning: its migrations come last. One that is there again after a
    migration removed it is an error, and so is a view that does not answer.

    Raises:
        CatalogError: for a name that the target does not have.
    """
    for mirror in known_mirrors(schema, catalog, references):
        there = schema.table(mirror.table).has_columns((mirror.column,))
        if there:
            yield _still_there(session, mirror)
        if mirror.view is not None:
            yield from _view(session, schema, mirror, needed=not there)


def _still_there(session: Session, mirror: Mirror) -> Finding:
    again = _was_removed(session, mirror)
    said = "is there again, though a migration removed it" if again else "still repeats"
    return _finding(
        mirror,
        "mirror_column",
        Severity.ERROR if again else Severity.WARNING,
        f"{mirror.label} {said}" + ("" if again else f" {mirror.reference.label}"),
        f"manage.py integrity_diagnose {session.target} --column {quote(mirror.label)}"
        if again
        else f"manage.py integrity_makemigrations {session.target}, then integrity_migrate {session.target}",
    )


def _was_removed(session: Session, mirror: Mirror) -> bool:
    """Whether a migration removed the column; a role that may not read the journal cannot know."""
    try:
        with session.look():
            removed = remembered(session, mirror.table, mirror.column)
    except MissingPrivilege:
        return False
    return removed is not None and not removed.returning


def _view(session: Session, schema: Schema, mirror: Mirror, *, needed: bool) -> Iterator[Finding]:
    assert mirror.view is not None
    name = written(mirror.view)
    if not schema.knows(mirror.view):
        if needed:
            what = f"The view {name}, by which old readers read {mirror.label}, is missing"
            yield _finding(mirror, "mirror_view", Severity.ERROR, what, "Reverse its migration and apply it.")
        return
    try:
        with session.look():
            session.rows(f"SELECT * FROM {quote_table(mirror.view)} LIMIT 1")
    except (ReferentialIntegrityError, DatabaseError) as error:
        if not session.connection.is_usable():
            raise
        said = str(error).strip().splitlines()[0]
        yield _finding(
            mirror,
            "mirror_view",
            Severity.ERROR,
            f"The view {name} does not answer: {said}",
            "Make it again.",
        )


def _finding(mirror: Mirror, code: str, severity: Severity, message: str, suggestion: str) -> Finding:
    return Finding(
        code=code,
        severity=severity,
        table=mirror.table,
        columns=(mirror.column,),
        source="catalog",
        object=written(mirror.view) if mirror.view else "",
        message=message,
        suggestion=suggestion,
    )
