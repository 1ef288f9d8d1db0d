"""Asks for long work, and gives it to whoever is to carry it out."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrity import conf, models, store
from integrity.exceptions import ReferentialIntegrityError
from integrity.tasks.background import interface, threads
from integrity.tasks.background.carriers import choose_carrier

logger = logging.getLogger(__name__)


def start_job(
    alias: str,
    kind: models.JobKind | str,
    arguments: dict[str, Any] | None = None,
    *,
    actor: store.Actor = "",
) -> models.Job:
    """Asks for long work, and returns at once.

    Args:
        alias: the target.
        kind: ``audit``, ``backup``, ``verify``, ``repair`` (``plan``: a stored plan's hash, ``kind``),
            ``rollback`` (``run``, ``how``, ``selection``), ``migrate`` (``to``, ``phase``) or ``plan``
            (``requests`` or ``duplicates``).
        arguments: plain values for it.
        actor: who asks.

    Returns:
        The job, by whose state people see how it goes.
    """
    see_lost_jobs()
    job = store.create_job(alias, models.JobKind(kind), arguments or {}, actor=actor)
    transaction.on_commit(lambda: give(job.pk, job.kind), using=job._state.db)
    return job


def resume_job(pk: int) -> bool:
    """Goes on with a job that was paused, interrupted or failed, and begins one anew that was stopped and
    changes no row; one that waits is given away again.

    A repair goes on where it stopped, by its journal; anything else starts again.

    Returns:
        False when there is nothing to go on with: it is running, or over.
    """
    see_lost_jobs()
    job = store.load_job(pk)
    if job is None or not (store.resume_job(pk) or job.state == models.RunState.PLANNED):
        return False
    transaction.on_commit(lambda: give(pk, job.kind), using=job._state.db)
    return True


def see_lost_jobs() -> None:
    """Marks jobs whose process is gone, for whoever looks next; in passing, so that it never fails."""
    try:
        store.interrupt_silent()
    except (ReferentialIntegrityError, DatabaseError):
        logger.warning("Jobs that fell silent could not be marked", exc_info=True)


def give(pk: int, kind: str) -> None:
    """Gives a job to who is to carry it out."""
    carrier = choose_carrier(kind)
    if carrier == models.Carrier.TASKS and not _enqueued(pk):
        if conf.carrier() == models.Carrier.TASKS:
            return
        carrier = models.Carrier.THREAD
    if carrier == models.Carrier.TASKS or not store.give_job(pk, carrier):
        return
    if carrier == models.Carrier.THREAD:
        threads.submit(pk, kind)


def _enqueued(pk: int) -> bool:
    """Puts a job into the queue of Django's tasks, whose worker may take it before this is noted."""
    try:
        task = interface.enqueue(pk)
    except Exception as error:
        logger.exception("Job %s could not be put into the queue", pk)
        said = _("It could not be put into the queue of Django's tasks: %(error)s") % {"error": error}
        _not_enqueued(pk, said)
        return False
    store.give_job(pk, models.Carrier.TASKS, task=task)
    return True


def _not_enqueued(pk: int, said: str) -> None:
    try:
        store.note_job(pk, [(timezone.now(), said)])
        if conf.carrier() == models.Carrier.TASKS and (job := store.begin_job(pk)):
            store.end_job(job, models.RunState.FAILED, error=said)
    except ReferentialIntegrityError:
        logger.warning("That could not be noted with job %s", pk, exc_info=True)
