"""Plans that a page asks for: shown at once where that is possible, else by the job that makes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from integrity import models, store
from integrity.plans import DuplicateRequest, Plan, Request
from integrity.tasks.background import threads
from integrity.tasks.background.problems import retold
from integrity.tasks.background.starting import start_job

SECONDS_BETWEEN_LOOKS = 0.1


def plan_in_background(
    alias: str,
    requests: Sequence[Request] = (),
    *,
    duplicates: Sequence[DuplicateRequest] = (),
    actor: str = "",
    wait: float = 1.5,
) -> Plan | models.Job:
    """Makes a plan and stores it, without holding a request for longer than ``wait``.

    Who asks again while a plan is being made gets the same job.

    Args:
        alias: the target.
        requests: what somebody decided; without any, every reference by its policy.
        duplicates: the same for duplicates; then ``requests`` are none.
        actor: who asks.
        wait: how many seconds to wait for it.

    Returns:
        The plan, or the job that makes it: its result has the plan's hash in the end.

    Raises:
        PlanRefused, …: what came of it within that time.
    """
    arguments = _arguments(requests, duplicates)
    done = None
    while done is None:
        job = _under_way(alias, arguments, actor)
        job = job or start_job(alias, models.JobKind.PLAN, arguments, actor=actor)
        done = _waited(job, wait)
    if not done.is_over:
        return done
    if done.state == models.RunState.FINISHED:
        plan = store.load_plan(alias, done.result["plan"])
        store.forget_job(done.pk)
        return plan
    store.forget_job(done.pk)
    raise retold(done.result, done.error)


def _arguments(requests: Sequence[Request], duplicates: Sequence[DuplicateRequest]) -> dict[str, Any]:
    if duplicates:
        return {"duplicates": [each.as_json() for each in duplicates]}
    return {"requests": [each.as_json() for each in requests]}


def _under_way(alias: str, arguments: dict[str, Any], actor: str) -> models.Job | None:
    open_ones = store.open_jobs(alias, models.JobKind.PLAN)
    return next((each for each in open_ones if (each.arguments, each.actor) == (arguments, actor)), None)


def _waited(job: models.Job, seconds: float) -> models.Job | None:
    """The job as it is when it is over, or the time is; None when it served somebody else meanwhile."""
    if transaction.get_connection(job._state.db).in_atomic_block:
        return job
    deadline = time.monotonic() + seconds
    threads.wait_for_job(job.pk, seconds)
    found = store.load_job(job.pk)
    while found is not None and not found.is_over and time.monotonic() < deadline:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        found = store.load_job(job.pk)
    return found
