"""Plans that a page asks for: shown at once where that is possible, else by the job that makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrity import models, store
from integrity.plans import DuplicateRequest, Plan, Request
from integrity.tasks.background.problems import retold
from integrity.tasks.background.starting import see_lost_jobs, start_job
from integrity.tasks.background.waiting import wait_for_job


def plan_in_background(
    alias: str,
    requests: Sequence[Request] = (),
    *,
    duplicates: Sequence[DuplicateRequest] = (),
    actor: store.Actor = "",
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
    while done is None:  # it served somebody else meanwhile
        job = _under_way(alias, arguments, actor)
        job = job or start_job(alias, models.JobKind.PLAN, arguments, actor=actor)
        wait_for_job(job.pk, wait)
        done = store.load_job(job.pk)
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


def _under_way(alias: str, arguments: dict[str, Any], actor: store.Actor) -> models.Job | None:
    see_lost_jobs()
    wanted = arguments, store.known(actor)
    open_ones = store.open_jobs(alias, models.JobKind.PLAN)
    return next((each for each in open_ones if (each.arguments, store.asked_for_by(each)) == wanted), None)
