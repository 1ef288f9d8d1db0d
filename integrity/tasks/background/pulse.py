"""Says every few seconds that a job is carried out still, however long one of its statements takes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, connections
from django.utils import timezone

from integrity import models, store
from integrity.exceptions import ReferentialIntegrityError

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_BEATS = 5.0
"""Well below `models.job.SILENCE`, after which a job counts as interrupted."""


class Pulse:
    """Notes how far a job is and heeds wishes, in a thread and on a connection of its own.

    The work itself may hold a statement, or the very connection that would note it, for as long as it
    takes. ``wish`` is what somebody asks for, ``lost`` whether somebody else has the job by now.

    Args:
        job: as it was begun.
        also: the jobs that wait for the same process.
    """

    def __init__(self, job: models.Job, also: Callable[[], Collection[int]] = tuple) -> None:
        self.job = job
        self.also = also
        self.wish = models.Wish(job.wish)
        self.lost = False
        self._facts: dict[str, Any] = {}
        self._lines: list[tuple[datetime, str]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._beat_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"integrity-pulse-{job.pk}", daemon=True)

    def note(self, **facts: Any) -> None:
        """Takes facts of the job that the next look writes down."""
        with self._lock:
            self._facts |= facts

    def say(self, text: str) -> None:
        """Takes a line for the job's log."""
        with self._lock:
            self._lines.append((timezone.now(), text))

    def flush(self) -> None:
        """Writes everything down now; what cannot be written is kept for the next time."""
        with self._lock:
            facts, lines = self._facts, self._lines
            self._facts, self._lines = {}, []
        try:
            self._write(facts, lines)
        except ReferentialIntegrityError:
            logger.warning("The progress of job %s could not be noted", self.job.pk, exc_info=True)
            with self._lock:
                self._facts, self._lines = facts | self._facts, lines + self._lines
        except DatabaseError:
            logger.warning("The log of job %s could not be written: is it gone?", self.job.pk, exc_info=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.flush()

    def _write(self, facts: dict[str, Any], lines: list[tuple[datetime, str]]) -> None:
        if facts or time.monotonic() - self._beat_at >= SECONDS_BETWEEN_BEATS:
            self._beat_at = time.monotonic()
            self.lost = not store.job_alive(self.job, also=self.also(), **facts)
        if lines:
            store.note_job(self.job.pk, lines)

    def _run(self) -> None:
        try:
            while not self._over.wait(SECONDS_BETWEEN_LOOKS):
                self._look()
        finally:
            connections.close_all()

    def _look(self) -> None:
        try:
            self.wish = store.wish_of(self.job.pk)
        except (ReferentialIntegrityError, DatabaseError):
            logger.warning("The wishes for job %s could not be read", self.job.pk, exc_info=True)
        self.flush()
