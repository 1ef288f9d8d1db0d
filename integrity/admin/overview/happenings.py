"""What happened to a target lately: audits, repairs, migrations and jobs in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses

SHOWN = 15


@dataclass(frozen=True)
class Happening:
    """One thing that happened: what it was, what came of it, who did it, and its page."""

    at: datetime | None
    what: str
    badge: str
    came_of_it: str
    actor: str
    url: str

    @property
    def ago(self) -> str:
        """How long ago; nothing of what has not begun."""
        return cells.ago(self.at)


def lately(request: HttpRequest, target: models.Target) -> list[Happening]:
    """Returns the last things that happened to a target, the newest first and before it what has not
    begun, as this user may see them; in four queries."""
    found = [
        each
        for permission, look in _LOOKS.items()
        if may(request, permission)
        for each in look(target)
    ]  # fmt: skip
    not_begun = datetime.max.replace(tzinfo=UTC)
    return sorted(found, key=lambda each: each.at or not_begun, reverse=True)[:SHOWN]


def _last(model: Any, target: models.Target, *, without: tuple[str, ...] = ()) -> list[Any]:
    with store.site_database():
        return list(model.objects.filter(target=target).defer(*without).order_by("-id")[:SHOWN])


def _audits(target: models.Target) -> Iterator[Happening]:
    for run in _last(models.AuditRun, target, without=("coverage",)):
        came = ""
        if run.state == models.RunState.FINISHED:
            text = ngettext("%(n)s orphan", "%(n)s orphans", run.orphans_count)
            came = text % {"n": cells.grouped(run.orphans_count)}
            if run.narrowed:
                came = _("%(orphans)s, of some references") % {"orphans": came}
        yield _happening("auditrun", run, _("Audit"), run.started_at, came)


def _repairs(target: models.Target) -> Iterator[Happening]:
    for run in _last(models.RepairRun, target, without=("refusals", "proof")):
        text = ngettext("%(n)s row changed", "%(n)s rows changed", run.rows_changed)
        came = text % {"n": cells.grouped(run.rows_changed)}
        what = _("Run %(n)s: %(kind)s") % {"n": run.number, "kind": run.get_kind_display()}
        yield _happening("repairrun", run, what, run.started_at, came)


def _migrations(target: models.Target) -> Iterator[Happening]:
    for run in _last(models.MigrationRun, target, without=("sql", "checks", "operations")):
        what = _("Migration %(name)s") % {"name": run.migration}
        yield _happening("migrationrun", run, what, run.started_at, run.get_direction_display())


def _jobs(target: models.Target) -> Iterator[Happening]:
    """Those of which nothing else in the list tells."""
    told = (models.JobKind.AUDIT, models.JobKind.REPAIR, models.JobKind.ROLLBACK, models.JobKind.MIGRATE)
    for job in _last(models.Job, target, without=("arguments", "result")):
        if job.kind not in told or job.state not in (models.RunState.FINISHED, models.RunState.RUNNING):
            yield _happening(
                "job", job, _("Job: %(kind)s") % {"kind": job.get_kind_display()}, job.created_at
            )


def _happening(kind: str, run: Any, what: str, at: datetime | None, came_of_it: str = "") -> Happening:
    return Happening(
        at=at,
        what=what,
        badge=cells.badge(run.state, run.get_state_display()),
        came_of_it=came_of_it,
        actor=run.actor,
        url=addresses.page(kind, run.pk),
    )


_LOOKS: dict[str, Callable[[models.Target], Iterator[Happening]]] = {
    "view_auditrun": _audits,
    "view_repairrun": _repairs,
    "view_migrationrun": _migrations,
    "view_job": _jobs,
}
