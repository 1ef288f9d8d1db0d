"""Plans are made in the background: a page waits for a moment, then shows how it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from integrity import models, tasks
from integrity.admin.base import ReadOnlyAdmin, person
from integrity.admin.serving import reverse
from integrity.plans import DuplicateRequest, Plan, Request
from integrity.plans.again import requests_of

Planned = Plan | models.Job
"""A plan, or the job that will have made it."""


def planned(request: HttpRequest, alias: str, requests: Sequence[Request]) -> Planned:
    """Plans what becomes of orphans.

    Raises:
        ReferentialIntegrityError: it is not possible, with the reason.
    """
    return tasks.plan_in_background(alias, requests, actor=person(request))


def planned_as_decided(request: HttpRequest, alias: str) -> Planned:
    """Plans all that stands decided about a target's orphans.

    Raises:
        ReferentialIntegrityError: nothing is decided, or it is not possible.
    """
    return planned(request, alias, tasks.decided_requests(alias))


def planned_duplicates(request: HttpRequest, alias: str, requests: Sequence[DuplicateRequest]) -> Planned:
    """Plans what becomes of duplicates.

    Raises:
        ReferentialIntegrityError: it is not possible, with the reason.
    """
    return tasks.plan_in_background(alias, duplicates=requests, actor=person(request))


def planned_anew(request: HttpRequest, plan: Plan) -> Planned:
    """Plans the same of the target as it is now.

    Raises:
        ReferentialIntegrityError: it is not possible any more, with the reason.
    """
    requests, duplicates = requests_of(plan)
    if duplicates:
        return planned_duplicates(request, plan.target, duplicates)
    return planned(request, plan.target, requests)


def lead_to(admin: ReadOnlyAdmin, request: HttpRequest, made: Planned, **query: str) -> HttpResponse:
    """Leads to the page of a plan, or to that of the job that makes it."""
    if isinstance(made, models.Job):
        return admin.started(request, made)
    return HttpResponseRedirect(address(made.target, made.hash, **query))


def address(alias: str, plan_hash: str, **query: Any) -> str:
    """Where a plan is shown."""
    return reverse("admin:integrity_orphanfinding_plan", args=[alias, plan_hash], query=query or None)
