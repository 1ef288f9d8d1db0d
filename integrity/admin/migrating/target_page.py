"""The migrations of one target on one page: what each does, where it stands, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, demand, may
from integrity.admin.migrating import words
from integrity.admin.migrating.blocking import Obstacle, obstacles
from integrity.admin.migrating.previewing import preview, wanted_of
from integrity.admin.migrating.standing import Standing, standing_of
from integrity.admin.without_values import told

_RUNS_SHOWN = 20


def page(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Shows where a target stands; ``?run``, ``?phase=`` or ``?to=`` previews, and its POST does it."""
    target = get_object_or_404(models.Target, pk=pk)
    wanted = wanted_of(request)
    if wanted or "run" in request.GET or request.method == "POST":
        demand(request, "apply_migrations")
        return preview(admin, request, target, wanted)
    if not may(request, "view_target"):
        raise PermissionDenied
    stands = standing_of(target)
    stands.migrations = [replace(each, error=told(request, each.error)) for each in stands.migrations]
    context = {
        "target": target,
        "stands": stands,
        "tiles": _tiles(stands),
        "obstacles": _in_the_way(request, stands),
        "next_phase": next(iter(stands.to_apply), None),
        "runs": _runs(target),
        "job": _job(target),
        "may_apply": may(request, "apply_migrations"),
        "may_write": may(request, "write_migrations"),
        "may_audit": may(request, "audit_target"),
    }
    return admin.page(
        request, "migrations.html", _("Migrations of %(target)s") % {"target": target}, **context
    )


def _tiles(stands: Standing) -> list[tuple[str, int, str]]:
    """What is counted: its name, its number, and what it is a sign of."""
    return [
        (_("Pending"), stands.count("pending", "failed"), "warn"),
        (_("Applied"), stands.count("applied"), ""),
        (_("Failed"), len(stands.failed), "bad"),
        (_("Unknown"), stands.count("unknown"), "bad"),
    ]


def _in_the_way(request: HttpRequest, stands: Standing) -> list[Obstacle]:
    """The rows that kept the migrations that failed from beginning."""
    runs = [each.run.pk for each in stands.failed if each.run is not None and each.run.error]
    if not runs:
        return []
    found = models.MigrationRun.objects.filter(pk__in=runs).values_list("checks", flat=True)
    checks = [check for each in found for check in each]
    return obstacles(request, stands.target, checks)


def _runs(target: models.Target) -> list[tuple[models.MigrationRun, str, str]]:
    """The last runs, each with its state to be seen at a glance and how long it took."""
    found = models.MigrationRun.objects.filter(target=target).defer("sql", "checks", "operations")
    return [
        (run, cells.badge(run.state, run.get_state_display()), words.took(run.seconds))
        for run in found[:_RUNS_SHOWN]
    ]


def _job(target: models.Target) -> Any:
    """The job that migrates it now."""
    going = (models.RunState.PLANNED, models.RunState.RUNNING)
    jobs = models.Job.objects.filter(target=target, kind=models.JobKind.MIGRATE, state__in=going)
    return next((each for each in jobs[:5] if not each.is_silent), None)
