"""Who may stop a job, and who may go on with it."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest

from integrity import models, store
from integrity.admin.base import may, person
from integrity.admin.deciding.rights import permissions_to_go_on
from integrity.store.jobs import BEGUN_ANEW, GOING, RESUMABLE

PERMISSIONS = {
    models.JobKind.AUDIT: ("audit_target",),
    models.JobKind.BACKUP: ("audit_target",),
    models.JobKind.VERIFY: ("audit_target",),
    models.JobKind.PLAN: ("view_orphanfinding",),
    models.JobKind.REPAIR: ("run_repair",),
    models.JobKind.ROLLBACK: ("roll_back_repair",),
    models.JobKind.MIGRATE: ("apply_migrations",),
}
"""What asking for a job of a kind needs; whoever may do that may stop those of others."""

PAUSABLE = (models.JobKind.REPAIR, models.JobKind.ROLLBACK)
NOT_AGAIN = (models.JobKind.PLAN, models.JobKind.MIGRATE)
"""What failed of these is looked at and asked for anew, not just tried again."""
TAKING_UP = ("resume", "retry", "restart", "ask")
"""What taking a job up again means: going on where it stopped, trying once more what failed, beginning anew
what was stopped, or asking again for what nobody began. One button each, for one right."""


def may_stop(request: HttpRequest, job: models.Job) -> bool:
    """Whether a user may pause or cancel a job: their own, and those of a kind that they may ask for."""
    return store.asked_for_by(job).is_same(person(request)) or may(
        request, *PERMISSIONS[models.JobKind(job.kind)]
    )


def may_resume(request: HttpRequest, job: models.Job) -> bool:
    """Whether a user may go on with a job: it takes what asking for it took, even if it is their own."""
    return may(request, *PERMISSIONS[models.JobKind(job.kind)]) and may(request, *_of_its_own(job))


def _of_its_own(job: models.Job) -> Sequence[str]:
    """What this very job needs: the decisions of its plan, the migrations that it takes back."""
    if job.kind == models.JobKind.ROLLBACK and job.arguments.get("how") == "with_migrations":
        return PERMISSIONS[models.JobKind.MIGRATE]
    if job.kind != models.JobKind.REPAIR:
        return ()
    number, plan = job.arguments.get("resume"), job.arguments.get("plan", "")
    run = models.RepairRun.objects.filter(target=job.target_id, number=number).first() if number else None
    known = run or models.RepairRun(target=job.target, plan_hash=plan)
    return permissions_to_go_on(known)


def allowed(request: HttpRequest, job: models.Job) -> set[str]:
    """Returns what a user may do with a job as it goes: ``pause``, ``cancel``, `TAKING_UP`."""
    may_do = {"pause", "cancel"} if may_stop(request, job) else set()
    if job.kind not in PAUSABLE:
        may_do -= {"pause"}
    return may_do | (set(TAKING_UP) if may_resume(request, job) else set())


def possible(job: models.Job) -> set[str]:
    """Returns what can be done with a job as it stands."""
    if job.state in GOING:
        stuck = {"ask"} if job.state == models.RunState.PLANNED and job.is_silent else set()
        asked = {models.Wish.PAUSE: {"cancel"}, models.Wish.CANCEL: set[str]()}
        return asked.get(models.Wish(job.wish), {"pause", "cancel"}) | stuck
    return _taken_up(job)


def _taken_up(job: models.Job) -> set[str]:
    """How a job that is over can be taken up again, if at all."""
    failed = job.state == models.RunState.FAILED
    if failed and job.kind in NOT_AGAIN:
        return set()
    if job.kind in BEGUN_ANEW:
        ended = job.state in (*RESUMABLE, models.RunState.CANCELLED)
        return {"retry" if failed else "restart"} if ended else set()
    if job.state not in RESUMABLE:
        return set()
    return {"retry"} if failed and not (job.result.get("run") or "resume" in job.arguments) else {"resume"}
