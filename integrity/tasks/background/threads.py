"""A bounded pool of threads in this process, for sites that run nothing else."""

from __future__ import annotations

import atexit
import logging
import os
import time
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Event, Lock, Thread

from django.db import connections

from integrity import models
from integrity.tasks.background.carrying import carry_out

logger = logging.getLogger(__name__)

THREADS = 2
"""So many jobs at once; and as many plans, for which somebody waits."""

SECONDS_TO_END = 10.0
"""So long a process that ends waits until its jobs have stopped where nothing is half done."""

_lock = Lock()
_ending = Event()
_by_job: dict[int, Future[None]] = {}


class _Pool:
    """Threads that do not keep their process from ending, as those of an executor would until all that
    waits for them is done."""

    def __init__(self, name: str) -> None:
        self._waiting: SimpleQueue[tuple[int, Future[None]]] = SimpleQueue()
        for number in range(THREADS):
            Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def submit(self, pk: int) -> Future[None]:
        future: Future[None] = Future()
        self._waiting.put((pk, future))
        return future

    def _work(self) -> None:
        while True:
            pk, future = self._waiting.get()
            if not _ending.is_set():
                _in_thread(pk)
            future.set_result(None)


_pools: dict[str, _Pool] = {}


def submit(pk: int, kind: str) -> None:
    """Lets a thread of this process carry a job out, as soon as one is free."""
    name = "integrity-plans" if kind == models.JobKind.PLAN else "integrity"
    with _lock:
        if name not in _pools:
            _pools[name] = _Pool(name)
        future = _by_job[pk] = _pools[name].submit(pk)
    future.add_done_callback(lambda done: _forget(pk, done))


def wait_for_jobs(seconds: float = 60) -> bool:
    """Waits until the jobs of this process are done; returns whether they are."""
    deadline = time.monotonic() + seconds
    while left := [each for each in list(_by_job.values()) if not each.done()]:
        if wait(left, timeout=max(0, deadline - time.monotonic())).not_done:
            return False
    return True


def wait_for_thread(pk: int, seconds: float) -> None:
    """Waits until a job of this process is done with; at once where it is none."""
    if (future := _by_job.get(pk)) is not None:
        wait([future], timeout=seconds)


def submitted() -> list[int]:
    """The jobs that wait for a thread of this process, or have one."""
    return list(_by_job)


def _forget(pk: int, done: Future[None]) -> None:
    if _by_job.get(pk) is done:
        _by_job.pop(pk, None)


def _in_thread(pk: int) -> None:
    try:
        carry_out(pk, carrier=models.Carrier.THREAD, leaving=_ending.is_set, also=submitted)
    except Exception:
        logger.exception("Job %s was lost", pk)
    finally:
        forget_connections()


def forget_connections() -> None:
    """A thread that lives on must not meet an alias as it was for an earlier job."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        del connections[connection.alias]


def _end() -> None:
    """The process ends: its jobs stop where nothing is half done, and can be gone on with elsewhere."""
    _ending.set()
    wait(list(_by_job.values()), timeout=SECONDS_TO_END)


def _begin_anew() -> None:
    """A forked process has none of the threads of the one that it came from."""
    _pools.clear()
    _by_job.clear()


atexit.register(_end)
os.register_at_fork(after_in_child=_begin_anew)
