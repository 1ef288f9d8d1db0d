"""What SQLite's error texts mean here: its result codes are not passed on."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from django.db import DatabaseError

from integrity.database.identifiers import quote
from integrity.database.room import is_full
from integrity.database.schema import ForeignKey
from integrity.database.session import Session
from integrity.database.violations import Violation, ViolationKind
from integrity.exceptions import (
    MissingPrivilege,
    NoRoom,
    ReadOnlyTarget,
    ReferentialIntegrityError,
    TargetBusy,
    TargetUnreachable,
    TimedOut,
)

_UNOPENED = (
    "Check the path and its rights. In WAL mode even a reader writes beside the file: its folder must be "
    "writable, and have room."
)
_MEANINGS: tuple[tuple[str, type[ReferentialIntegrityError], str, str], ...] = (
    (
        "is locked",
        TargetBusy,
        "The file is locked by another connection",
        "Nothing was changed. Try again when its writer is done, or raise LOCK_TIMEOUT_MS.",
    ),
    (
        "readonly database",
        ReadOnlyTarget,
        "The file or its folder cannot be written",
        "Give this user the right to write both, or open the file where it is writable.",
    ),
    ("interrupted", TimedOut, "The statement ran past its time limit", "Raise the timeout or add an index."),
    (
        "not a database",
        TargetUnreachable,
        "The file is not a SQLite database",
        "Correct NAME of this target.",
    ),
    (
        "malformed",
        TargetUnreachable,
        "The file is damaged (PRAGMA integrity_check says where)",
        "Restore it from a backup, or rescue it with .recover of the sqlite3 shell.",
    ),
    ("unable to open", TargetUnreachable, "The file cannot be opened", _UNOPENED),
    (
        "disk is full",
        NoRoom,
        "The disk is full",
        "What was under way was taken back. Make room for the file, or in the folder of temporary files "
        "(SQLITE_TMPDIR), and try again.",
    ),
    (
        "disk I/O error",
        TargetUnreachable,
        "The file cannot be read or written (disk I/O error)",
        "What was under way was taken back. See whether its disk is full, read-only or failing; then try "
        "again.",
    ),
    ("not authorized", MissingPrivilege, "SQLite refused the statement", "Use a build that allows it."),
)


def meaning(text: str, target: str) -> ReferentialIntegrityError | None:
    """Returns an error in this product's words, or None where only a programmer can act."""
    for part, kind, what, hint in _MEANINGS:
        if part in text:
            return kind(what, where=target, hint=hint)
    return None


_NOT_SAID = ("disk I/O error", "unable to open")
"""What SQLite also says where a file beside the database (journal, WAL, its index) finds no room."""


def room_is_missing(text: str, file: Path | None, target: str) -> NoRoom | None:
    """Returns the error where SQLite's words hide that the disk is full, else None."""
    if file is None or not any(part in text for part in _NOT_SAID):
        return None
    full = [folder for folder in (file.parent, Path(tempfile.gettempdir())) if is_full(folder)]
    if not full:
        return None
    return NoRoom(
        "The disk is full",
        where=f"{target}, {full[0]}",
        hint="What was under way was taken back. Make room there and try again.",
    )


def mismatch(session: Session, key: ForeignKey) -> str:
    """Returns SQLite's words where what a key refers to is not unique, or not there, else nothing.

    Compiling a check of the table shows it (SQLite manual, "Foreign Key Support" 3).
    """
    try:
        session.rows(f"EXPLAIN PRAGMA foreign_key_check({quote(key.table.name)})")
    except DatabaseError as error:
        if f'referencing "{key.referenced_table.name}"'.lower() in str(error).lower():
            return str(error)
    return ""


_FAILED = re.compile(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (?P<what>.*))?", re.DOTALL)
_FAILED_KINDS = {
    "UNIQUE": ViolationKind.UNIQUE,
    "NOT NULL": ViolationKind.NOT_NULL,
    "CHECK": ViolationKind.CHECK,
    "FOREIGN KEY": ViolationKind.FOREIGN_KEY,
}
_DJANGO_CHECKED = re.compile(
    r"The row in table '(.+?)' with primary key .* has an invalid foreign key: (\S+) ", re.DOTALL
)


def violation(text: str) -> Violation:
    """Returns which constraint a text is about: SQLite names columns or a CHECK, and no foreign key
    (``sqlite3UniqueConstraint`` in ``insert.c``); Django names the row's, when it looks itself.

    What a trigger raises is its own words, and may hold values: nothing of it is passed on.
    """
    if checked := _DJANGO_CHECKED.search(text):
        table, own = checked.groups()
        return Violation(ViolationKind.FOREIGN_KEY, table, own.rpartition(".")[2])
    failed = _FAILED.match(text)
    if failed is None:
        return Violation(ViolationKind.OTHER)
    kind, what = _FAILED_KINDS[failed[1]], (failed["what"] or "").strip()
    if kind in (ViolationKind.CHECK, ViolationKind.FOREIGN_KEY):
        return Violation(kind, "", what)
    if index := re.fullmatch(r"index '(.+)'", what):
        return Violation(kind, "", index[1])
    columns = [each.strip().rpartition(".") for each in what.split(", ")]
    return Violation(kind, columns[0][0], ",".join(name for _, _, name in columns))
