"""Migrations in a process of its own, to be killed."""

import sys
from pathlib import Path

from django.core.management import call_command

from integrity.database.session import Target
from integrity.operations.runner import run_migrations
from integrity.repairs import walk
from integrity_project.targets import database_settings
from tests import forking
from tests.forking import Process


def start(url: str, root: Path, how: str, name: str) -> Process:
    """Start to migrate to ``name``: ``own`` is the product's runner, ``plain`` Django's ``migrate``."""
    return forking.start(__name__, url, root, how, name)


def main(url: str, root: str, how: str, name: str) -> None:
    """Do it, in small batches."""
    from tests import settings  # noqa: PLC0415

    folder = Path(root)
    sys.path.insert(0, str(folder.parent))
    settings.INTEGRITY = {  # type: ignore[attr-defined]
        "CATALOG_ROOT": folder,
        "CATALOG_PACKAGE": folder.name,
        "BATCH_ROWS": 20,
    }
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, f"{folder.name}.target"]
    settings.DATABASES["target"] = database_settings(url, alias="target")
    forking.settle()
    walk._SMALLEST = walk._LARGEST = 20
    if how == "own":
        run_migrations(Target("target"), to=name)
    else:
        call_command("migrate", "catalog_target", name, database="target", verbosity=0)
