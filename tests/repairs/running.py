"""A repair in a process of its own, to be killed: ``tests.repairs.running URL CATALOG run|merge|resume|back``."""

import os
import sys
from pathlib import Path


def main(url: str, catalog: str, what: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django  # noqa: PLC0415

    django.setup()
    from django.db import connections  # noqa: PLC0415

    from integrity_project.targets import database_settings  # noqa: PLC0415

    connections.databases["target"] = database_settings(url, alias="target")
    connections.configure_settings(connections.databases)
    from integrity.database.session import Target  # noqa: PLC0415
    from integrity.plans import DuplicateRequest, Request, make_deduplication_plan, make_plan  # noqa: PLC0415
    from integrity.references.catalog import load_catalog  # noqa: PLC0415
    from integrity.references.uniques import Duplicates  # noqa: PLC0415
    from integrity.repairs import Options, list_runs, resume_repair, roll_back, run_repair, walk  # noqa: PLC0415

    walk._LARGEST = 50
    target, found = Target("target"), load_catalog("target", Path(catalog))
    runs = [each for each in list_runs(target) if each.kind == "cleanup"]
    options = Options(approved=True, on_progress=lambda progress: print(progress.done, flush=True))
    if what == "run":
        run_repair(
            target, make_plan(target, found, [Request(suggested=True)]), catalog=found, options=options
        )
    elif what == "merge":
        wish = DuplicateRequest(action=Duplicates.MERGE)
        run_repair(target, make_deduplication_plan(target, found, [wish]), catalog=found, options=options)
    elif what == "resume":
        resume_repair(target, runs[0].number, catalog=found, options=options)
    else:
        roll_back(target, runs[0].number, catalog=found, options=options)


if __name__ == "__main__":
    main(*sys.argv[1:])
