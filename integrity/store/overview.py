"""What is remembered of all targets, for pages that programs read: a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum

from integrity import models
from integrity.database.statistics import MOST_LISTED
from integrity.store.site import site_database

MOST = 5_000
"""Rows of one kind; whoever has more of them has other worries than this page."""


@dataclass
class Remembered:
    """What is remembered of one target.

    ``findings`` counts the open ones by severity, ``kept`` those that are kept by decision;
    ``orphaned_rows`` are those of all references at the last audit; ``failed`` are the migrations that
    failed when they were last run, with their errors; ``running`` is what is going on.
    """

    audited_at: datetime | None = None
    audit_state: str = ""
    audit_complete: bool | None = None
    findings: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    orphaned_rows: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    running: list[dict[str, Any]] = field(default_factory=list)


def remembered() -> Mapping[str, Remembered]:
    """Returns what is remembered of each target by its alias, in six queries."""
    found: dict[str, Remembered] = defaultdict(Remembered)
    with site_database():
        _audits(found)
        _findings(found)
        _orphans(found)
        _migrations(found)
        _running(found)
    return found


def orphans_by_target() -> tuple[Mapping[str, dict[str, int]], bool]:
    """Returns the orphans of each reference at the last audit, most rows first, in one query; and whether
    there are more references than are listed."""
    rows = _orphaned().values_list("target__alias", "label").annotate(found=Sum("rows"))
    with site_database():
        listed = list(rows.order_by("-found", "target__alias", "label")[: MOST_LISTED + 1])
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for alias, label, number in listed[:MOST_LISTED]:
        found[alias][label] = number
    return found, len(listed) > MOST_LISTED


def _audits(found: dict[str, Remembered]) -> None:
    whole = models.AuditRun.objects.filter(narrowed=False).exclude(state=models.RunState.RUNNING)
    last = whole.order_by().values("target").annotate(last=Max("pk")).values("last")
    runs = models.AuditRun.objects.filter(pk__in=last).order_by("pk")
    rows = runs.values_list("target__alias", "finished_at", "state", "complete")
    for alias, at, state, complete in rows[:MOST]:
        each = found[alias]
        each.audited_at, each.audit_state, each.audit_complete = at, state, complete


def _findings(found: dict[str, Remembered]) -> None:
    standing = models.Finding.objects.exclude(state=models.FindingState.RESOLVED).order_by()
    rows = standing.values_list("target__alias", "severity", "state").annotate(number=Count("pk"))
    for alias, severity, state, number in rows[:MOST]:
        if state == models.FindingState.KEPT:
            found[alias].kept += number
        else:
            found[alias].findings[severity] = number


def _orphaned() -> QuerySet[models.Finding]:
    standing = models.Finding.objects.filter(code=models.ORPHANED_ROWS)
    return standing.exclude(state=models.FindingState.RESOLVED).order_by()


def _orphans(found: dict[str, Remembered]) -> None:
    for alias, rows in _orphaned().values_list("target__alias").annotate(found=Sum("rows")):
        found[alias].orphaned_rows = rows


def _migrations(found: dict[str, Remembered]) -> None:
    grouped = models.MigrationRun.objects.order_by().values("target", "migration")
    last = grouped.annotate(last=Max("pk")).values("last")
    failed = models.MigrationRun.objects.filter(pk__in=last, state=models.RunState.FAILED).order_by("pk")
    for alias, name, error in failed.values_list("target__alias", "migration", "error")[:MOST]:
        found[alias].failed[name] = error


def _running(found: dict[str, Remembered]) -> None:
    going = (models.RunState.PLANNED, models.RunState.RUNNING)
    jobs = models.Job.objects.filter(state__in=going).select_related("target").order_by("pk")
    for job in jobs[:MOST]:
        found[job.target.alias].running.append(
            {"job": job.pk, "kind": job.kind, "state": job.state, "done": job.done, "total": job.total,
             "at": job.at, "silent": job.is_silent, "started_at": job.started_at}
        )  # fmt: skip
    runs = models.RepairRun.objects.filter(state__in=(*going, models.RunState.PAUSED)).order_by("pk")
    fields = ("target__alias", "number", "kind", "state", "started_at")
    for alias, number, kind, state, started_at in runs.values_list(*fields)[:MOST]:
        found[alias].running.append({"run": number, "kind": kind, "state": state, "started_at": started_at})
