"""``manage.py`` with catalogs of a test: ``python -m tests.operations.commanding ROOT COMMAND …``.

Its environment is that of :func:`tests.commands.environment`.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.commands import CHECKOUT


def start(env: Mapping[str, str], root: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, str(root), *arguments],
        env=dict(env),
        cwd=CHECKOUT,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def main(root: str, *arguments: str) -> None:
    from django.conf import settings  # noqa: PLC0415
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    settings.INTEGRITY = {"CATALOG_ROOT": Path(root), "LOCK_TIMEOUT_MS": 500}
    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
