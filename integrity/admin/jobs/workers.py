"""Who carries jobs out: whether anybody is there, and what they are at."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import link, may


@dataclass(frozen=True)
class ShownWorker:
    """A process that carries jobs out, as the list shows it."""

    name: str
    carrier: str
    is_silent: bool
    state: str
    since: str
    heard: str
    jobs: str


def workers(request: HttpRequest) -> list[ShownWorker] | None:
    """Returns who is there to carry jobs out; None for those who may not see it."""
    if not may(request, "view_worker"):
        return None
    return [_shown(each) for each in store.carrying()]


def carried_out() -> str:
    """Who carries out what is asked for now, in a sentence."""
    carrier = tasks.choose_carrier(models.JobKind.AUDIT)
    if carrier == models.Carrier.THREAD:
        return _("Jobs are carried out by threads of this server, two at a time.")
    if carrier == models.Carrier.TASKS:
        return _("Jobs are carried out by workers of Django's tasks.")
    number = store.count_workers()
    if not number:
        return _("Jobs wait for a worker, and there is none: start manage.py integrity_work.")
    text = ngettext("Jobs are carried out by one worker.", "Jobs are carried out by %(n)s workers.", number)
    return text % {"n": cells.grouped(number)}


def _shown(each: store.Carrying) -> ShownWorker:
    carriers = dict(models.Carrier.choices)
    return ShownWorker(
        each.name,
        str(carriers.get(each.carrier, each.carrier)),
        each.is_silent,
        _state(each),
        cells.ago(each.since),
        cells.ago(each.heard_at),
        cells.lines([link(job, capfirst(str(job))) for job in each.jobs]),
    )


def _state(each: store.Carrying) -> str:
    if each.is_silent:
        return cells.badge("interrupted", _("silent"))
    return cells.badge("running", _("at work")) if each.jobs else cells.badge("pending", _("waits for a job"))
