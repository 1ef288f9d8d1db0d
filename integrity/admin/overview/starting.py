"""Work that is asked for from the pages of targets."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from integrity import models, tasks
from integrity.admin.base import ReadOnlyAdmin, demand, person
from integrity.admin.deciding.planning import lead_to, planned_as_decided
from integrity.admin.overview import addresses
from integrity.exceptions import ReferentialIntegrityError

PLAN = "plan"

STARTS: dict[str, tuple[str, Any]] = {
    str(models.JobKind.AUDIT): ("audit_target", _("Asked for an audit")),
    str(models.JobKind.BACKUP): ("audit_target", _("Asked for a backup")),
    str(models.JobKind.VERIFY): ("audit_target", _("Asked for a verification")),
    PLAN: ("run_repair", _("Planned what was decided")),
}
"""What can be asked for: the permission that it needs, and what the admin log says."""


def start(admin: ReadOnlyAdmin, request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Asks for work of a target, and leads to where it can be watched."""
    if what not in STARTS:
        raise Http404
    permission, said = STARTS[what]
    demand(request, "view_target", permission)
    target = get_object_or_404(models.Target, pk=pk)
    try:
        response = _plan(admin, request, target) if what == PLAN else _job(admin, request, target, what)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(addresses.page("target", pk))
    admin.log(request, [target], str(said))
    return response


def _job(admin: ReadOnlyAdmin, request: HttpRequest, target: models.Target, what: str) -> HttpResponse:
    return admin.started(request, tasks.start_job(target.alias, what, actor=person(request)))


def _plan(admin: ReadOnlyAdmin, request: HttpRequest, target: models.Target) -> HttpResponse:
    """What was decided for all findings together, as one plan."""
    return lead_to(admin, request, planned_as_decided(request, target.alias))
