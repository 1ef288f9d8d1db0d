"""A target's migrations on one page: pending, applied, reversed, and by whom."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from integrity import models, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, actor, demand, may
from integrity.exceptions import CatalogMissing, ReferentialIntegrityError
from integrity.operations.migration_states import MigrationState, MigrationStatus
from integrity.operations.runner import ZERO, MigrateResult

_PHASES = (1, 2, 3)
_RUNS_SHOWN = 20


def page(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Shows where a target stands; ``?run``, ``?phase=`` or ``?to=`` previews, and its POST does it."""
    target = get_object_or_404(models.Target, pk=pk)
    wanted = _wanted(request)
    if wanted or "run" in request.GET or request.method == "POST":
        demand(request, "apply_migrations")
        return _go(admin, request, target, wanted)
    if not admin.has_view_permission(request, target):
        raise PermissionDenied
    status: list[MigrationStatus] = []
    problem: ReferentialIntegrityError | None = None
    try:
        status = tasks.status_of_migrations(target.alias)
    except ReferentialIntegrityError as error:
        problem = error
    context = {
        "target": target,
        "problem": problem,
        "no_catalog": isinstance(problem, CatalogMissing),
        "migrations": _lines(status),
        "phases": _phases_to_apply(status),
        "runs": _runs(target),
        "may_apply": may(request, "apply_migrations"),
    }
    title = _("Migrations of %(target)s") % {"target": target}
    return admin.page(request, "migrations.html", title, **context)


def _go(
    admin: ReadOnlyAdmin, request: HttpRequest, target: models.Target, wanted: dict[str, Any]
) -> HttpResponse:
    here = HttpResponseRedirect(reverse("admin:integrity_target_migrations", args=[target.pk]))
    try:
        planned = tasks.plan_of_migrations(target.alias, **wanted)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return here
    if not planned.steps:
        messages.info(request, _("There is nothing to do."))
        return here
    if request.method != "POST":
        title = _("Migrate %(target)s") % {"target": target}
        fields = wanted or {"run": "all"}
        context = {"target": target, "planned": planned, "steps": _said(planned), "wanted": fields}
        return admin.page(request, "migrate.html", title, **context)
    if request.POST.get("steps") != _said(planned):
        messages.error(request, _("The target changed since this was shown. Look again."))
        return here
    try:
        _planned, job = tasks.ask_for_migrations(
            target.alias, **wanted, planned=planned, actor=actor(request)
        )
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return here
    assert job is not None
    admin.log(request, [target], _("Asked for migrations: %(steps)s") % {"steps": _said(planned)})
    return admin.started(request, job)


def _wanted(request: HttpRequest) -> dict[str, Any]:
    """Where to go: up to a phase, or to a migration; nowhere named: to the end."""
    data = request.POST if request.method == "POST" else request.GET
    if data.get("phase", "").isdecimal():
        return {"phase": int(data["phase"])}
    return {"to": data["to"]} if data.get("to") else {}


def _said(planned: MigrateResult) -> str:
    """The steps in a line, by which what is done is held against what was shown."""
    return ", ".join(f"{'-' if step.backwards else '+'}{step.name}" for step in planned.steps)


def _lines(status: list[MigrationStatus]) -> list[dict[str, Any]]:
    """Each migration with its state, and the one to go to so that it is reversed."""
    texts = {
        MigrationState.APPLIED: _("applied"),
        MigrationState.PENDING: _("pending"),
        MigrationState.UNKNOWN: _("unknown: recorded, but its file is gone"),
        MigrationState.LEFT_OUT: _("left out: of another environment"),
    }
    known = [each.name for each in status if each.state in (MigrationState.APPLIED, MigrationState.PENDING)]
    return [
        {
            "name": each.name,
            "phase": each.phase or "",
            "badge": cells.badge(each.state, texts[each.state]),
            "applied_at": each.applied_at,
            "reverse_to": _before(known, each) if each.state is MigrationState.APPLIED else "",
        }
        for each in status
    ]


def _runs(target: models.Target) -> list[tuple[models.MigrationRun, str]]:
    """The last runs, each with its state to be seen at a glance."""
    found = models.MigrationRun.objects.filter(target=target)[:_RUNS_SHOWN]
    return [(run, cells.badge(run.state, run.get_state_display())) for run in found]


def _before(known: list[str], migration: MigrationStatus) -> str:
    place = known.index(migration.name)
    return known[place - 1] if place else ZERO


def _phases_to_apply(status: list[MigrationStatus]) -> list[int]:
    """The phases up to which something is pending."""
    pending = [each.phase for each in status if each.state is MigrationState.PENDING]
    return [phase for phase in _PHASES if phase in pending]
