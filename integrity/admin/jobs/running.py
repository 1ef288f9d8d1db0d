"""What the page of a job says: who has it, how far it is, and how fast."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models, store
from integrity.admin import cells
from integrity.admin.jobs.outcomes import outcome
from integrity.store.jobs import BEGUN_ANEW

LINES_SHOWN = 200
SHORTEST = 2.0
"""Seconds after which a speed means something."""


# -- how far ---------------------------------------------------------------------------------------


def counted(job: models.Job) -> str:
    """How far it is, in numbers and what is counted."""
    if not job.total:
        return ""
    facts = {"done": cells.grouped(job.done), "total": cells.grouped(job.total)}
    return _UNITS.get(job.unit, gettext_lazy("%(done)s of %(total)s")) % facts


_UNITS = {
    "rows": gettext_lazy("%(done)s of %(total)s rows"),
    "checks": gettext_lazy("%(done)s of %(total)s checks"),
    "migrations": gettext_lazy("%(done)s of %(total)s migrations"),
    "references": gettext_lazy("%(done)s of %(total)s references"),
}


def rows_a_second(job: models.Job) -> float | None:
    """How fast it is since it was last begun; None where that is not known, or says nothing."""
    if job.state != models.RunState.RUNNING or job.unit != "rows" or job.resumed_at is None:
        return None
    seconds, done = (timezone.now() - job.resumed_at).total_seconds(), job.done - job.done_before
    return done / seconds if seconds >= SHORTEST and done > 0 else None


def pace(job: models.Job) -> str:
    """Its speed and how long it will take, in a sentence; nothing where that is not known."""
    speed = rows_a_second(job)
    if not speed or not job.total:
        return ""
    rows = max(1, round(speed))
    said = ngettext("%(n)s row a second", "%(n)s rows a second", rows) % {"n": cells.grouped(rows)}
    left = (job.total - job.done) / speed
    return _("%(speed)s, about %(time)s left") % {"speed": said, "time": _time(left)} if left >= 1 else said


def _time(seconds: float) -> str:
    """A time in the unit that fits it."""
    if seconds < 90:
        n = round(seconds)
        return ngettext("%(n)s second", "%(n)s seconds", n) % {"n": n}
    if seconds < 5_400:
        n = round(seconds / 60)
        return ngettext("%(n)s minute", "%(n)s minutes", n) % {"n": n}
    n = round(seconds / 3_600)
    return ngettext("%(n)s hour", "%(n)s hours", n) % {"n": cells.grouped(n)}


def took(job: models.Job) -> str:
    """How long it took, waiting included where it was paused."""
    if job.started_at is None or job.finished_at is None:
        return ""
    seconds = (job.finished_at - job.started_at).total_seconds()
    return _("less than a second") if seconds < 1 else _time(seconds)


# -- who -------------------------------------------------------------------------------------------


def standing(job: models.Job) -> tuple[str, bool]:
    """Who has it or what it waits for, in a sentence; and whether somebody has to do something."""
    if job.state == models.RunState.PLANNED:
        return _waiting(job)
    if job.state == models.RunState.RUNNING:
        if job.wish:
            return str(_ASKED[models.Wish(job.wish)]), False
        return _CARRIED.get(job.carrier, _CARRIED[""]) % {"worker": job.worker}, False
    if job.state == models.RunState.INTERRUPTED:
        return str(_INTERRUPTED), True
    if job.state == models.RunState.PAUSED:
        return _("It stopped between two batches. Nothing is half done, and it can go on from there."), False
    if job.state == models.RunState.CANCELLED:
        if job.kind in BEGUN_ANEW:
            return _("It was stopped before its end, so that nothing came of it."), False
        return _("It was stopped. What it had done until then stands."), False
    return "", False


_ASKED = {
    models.Wish.PAUSE: gettext_lazy("Asked to pause: it stops after the batch that it is at."),
    models.Wish.CANCEL: gettext_lazy("Asked to stop: it does after what it is at."),
}
_CARRIED = {
    models.Carrier.THREAD: gettext_lazy("A thread of the server process %(worker)s carries it out."),
    models.Carrier.WORKER: gettext_lazy("The worker %(worker)s carries it out."),
    models.Carrier.TASKS: gettext_lazy("A worker of Django's tasks carries it out, in process %(worker)s."),
    "": gettext_lazy("It is carried out by %(worker)s."),
}
_INTERRUPTED = gettext_lazy(
    "Nothing was heard of it any more: the process that carried it out has ended. Nothing is half done."
)


def _waiting(job: models.Job) -> tuple[str, bool]:
    if job.carrier == models.Carrier.WORKER:
        if store.has_workers():
            return _("It waits for a worker to be free."), False
        return _("It waits for a worker, and there is none: start manage.py integrity_work."), True
    if job.carrier == models.Carrier.TASKS:
        if job.is_silent:
            return _("It waits in the queue of Django's tasks. Is a worker of that queue running?"), True
        return _("It waits in the queue of Django's tasks."), False
    return _("It waits for a free thread of this server."), False


# -- all of it -------------------------------------------------------------------------------------


def facts(job: models.Job) -> dict[str, Any]:
    """Returns what the templates of a job show, in a handful of queries."""
    said, warning = standing(job)
    notes = list(job.notes.order_by("-id")[: LINES_SHOWN + 1])
    came = outcome(job)
    return {
        "job": job,
        "badge": cells.badge(job.state, job.get_state_display()),
        "standing": said,
        "warning": warning,
        "counted": counted(job),
        "pace": pace(job),
        "took": took(job),
        "shown": job.total if job.state == models.RunState.FINISHED else job.done,
        "outcome": came,
        "next": came.ways[0].url if job.kind == models.JobKind.PLAN and came.good and came.text else "",
        "notes": notes[LINES_SHOWN - 1 :: -1] if len(notes) > LINES_SHOWN else notes[::-1],
        "notes_left_out": len(notes) > LINES_SHOWN,
        "running": job.state == models.RunState.RUNNING,
        "stopped": job.state in (models.RunState.PAUSED, models.RunState.INTERRUPTED),
        "said": _spoken(job),
    }


def _spoken(job: models.Job) -> str:
    """What a screen reader is told: the state, and each quarter of the way."""
    if job.is_over or not job.total or job.state != models.RunState.RUNNING:
        return str(job.get_state_display())
    quarter = min(3, 4 * job.done // job.total) * 25
    return _("%(state)s, %(percent)s %%") % {"state": job.get_state_display(), "percent": quarter}
