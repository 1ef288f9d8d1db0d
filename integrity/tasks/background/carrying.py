"""Carries a job out, unless somebody else has it; whatever comes of it is stored with the job."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from integrity import models, store
from integrity.exceptions import Interrupted, ReferentialIntegrityError
from integrity.tasks.background.kinds import KINDS
from integrity.tasks.background.problems import told
from integrity.tasks.background.pulse import Pulse
from integrity.tasks.background.work import Work

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = (0.1, 1.0, 5.0, 15.0)
"""What a job came to is not lost because the site's database is restarted at that moment."""


@dataclass(frozen=True)
class _End:
    """How a job ends."""

    state: models.RunState
    result: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def this_process() -> str:
    """The name of this process, as people find it: host and number."""
    return f"{socket.gethostname()}:{os.getpid()}"


def carry_out(
    pk: int,
    *,
    carrier: str = "",
    worker: str = "",
    leaving: Callable[[], bool] = lambda: False,
    also: Callable[[], Collection[int]] = tuple,
) -> bool:
    """Does a job, unless somebody else has it.

    Args:
        pk: its number.
        carrier: who this is: one of `models.Carrier`.
        worker: the name of this process (default: host and number).
        leaving: whether the process is asked to end; then the job waits for the next one.
        also: the jobs that wait for this process.

    Returns:
        Whether it was done here.
    """
    job = store.begin_job(pk, carrier=carrier, worker=worker or this_process())
    if job is None:
        return False
    with Pulse(job, also) as pulse:
        work = Work(job, pulse, leaving, dict(job.result) if job.attempts > 1 else {})
        work.say(_begun(job), always=True)
        end = _ended(work)
        work.say(_SAID[end.state](work), always=True)
    if not _noted(work, end):
        logger.warning("Job %s was taken up by somebody else meanwhile", pk)
    return True


def _noted(work: Work, end: _End) -> bool:
    """Notes how a job ended; tries again for a while where the site's database is busy or away."""
    result = work.result | end.result
    for seconds in SECONDS_BETWEEN_TRIES:
        try:
            return store.end_job(work.job, end.state, result=result, error=end.error)
        except ReferentialIntegrityError:
            logger.warning("The end of job %s could not be noted yet", work.job.pk, exc_info=True)
            time.sleep(seconds)
    return store.end_job(work.job, end.state, result=result, error=end.error)


def _ended(work: Work) -> _End:
    try:
        state, result = KINDS[models.JobKind(work.job.kind)](work)
    except Interrupted as error:
        state = models.RunState(work.stop() or "interrupted")
        return _End(_left_or(work, state), error="" if work.stop() else str(error))
    except ReferentialIntegrityError as error:
        return _End(models.RunState.FAILED, told(error), str(error))
    except Exception as error:
        logger.exception("Job %s failed", work.job.pk)
        return _End(models.RunState.FAILED, error=f"{type(error).__name__}: {error}")
    return _End(_left_or(work, state), result)


def _left_or(work: Work, state: models.RunState) -> models.RunState:
    """A job that stopped because its process has to end waits for the next one; for a thread nobody comes
    next by himself."""
    if state != models.RunState.PAUSED or work.pulse.wish or not work.leaving():
        return state
    by_thread = work.job.carrier == models.Carrier.THREAD
    return models.RunState.INTERRUPTED if by_thread else models.RunState.PLANNED


def _begun(job: models.Job) -> str:
    text = _("Begun by %(worker)s.") if job.attempts == 1 else _("Taken up again by %(worker)s.")
    return text % {"worker": job.worker}


_SAID: dict[models.RunState, Callable[[Work], str]] = {
    models.RunState.PLANNED: lambda work: _("The worker ends. The next one goes on with it."),
    models.RunState.PAUSED: lambda work: _("Paused. Nothing is half done."),
    models.RunState.FINISHED: lambda work: _("Finished."),
    models.RunState.FAILED: lambda work: _("Failed: see the error."),
    models.RunState.CANCELLED: lambda work: _("Cancelled. What was done until then stands."),
    models.RunState.INTERRUPTED: lambda work: _("Interrupted. Nothing is half done."),
    models.RunState.ROLLED_BACK: lambda work: _("Finished."),
    models.RunState.PARTLY_ROLLED_BACK: lambda work: _("Finished."),
    models.RunState.RUNNING: lambda work: "",
}
