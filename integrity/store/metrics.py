"""What is known of all targets, as numbers: a fixed number of queries, and a bounded number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, Sum

from integrity import models
from integrity.store.site import site_database

BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600)
"""Seconds of a migration, from an index on nothing to one on a very large table."""

MOST = 2_000
"""Rows of one kind; whoever has more references has other worries than their graphs."""

COUNTED = {models.ORPHANED_ROWS: "orphans", "duplicate_rows": "duplicates"}


@dataclass(frozen=True)
class MigrationTimes:
    """How often one migration of a target was carried out in one direction, how long, and how often it
    failed; ``within`` are the runs that took no longer than each of the buckets."""

    target: str
    migration: str
    direction: str
    runs: int
    seconds: float
    failures: int
    within: tuple[int, ...]


@dataclass(frozen=True)
class Broken:
    """Rows that break one rule: ``what`` is ``orphans`` or ``duplicates``."""

    what: str
    target: str
    rule: str
    rows: int
    kept: bool


@dataclass(frozen=True)
class Looked:
    """When a target was last audited, and last wholly."""

    target: str
    at: datetime | None
    complete_at: datetime | None


@dataclass(frozen=True)
class QueryTimes:
    """The last measurement of one hot query, in milliseconds."""

    target: str
    query: str
    quantiles: Mapping[str, float | None]
    regressed: bool
    ratio: float | None
    measured_at: datetime


def migration_times() -> list[MigrationTimes]:
    """Returns every migration that was ever carried out or failed."""
    done = Q(state=models.RunState.FINISHED)
    buckets: dict[str, Any] = {
        f"within_{place}": Count("pk", filter=done & Q(seconds__lte=limit))
        for place, limit in enumerate(BUCKETS)
    }
    grouped = models.MigrationRun.objects.order_by().values("target__alias", "migration", "direction")
    rows = grouped.annotate(
        runs=Count("pk", filter=done),
        spent=Sum("seconds", filter=done),
        failures=Count("pk", filter=Q(state=models.RunState.FAILED)),
        latest=Max("pk"),
        **buckets,
    ).order_by("-latest")
    with site_database():
        found: list[dict[str, Any]] = [dict(row) for row in rows[:MOST]]
        return [
            MigrationTimes(
                row["target__alias"],
                row["migration"],
                row["direction"],
                row["runs"],
                row["spent"] or 0.0,
                row["failures"],
                tuple(row[name] for name in buckets),
            )
            for row in found
        ]


def broken_rules() -> list[Broken]:
    """Returns the rules that were broken at the last audits, and with no rows those that were before.

    Two uniques on the same columns, for other parts of a table, say, are counted as the worse of them.
    """
    found = models.Finding.objects.filter(code__in=COUNTED).order_by("-rows", "pk")
    rows = found.values_list("code", "target__alias", "label", "rows", "state")
    worst: dict[tuple[str, str, str], Broken] = {}
    with site_database():
        for code, target, label, number, state in rows[:MOST]:
            kept = state == models.FindingState.KEPT
            worst.setdefault((code, target, label), Broken(COUNTED[code], target, label, number, kept))
    return list(worst.values())


def last_looks() -> list[Looked]:
    """Returns when each target was last audited as a whole."""
    whole = models.AuditRun.objects.filter(state=models.RunState.FINISHED, narrowed=False).order_by()
    rows = whole.values_list("target__alias").annotate(
        at=Max("finished_at"), complete_at=Max("finished_at", filter=Q(complete=True))
    )
    with site_database():
        return [Looked(*row) for row in rows[:MOST]]


def query_times() -> list[QueryTimes]:
    """Returns the hot queries of each target as they were last measured."""
    last = models.QueryRun.objects.order_by().values("target").annotate(last=Max("pk")).values("last")
    timings = models.QueryTiming.objects.filter(run__in=last).select_related("run__target").order_by("pk")
    wanted = timings.only(
        "name", "p50_ms", "p95_ms", "p99_ms", "regressed", "ratio", "run__measured_at", "run__target__alias"
    )
    with site_database():
        return [_times(each) for each in wanted[:MOST]]


def _times(timing: models.QueryTiming) -> QueryTimes:
    values: Sequence[tuple[str, float | None]] = (
        ("0.5", timing.p50_ms), ("0.95", timing.p95_ms), ("0.99", timing.p99_ms),
    )  # fmt: skip
    run = timing.run
    return QueryTimes(
        run.target.alias, timing.name, dict(values), timing.regressed, timing.ratio, run.measured_at
    )
