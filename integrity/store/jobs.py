"""Jobs: who takes one has it alone, until nothing is heard of him any more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from integrity import models
from integrity.models.job import SILENCE
from integrity.store.people import Actor, Person, known
from integrity.store.site import site_database
from integrity.store.targets import target_row

GOING = (models.RunState.PLANNED, models.RunState.RUNNING)
RESUMABLE = (models.RunState.PAUSED, models.RunState.INTERRUPTED, models.RunState.FAILED)
BEGUN_ANEW = (models.JobKind.AUDIT, models.JobKind.BACKUP, models.JobKind.VERIFY, models.JobKind.PLAN)
"""They change no row: whoever takes one up again begins it anew, also one that somebody stopped."""
_HEEDED_AT_ONCE = {
    models.Wish.PAUSE: models.RunState.PAUSED,
    models.Wish.CANCEL: models.RunState.CANCELLED,
}
"""What becomes of a job that nobody has begun."""


def create_job(
    alias: str, kind: models.JobKind, arguments: dict[str, Any], *, actor: Actor = ""
) -> models.Job:
    """Returns a new job that nobody has taken yet."""
    target, who = target_row(alias), known(actor)
    with site_database():
        return models.Job.objects.create(
            target=target, kind=kind, arguments=arguments, actor=who.name, actor_key=who.key
        )


def asked_for_by(job: models.Job) -> Person:
    """Returns who asked for a job."""
    return Person(job.actor, job.actor_key)


def open_jobs(alias: str, kind: models.JobKind) -> list[models.Job]:
    """Returns the jobs of a kind that are asked for or under way for a target."""
    with site_database():
        return list(models.Job.objects.filter(target__alias=alias, kind=kind, state__in=GOING))


def load_job(pk: int) -> models.Job | None:
    """Returns a job, None where there is none of that number."""
    with site_database():
        return models.Job.objects.select_related("target").filter(pk=pk).first()


def waiting_jobs(carriers: Collection[str], most: int = 20) -> list[int]:
    """Returns the numbers of jobs that wait for one of these carriers, the oldest first."""
    waiting = models.Job.objects.filter(state=models.RunState.PLANNED, carrier__in=carriers)
    with site_database():
        return list(waiting.order_by("pk").values_list("pk", flat=True)[:most])


def give_job(pk: int, carrier: models.Carrier, *, task: str = "") -> bool:
    """Notes who is to carry a job out; returns False when it is begun already, or over."""
    now = timezone.now()
    with site_database():
        waiting = models.Job.objects.filter(pk=pk, state=models.RunState.PLANNED)
        return bool(waiting.update(carrier=carrier, task=task, signs_of_life_at=now))


def begin_job(pk: int, *, carrier: str = "", worker: str = "") -> models.Job | None:
    """Takes a job, or returns None when somebody else has it."""
    now = timezone.now()
    facts: dict[str, Any] = {"carrier": carrier} if carrier else {}
    with site_database():
        waiting = models.Job.objects.filter(pk=pk, state=models.RunState.PLANNED)
        taken = waiting.update(
            state=models.RunState.RUNNING,
            started_at=Coalesce("started_at", Value(now)),
            resumed_at=now,
            signs_of_life_at=now,
            attempts=F("attempts") + 1,
            done_before=F("done"),
            worker=worker,
            error="",
            finished_at=None,
            **facts,
        )
        return models.Job.objects.select_related("target").get(pk=pk) if taken else None


def job_alive(job: models.Job, *, also: Collection[int] = (), **facts: Any) -> bool:
    """Notes that a job is carried out still, and how far it is.

    Args:
        job: as :func:`begin_job` returned it.
        also: jobs that wait for the same process.
        facts: ``done``, ``total``, ``at`` and other fields.

    Returns:
        False when it was ended, or somebody else took it up: then it must not be gone on with.
    """
    now = timezone.now()
    with site_database():
        if also:
            waiting = models.Job.objects.filter(pk__in=also, state=models.RunState.PLANNED)
            waiting.update(signs_of_life_at=now)
        taken = _taken(job).update(
            state=models.RunState.RUNNING, signs_of_life_at=now, finished_at=None, **facts
        )
        return bool(taken)


def end_job(
    job: models.Job, state: models.RunState, *, result: dict[str, Any] | None = None, error: str = ""
) -> bool:
    """Notes how a job ended, or that it waits again; returns False when it is somebody else's by now.

    What was wished of one that waits again is for whoever takes it next.
    """
    now = timezone.now()
    waits = state == models.RunState.PLANNED
    facts: dict[str, Any] = {"state": state, "result": result or {}, "error": error}
    facts |= {"finished_at": None} if waits else {"finished_at": now, "wish": models.Wish.NOTHING}
    with site_database():
        return bool(_taken(job).update(signs_of_life_at=now, **facts))


def _taken(job: models.Job) -> QuerySet[models.Job]:
    """A job as long as it is whose who took it; one that was given up too early counts."""
    given_up = (models.RunState.RUNNING, models.RunState.INTERRUPTED)
    return models.Job.objects.filter(pk=job.pk, attempts=job.attempts, state__in=given_up)


# -- wishes ----------------------------------------------------------------------------------------


def ask_job(pk: int, wish: models.Wish) -> bool:
    """Asks a job to pause or to end between two batches; one that nobody has begun does so at once.

    Returns:
        False when it is over.
    """
    now = timezone.now()
    with site_database():
        jobs = models.Job.objects.filter(pk=pk)
        at_once = {"state": _HEEDED_AT_ONCE[wish], "finished_at": now} if wish in _HEEDED_AT_ONCE else {}
        if at_once and jobs.filter(state=models.RunState.PLANNED).update(**at_once):
            return True
        return bool(jobs.filter(state__in=GOING).update(wish=wish))


def wish_of(pk: int) -> models.Wish:
    """What somebody asks of a job."""
    with site_database():
        found = models.Job.objects.filter(pk=pk).values_list("wish", flat=True).first()
    return models.Wish(found or "")


def resume_job(pk: int) -> bool:
    """Lets a job that was paused, interrupted or failed, or stopped and would begin anew, wait for being
    taken up again; by one asker alone."""
    again = {"state": models.RunState.PLANNED, "wish": models.Wish.NOTHING, "error": "", "finished_at": None}
    can = Q(state__in=RESUMABLE) | Q(state=models.RunState.CANCELLED, kind__in=BEGUN_ANEW)
    with site_database():
        stopped = models.Job.objects.filter(can, pk=pk)
        return bool(stopped.update(signs_of_life_at=timezone.now(), **again))


def interrupt_silent() -> list[int]:
    """Marks jobs as interrupted whose process is gone: nothing was heard of them for a while.

    Returns:
        their numbers.
    """
    since = timezone.now() - SILENCE
    running = Q(state=models.RunState.RUNNING)
    lost = Q(state=models.RunState.PLANNED, carrier__in=("", models.Carrier.THREAD))
    silent = models.Job.objects.annotate(heard=Coalesce("signs_of_life_at", "created_at"))
    silent = silent.filter(running | lost, heard__lt=since)
    with site_database():
        return [pk for pk, heard in silent.values_list("pk", "heard") if _interrupted(pk, heard)]


def _interrupted(pk: int, heard: datetime) -> bool:
    """Marks one of them, unless it was heard of meanwhile."""
    now = timezone.now()
    still = models.Job.objects.annotate(heard=Coalesce("signs_of_life_at", "created_at"))
    still = still.filter(pk=pk, heard=heard, state__in=GOING)
    found = bool(still.update(state=models.RunState.INTERRUPTED, finished_at=now))
    if found:
        note_job(pk, [(now, _("Its process has ended: nothing was heard of it any more."))])
    return found


# -- the log ---------------------------------------------------------------------------------------


def note_job(pk: int, lines: Sequence[tuple[datetime, str]]) -> None:
    """Adds lines to a job's log."""
    with site_database():
        models.JobNote.objects.bulk_create(
            [models.JobNote(job_id=pk, at=at, text=text) for at, text in lines]
        )


def count_notes(pk: int) -> int:
    """How many lines a job's log has."""
    with site_database():
        return models.JobNote.objects.filter(job=pk).count()


def is_run_of_another(job: models.Job, run: int) -> bool:
    """Whether a repair run of the target was begun by another job."""
    others = models.Job.objects.filter(target=job.target_id, result__run=run)
    with site_database():
        return others.exclude(pk=job.pk).exists()


def forget_job(pk: int) -> None:
    """Takes a job away that has served: whoever asked was answered at once."""
    with site_database():
        models.Job.objects.filter(pk=pk).exclude(state__in=GOING).delete()
