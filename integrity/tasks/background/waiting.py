"""Waiting for jobs, whoever carries them out."""

from __future__ import annotations

import time

from django.db import transaction

from integrity import store
from integrity.store.site import alias
from integrity.tasks.background import threads

SECONDS_BETWEEN_LOOKS = 0.1


def wait_for_job(pk: int, seconds: float) -> bool:
    """Waits until a job is over, a while at most; returns whether it is, or is not there any more.

    Within a transaction nobody waits: the job is given away when that is committed.
    """
    if transaction.get_connection(alias()).in_atomic_block:
        return False
    deadline = time.monotonic() + seconds
    threads.wait_for_thread(pk, seconds)
    while True:
        job = store.load_job(pk)
        if job is None or job.is_over:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(SECONDS_BETWEEN_LOOKS)
