"""A lock on a whole SQLite file, across processes, and across hosts that share its folder.

SQLite's own file must not be opened for it: closing it again would end the locks that SQLite itself holds in
the same process ("How To Corrupt An SQLite Database File", 2.2). So it is a file beside it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PAUSE_S = 0.2


@contextmanager
def held(
    database: Path | None, name: str, wait: float = 0, on_wait: Callable[[], None] | None = None
) -> Iterator[bool]:
    """Holds the lock of that name until left, or until the process dies.

    Args:
        database: the file, None for one in memory.
        name: what the lock is for.
        wait: for how many seconds another holder is waited for.
        on_wait: called once before waiting.

    Yields:
        Whether it is held.
    """
    descriptor = _opened(database, name)
    try:
        free = _locked(descriptor, 0)
        if not free and wait:
            if on_wait is not None:
                on_wait()
            free = _locked(descriptor, time.monotonic() + wait)
        yield free
    finally:
        os.close(descriptor)


def lock_file(database: Path, name: str) -> Path:
    """Returns where the lock of a file is; it stays there, as what removes it could remove another's."""
    return database.with_name(f"{database.name}-integrity-{name}.lock")


def _opened(database: Path | None, name: str) -> int:
    """Beside the database; in a folder where nothing can be made, nothing can be changed either, and a
    place of this host's will do."""
    if database is not None:
        try:
            return _open(lock_file(database, name))
        except OSError:
            pass
    key = hashlib.sha256(f"{database} {name}".encode()).hexdigest()[:24]
    return _open(Path(tempfile.gettempdir()) / f"integrity-{key}.lock")


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:  # another user's; a lock needs no right to write
        return os.open(path, os.O_RDONLY)


def _locked(descriptor: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(PAUSE_S)
        else:
            return True
