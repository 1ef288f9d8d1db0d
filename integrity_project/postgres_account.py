"""Which user a PostgreSQL server runs as, and which folders that user can enter."""

import contextlib
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CANDIDATES = ("postgres", "nobody")
"""For root, in this order: PostgreSQL's own user where its package made one."""

Command = Sequence[str | Path]


class PostgresError(Exception):
    """A PostgreSQL server that the demo or a test needs cannot be had; the message says what to do."""


@dataclass(frozen=True)
class ServerAccount:
    """Runs commands as the user that the server belongs to."""

    name: str
    uid: int
    gid: int
    switched: bool
    """Whether it is another than ours, because we are root."""

    @classmethod
    def choose(cls) -> Self:
        """Return ourselves, or for root the first candidate that this machine has.

        Raises:
            PostgresError: We are root, and there is no candidate.
        """
        if os.geteuid():
            return cls(str(os.geteuid()), os.geteuid(), os.getegid(), switched=False)
        for name in CANDIDATES:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(name, entry.pw_uid, entry.pw_gid, switched=True)
        raise PostgresError(
            f"PostgreSQL does not run as root, and this machine has none of the users "
            f"{', '.join(CANDIDATES)}. Make one with: useradd --system postgres"
        )

    def run(self, command: Command) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, with its output as text."""
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            **self._switch(),
        )

    def spawn(self, command: Command, log: Path) -> "subprocess.Popen[bytes]":
        """Start a command that goes on, its output in ``log``, safe from our terminal's Ctrl-C."""
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_environment(),
                start_new_session=True,
                **self._switch(),
            )

    def take(self, folder: Path) -> None:
        """Make the account the owner of a folder.

        Raises:
            PostgresError: It could not even get there.
        """
        if not self.enters(folder.resolve().parent):
            raise PostgresError(
                f"PostgreSQL does not run as root, and user {self.name} cannot enter {folder.parent}. "
                "Choose a folder that everybody can enter, or run this as an ordinary user."
            )
        if self.switched:
            os.chown(folder, self.uid, self.gid)

    def enters(self, folder: Path) -> bool:
        """Return whether the account can get into a folder and all above it."""
        return not self.switched or all(self._may_search(above.stat()) for above in (folder, *folder.parents))

    def _may_search(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)

    def _switch(self) -> dict[str, Any]:
        if not self.switched:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def scratch_folder(account: ServerAccount, prefix: str) -> Path:
    """Make a temporary folder for the account, its path short enough for a socket in it.

    Raises:
        PostgresError: There is no place for one.
    """
    for place in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if place.is_dir() and len(str(place)) < 60 and account.enters(place):
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
            account.take(folder)
            return folder
    raise PostgresError(f"User {account.name} can enter no temporary folder; set TMPDIR to one that it can.")


def _environment() -> dict[str, str]:
    """Our environment without what would point PostgreSQL's programs at another server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}
