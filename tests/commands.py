"""Commands as people run them: what they print, where, and with which exit code."""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command, execute_from_command_line
from django.core.management.base import CommandError

from tests import forking
from tests.forking import Process

CHECKOUT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    code: int
    out: str
    err: str = ""

    @property
    def json(self) -> Any:
        """Its one document."""
        return json.loads(self.out)


def run(name: str, *arguments: object, **options: Any) -> Ran:
    """Run ``integrity_<name>`` in this process; nobody is there to be asked."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(f"integrity_{name}", *map(str, arguments), stdout=out, stderr=err, **options)
    except SystemExit as stop:
        return Ran(int(stop.code or 0), out.getvalue(), err.getvalue())
    except CommandError as error:
        return Ran(error.returncode, out.getvalue(), f"{err.getvalue()}{error}")
    return Ran(0, out.getvalue(), err.getvalue())


def run_json(name: str, *arguments: object) -> Any:
    """Run a command that must succeed, and return its document."""
    ran = run(name, *arguments, "--format", "json")
    assert ran.code == 0, f"exit {ran.code}: {ran.err}\n{ran.out}"
    return ran.json


def environment(site: Path, targets: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return the environment of a process that has these targets, by name and URL."""
    named = " ".join(f"{name}={url}" for name, url in targets.items())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST"))}
    return kept | {
        "DATABASE_URL": f"sqlite:///{site}",
        "INTEGRITY_TARGETS": named,
        "SECRET_KEY": "tests keep no secrets",
        "DJANGO_SETTINGS_MODULE": "integrity_project.settings",
        **more,
    }


def start(env: Mapping[str, str], *arguments: object) -> Process:
    """Start ``manage.py`` as a process of its own."""
    return forking.start("tests.commands", *arguments, env=env)


def main(*arguments: str) -> None:
    """Do what ``manage.py`` does."""
    execute_from_command_line(["manage.py", *arguments])


def manage(env: Mapping[str, str], *arguments: object) -> Ran:
    """Run ``manage.py`` as a process of its own, and wait for its end."""
    process = start(env, *arguments)
    out, err = process.communicate(timeout=120)
    return Ran(process.returncode, out, err)
