"""A repair in a process of its own, to be killed."""

from pathlib import Path

from django.db import connections

from integrity.database.session import Target
from integrity.plans import DuplicateRequest, Request, make_deduplication_plan, make_plan
from integrity.references.catalog import load_catalog
from integrity.references.uniques import Duplicates
from integrity.repairs import Options, list_runs, resume_repair, roll_back, run_repair, walk
from integrity_project.targets import database_settings
from tests import forking
from tests.forking import Process


def start(url: str, catalog: Path, what: str) -> Process:
    """Start to ``run``, ``merge``, ``resume`` or take ``back``; it prints a line for each batch."""
    return forking.start(__name__, url, catalog, what)


def main(url: str, catalog: str, what: str) -> None:
    """Do it."""
    connections.databases["target"] = database_settings(url, alias="target")
    connections.configure_settings(connections.databases)
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
