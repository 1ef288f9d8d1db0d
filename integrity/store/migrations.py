"""What became of migrations, as the site remembers it: bounded looks at the last of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from integrity import models
from integrity.store.site import site_database

MOST_RUNS = 2_000
"""So many of the last runs of all targets are looked at."""

RUNS_WITH_OPERATIONS = 50
"""So many of the last runs of a target tell how long operations take there."""


def failed_migrations() -> Mapping[str, dict[str, str]]:
    """Returns the migrations that failed when they were last run, with their errors, by target."""
    fields = ("target__alias", "migration", "state", "error")
    seen: set[tuple[str, str]] = set()
    found: dict[str, dict[str, str]] = defaultdict(dict)
    with site_database():
        for alias, name, state, error in models.MigrationRun.objects.values_list(*fields)[:MOST_RUNS]:
            if (alias, name) not in seen and state == models.RunState.FAILED:
                found[alias][name] = error
            seen.add((alias, name))
    return found


def times_of_migrations(
    aliases: Collection[str], names: Collection[str], direction: str
) -> Mapping[str, tuple[list[float], str]]:
    """Returns how many seconds each migration took, on all of these targets, and on which it took longest."""
    done = models.MigrationRun.objects.filter(
        target__alias__in=aliases,
        migration__in=names,
        direction=direction,
        state=models.RunState.FINISHED,
        seconds__isnull=False,
    )
    found: dict[str, tuple[list[float], str]] = {}
    with site_database():
        rows = done.values_list("migration", "seconds", "target__alias")[:MOST_RUNS]
        for name, seconds, alias in sorted(rows, key=lambda row: row[1] or 0.0):
            times = found[name][0] if name in found else []
            found[name] = ([*times, seconds or 0.0], alias)
    return found


def last_operations(alias: str) -> list[dict[str, Any]]:
    """Returns the operations of the last migrations that were applied to a target, as plain values."""
    done = models.MigrationRun.objects.filter(
        target__alias=alias, direction=models.Direction.FORWARD, state=models.RunState.FINISHED
    )
    with site_database():
        runs = list(done.values_list("operations", flat=True)[:RUNS_WITH_OPERATIONS])
    return [operation for operations in runs for operation in operations]


def last_runs_of(alias: str) -> Mapping[str, models.MigrationRun]:
    """Returns the last run of each migration of a target, of those that were run lately."""
    found: dict[str, models.MigrationRun] = {}
    runs = models.MigrationRun.objects.filter(target__alias=alias).defer("sql", "checks", "operations")
    with site_database():
        for run in runs[: RUNS_WITH_OPERATIONS * 10]:
            found.setdefault(run.migration, run)
    return found
