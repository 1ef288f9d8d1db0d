"""Where targets stand, for people: what was last looked at, what is under way, what waits.

A fixed number of queries for all targets together, none of which reads more when there are more findings or
runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from integrity import models
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import catalog_package
from integrity.operations.environments import left_out
from integrity.store.approvals import waiting_approvals
from integrity.store.site import site_database

HISTORY = 60
"""Audits that a line over time shows."""

MOST_TARGETS = 200

UNDER_WAY = (models.RunState.PLANNED, models.RunState.RUNNING, models.RunState.PAUSED)
CHANGING = (models.JobKind.REPAIR, models.JobKind.ROLLBACK, models.JobKind.MIGRATE)
STOPPED = (models.RunState.RUNNING, models.RunState.PAUSED, models.RunState.INTERRUPTED)

MENDED = (
    "missing_foreign_key", "unvalidated_foreign_key", "missing_index", "missing_unique", "missing_table",
    "missing_column", "column_differs", "broken_routine", "missing_routine", "routine_differs",
)  # fmt: skip
"""What changes of structure mend."""


@dataclass
class Standing:
    """Where a target stands.

    ``last_run`` is its last audit of everything that came to an end, however it ended, ``last_whole`` the
    last of them that finished; ``history`` are orphans by the end of such audits, in the order of time.
    ``auditing`` says that an audit is under way, ``changing`` that a job which changes it is, ``changed``
    that a repair, a rollback or a migration changed it and no audit looked since. ``job`` is one that is
    under way, ``run`` a repair that is under way or stopped in the middle, the most lively first: of both
    only what they are and where they stand. ``asked`` is the hash of a plan that waits for somebody's
    approval, ``failed`` the last migration, if it failed; ``pending`` are those that are written and, as far
    as this site knows, not applied. ``mendable`` says that something is open which changes of structure mend.
    """

    target: models.Target
    last_run: models.AuditRun | None = None
    last_whole: models.AuditRun | None = None
    history: list[tuple[datetime, int]] = field(default_factory=list)
    auditing: bool = False
    changing: bool = False
    changed: bool = False
    job: models.Job | None = None
    run: models.RepairRun | None = None
    asked: str = ""
    failed: str = ""
    pending: list[str] = field(default_factory=list)
    backup_at: datetime | None = None
    mendable: bool = False


def standings(only: int | Iterable[str] | None = None) -> list[Standing]:
    """Returns where targets stand, in four queries: the first 200 by their alias.

    Args:
        only: one by its key, or some by their aliases (None: all).
    """
    targets = models.Target.objects.all()
    if isinstance(only, int):
        targets = targets.filter(pk=only)
    elif only is not None:
        targets = targets.filter(alias__in=list(only))
    with site_database():
        rows = list(_with_last(targets).order_by("alias")[:MOST_TARGETS])
        found = {row.pk: _standing(row) for row in rows}
        _audits(rows, found)
        _histories(rows, found)
        _migrations(found)
    return list(found.values())


def _standing(row: Any) -> Standing:
    failed = row.last_migration if row.last_migration_state == models.RunState.FAILED else ""
    job, run = row.job, row.run
    return Standing(
        row,
        changing=row.changing,
        changed=_changed_since(row.last_looked_at, row.last_repaired_at, row.last_migrated_at),
        job=models.Job(pk=job["pk"], kind=job["kind"], state=job["state"]) if job else None,
        run=models.RepairRun(pk=run["pk"], number=run["number"], state=run["state"]) if run else None,
        auditing=bool(row.auditing),
        asked=row.asked or "",
        failed=failed,
        backup_at=row.backup_at,
        mendable=row.mendable,
    )


def _changed_since(looked: datetime | None, *changed: datetime | None) -> bool:
    """Whether one of these changes is newer than the last look; who never looked knows of no change."""
    return looked is not None and any(moment > looked for moment in changed if moment is not None)


def _audit_runs(**wanted: Any) -> QuerySet[models.AuditRun]:
    return models.AuditRun.objects.filter(target=OuterRef("pk"), narrowed=False, **wanted).order_by("-id")


def _with_last(targets: QuerySet[models.Target]) -> QuerySet[Any]:
    """Each with the numbers of its last things: one look into an index each."""
    finished = _audit_runs(state=models.RunState.FINISHED).values("pk")
    failed = _audit_runs(state=models.RunState.FAILED).values("pk")
    running = models.AuditRun.objects.filter(target=OuterRef("pk"), state=models.RunState.RUNNING)
    backups = models.Backup.objects.filter(target=OuterRef("pk")).order_by("-id")
    migrations = models.MigrationRun.objects.filter(target=OuterRef("pk")).order_by("-id")
    looks = models.AuditRun.objects.filter(target=OuterRef("pk"), state=models.RunState.FINISHED)
    repairs = models.RepairRun.objects.filter(
        target=OuterRef("pk"), rows_changed__gt=0, finished_at__isnull=False
    )
    migrated = models.MigrationRun.objects.filter(target=OuterRef("pk"), state=models.RunState.FINISHED)
    mendable = models.Finding.objects.filter(
        target=OuterRef("pk"), state=models.FindingState.OPEN, code__in=MENDED
    )
    jobs = models.Job.objects.filter(target=OuterRef("pk"), state__in=UNDER_WAY).order_by("-state", "pk")
    runs = models.RepairRun.objects.filter(target=OuterRef("pk"), state__in=STOPPED).order_by("-state", "pk")
    asked = waiting_approvals().filter(plan__target=OuterRef("pk"))
    return targets.annotate(
        last_whole_pk=Subquery(finished[:1]),
        last_failed_pk=Subquery(failed[:1]),
        first_shown_pk=Subquery(finished[HISTORY - 1 : HISTORY]),
        mendable=Exists(mendable),
        job=Subquery(jobs.values(told=JSONObject(pk="pk", kind="kind", state="state"))[:1]),
        changing=Exists(jobs.filter(kind__in=CHANGING)),
        run=Subquery(runs.values(told=JSONObject(pk="pk", number="number", state="state"))[:1]),
        last_looked_at=Subquery(looks.order_by("-id").values("started_at")[:1]),
        last_repaired_at=Subquery(repairs.order_by("-number").values("finished_at")[:1]),
        last_migrated_at=Subquery(migrated.order_by("-id").values("finished_at")[:1]),
        auditing=Subquery(running.order_by("-id").values("pk")[:1]),
        backup_at=Subquery(backups.values("taken_at")[:1]),
        last_migration=Subquery(migrations.values("migration")[:1]),
        last_migration_state=Subquery(migrations.values("state")[:1]),
        asked=Subquery(asked.order_by("-id").values("plan__hash")[:1]),
    )


def _audits(rows: Sequence[Any], found: Mapping[Any, Standing]) -> None:
    wanted = {pk for row in rows for pk in (row.last_whole_pk, row.last_failed_pk) if pk}
    runs = models.AuditRun.objects.in_bulk(wanted)
    for row in rows:
        each = found[row.pk]
        each.last_whole = runs.get(row.last_whole_pk)
        failed = runs.get(row.last_failed_pk)
        ended = [run for run in (each.last_whole, failed) if run is not None]
        each.last_run = max(ended, key=lambda run: run.pk, default=None)


def _histories(rows: Sequence[Any], found: Mapping[Any, Standing]) -> None:
    shown = [Q(target=row.pk, pk__gte=row.first_shown_pk or 0) for row in rows if row.last_whole_pk]
    if not shown:
        return
    runs = models.AuditRun.objects.filter(
        reduce(or_, shown), state=models.RunState.FINISHED, narrowed=False, finished_at__isnull=False
    )
    values = runs.order_by("finished_at", "pk").values_list("target", "finished_at", "orphans_count")
    for target, at, orphans in values[: HISTORY * MOST_TARGETS]:
        if at is not None:
            found[target].history.append((at, orphans))


def _migrations(found: Mapping[Any, Standing]) -> None:
    """Those that are written, without those that were last applied rather than reversed."""
    written = {pk: names for pk, each in found.items() if (names := _written(each.target.alias))}
    if not written:
        return
    every = {name for names in written.values() for name in names}
    done = models.MigrationRun.objects.filter(
        target__in=written, migration__in=every, state=models.RunState.FINISHED
    )
    latest = done.order_by().values("target", "migration").annotate(last=Max("pk")).values("last")
    forward = models.MigrationRun.objects.filter(pk__in=latest, direction=models.Direction.FORWARD)
    applied = set(forward.values_list("target", "migration"))
    for pk, names in written.items():
        found[pk].pending = [name for name in names if (pk, name) not in applied]


def _written(alias: str) -> list[str]:
    """The migrations of a target's catalog that are meant for it."""
    package = catalog_package(alias)
    names = [file.stem for file in package.files]
    try:
        others = left_out(package.folder) if names else {}
    except ReferentialIntegrityError:
        others = {}
    return [name for name in names if name not in others]
