"""Migrations in a process to be killed: ``python -m tests.operations.migrating URL ROOT HOW TO``.

``HOW`` is ``own`` for the product's runner and ``plain`` for Django's ``migrate``.
"""

import os
import sys
from pathlib import Path


def main(url: str, root: str, how: str, name: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from integrity_project.targets import database_settings  # noqa: PLC0415
    from tests import settings  # noqa: PLC0415

    folder = Path(root)
    sys.path.insert(0, str(folder.parent))
    settings.INTEGRITY = {  # type: ignore[attr-defined]
        "CATALOG_ROOT": folder,
        "CATALOG_PACKAGE": folder.name,
        "BATCH_ROWS": 20,
    }
    settings.INSTALLED_APPS.append(f"{folder.name}.target")
    settings.DATABASES["target"] = database_settings(url, alias="target")
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from integrity.database.session import Target  # noqa: PLC0415
    from integrity.operations.runner import run_migrations  # noqa: PLC0415
    from integrity.repairs import walk  # noqa: PLC0415

    walk._SMALLEST = walk._LARGEST = 20
    if how == "own":
        run_migrations(Target("target"), to=name)
    else:
        call_command("migrate", "catalog_target", name, database="target", verbosity=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
