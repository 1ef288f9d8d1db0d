"""What ``integrity_work`` does: takes jobs off the queue in the site's database, one after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from django.db import close_old_connections
from django.utils import timezone

from integrity import models, store
from integrity.exceptions import ReferentialIntegrityError
from integrity.tasks.background.carrying import carry_out, this_process
from integrity.tasks.background.threads import forget_connections

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_SIGNS = 5.0
SHORTEST_SLEEP = 0.2
"""So soon a worker that has nothing to do heeds a signal."""


@dataclass
class Workshop:
    """A worker: it says that it is there, takes jobs, and gives back what it cannot finish.

    Args:
        name: how it is called; host and number of the process by default.
        threads: how many jobs it carries out at once.
        interval: how many seconds to wait when nothing is to be done.
        leaving: whether it is asked to end.
        told: told each job that it is done with.
    """

    name: str = field(default_factory=lambda: this_process())
    threads: int = 1
    interval: float = 1.0
    leaving: Callable[[], bool] = lambda: False
    told: Callable[[models.Job], None] = lambda job: None
    _began_at: datetime = field(default_factory=timezone.now, init=False)
    _heard_at: float = field(default=0.0, init=False)
    _under_way: dict[Future[bool], int] = field(default_factory=dict, init=False)

    def run(self, *, once: bool = False) -> list[models.Job]:
        """Works until it is asked to end, or with ``once`` until nothing waits.

        Returns:
            What it did, each job as it was in the end; nothing of the kind is kept without ``once``.

        Raises:
            ReferentialIntegrityError: with ``once``, when the site's database cannot be used.
        """
        done: list[models.Job] = []
        with ThreadPoolExecutor(self.threads, thread_name_prefix="integrity-work") as pool:
            try:
                while not self.leaving():
                    taken = self._round(pool, strict=once)
                    ended = self._ended()
                    done += ended if once else []
                    if once and not (taken or ended or self._under_way):
                        break
                    if not taken and not ended:
                        self._rest()
                while self._under_way:
                    self._heard_if_possible()
                    wait(self._under_way, timeout=SHORTEST_SLEEP, return_when=FIRST_COMPLETED)
                    ended = self._ended()
                    done += ended if once else []
            finally:
                self._leave()
        return done

    def _round(self, pool: ThreadPoolExecutor, *, strict: bool) -> int:
        """Takes as many jobs as there are hands free; returns how many."""
        close_old_connections()
        try:
            self._heard()
            free = self.threads - len(self._under_way)
            waiting = store.waiting_jobs([models.Carrier.WORKER], free + self.threads) if free > 0 else []
            fresh = [pk for pk in waiting if pk not in self._under_way.values()][:free]
        except ReferentialIntegrityError:
            if strict:
                raise
            logger.warning("The queue could not be looked at", exc_info=True)
            return 0
        for pk in fresh:
            self._under_way[pool.submit(self._carry_out, pk)] = pk
        return len(fresh)

    def _carry_out(self, pk: int) -> bool:
        try:
            return carry_out(pk, carrier=models.Carrier.WORKER, worker=self.name, leaving=self.leaving)
        finally:
            forget_connections()

    def _ended(self) -> list[models.Job]:
        """The jobs that were done here since the last look."""
        over = [each for each in self._under_way if each.done()]
        found = [self._told(future, self._under_way.pop(future)) for future in over]
        return [job for job in found if job is not None]

    def _told(self, future: Future[bool], pk: int) -> models.Job | None:
        if error := future.exception():
            logger.error("Job %s was lost", pk, exc_info=error)
            return None
        try:
            job = store.load_job(pk) if future.result() else None
        except ReferentialIntegrityError:
            logger.warning("What became of job %s could not be read", pk, exc_info=True)
            return None
        if job is not None:
            self.told(job)
        return job

    def _heard(self) -> None:
        if time.monotonic() - self._heard_at >= SECONDS_BETWEEN_SIGNS or not self._heard_at:
            self._heard_at = time.monotonic()
            store.worker_heard(self.name, self._began_at)
            store.interrupt_silent()

    def _heard_if_possible(self) -> None:
        try:
            self._heard()
        except ReferentialIntegrityError:
            logger.warning("It could not be noted that this worker is there", exc_info=True)

    def _rest(self) -> None:
        """Waits for the next look, for the end of a job, or for a signal."""
        deadline = time.monotonic() + self.interval
        while not self.leaving() and (left := deadline - time.monotonic()) > 0:
            if self._under_way:
                if wait(self._under_way, timeout=min(left, SHORTEST_SLEEP), return_when=FIRST_COMPLETED).done:
                    return
            else:
                time.sleep(min(left, SHORTEST_SLEEP))

    def _leave(self) -> None:
        try:
            store.worker_left(self.name)
        except ReferentialIntegrityError as error:
            logger.warning("The worker could not be taken off the list: %s", error)
