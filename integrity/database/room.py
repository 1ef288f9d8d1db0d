"""Whether a disk is full, where an error does not say so in words that can be relied on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import DatabaseError

from integrity.exceptions import BackupFailed, NoRoom

LEAST_BYTES = 64 * 1024
"""With less than this nothing can be written that is worth it: a few pages of a database."""


def is_full(folder: Path) -> bool:
    """Whether the disk under a folder has no room left; one that cannot be asked counts as not full."""
    try:
        return shutil.disk_usage(folder).free < LEAST_BYTES
    except OSError:
        return False


@contextmanager
def removed_when_failed(*files: Path) -> Iterator[None]:
    """A backup that is written within: what is not whole is not left, whatever ends it.

    Args:
        files: the backup, and what is written beside it.

    Raises:
        BackupFailed: with the reason.
    """
    try:
        yield
    except BaseException as error:
        full = _says_full(error) or is_full(files[0].parent)
        for file in files:
            file.unlink(missing_ok=True)
        if not isinstance(error, (DatabaseError, sqlite3.Error, OSError, NoRoom)):
            raise
        why = error.what if isinstance(error, NoRoom) else error
        raise BackupFailed(f"The backup failed: {why}", where=str(files[0]), hint=advice(full)) from error


def _says_full(error: BaseException) -> bool:
    """SQLite gives back what it took of the disk before anybody can look."""
    return isinstance(error, NoRoom) or "disk is full" in str(error)


def advice(full: bool, otherwise: str = "See whether that folder can be written.") -> str:
    """Returns what to do about a backup that could not be written."""
    if not full:
        return otherwise
    return "The disk is full: make room there, or let INTEGRITY['BACKUP_ROOT'] name another folder."
