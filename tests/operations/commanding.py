"""``manage.py`` with catalogs of a test, as a process of its own.

Its environment is that of :func:`tests.commands.environment`.
"""

from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.core.management import execute_from_command_line

from tests import forking
from tests.forking import Process


def start(env: Mapping[str, str], root: Path, *arguments: str) -> Process:
    """Start a command as a process of its own."""
    return forking.start(__name__, root, *arguments, env=env)


def main(root: str, *arguments: str) -> None:
    """Run a command."""
    settings.INTEGRITY = {"CATALOG_ROOT": Path(root), "LOCK_TIMEOUT_MS": 500}
    execute_from_command_line(["manage.py", *arguments])
