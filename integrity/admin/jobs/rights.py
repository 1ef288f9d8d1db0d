"""Who may stop a job, and who may go on with it."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest

from integrity import models
from integrity.admin.base import actor, may
from integrity.admin.deciding.rights import permissions_to_go_on
from integrity.store.jobs import GOING, RESUMABLE

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


def may_stop(request: HttpRequest, job: models.Job) -> bool:
    """Whether a user may pause or cancel a job: their own, and those of a kind that they may ask for."""
    return job.actor == actor(request) or may(request, *PERMISSIONS[models.JobKind(job.kind)])


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
    """Returns what a user may do with a job as it goes: ``pause``, ``cancel``, ``resume``."""
    may_do = {"pause", "cancel"} if may_stop(request, job) else set()
    if job.kind not in PAUSABLE:
        may_do -= {"pause"}
    return may_do | ({"resume"} if may_resume(request, job) else set())


def possible(job: models.Job) -> set[str]:
    """Returns what can be done with a job as it stands."""
    if job.state in GOING:
        stuck = {"resume"} if job.state == models.RunState.PLANNED and job.is_silent else set()
        asked = {models.Wish.PAUSE: {"cancel"}, models.Wish.CANCEL: set[str]()}
        return asked.get(models.Wish(job.wish), {"pause", "cancel"}) | stuck
    failed_for_good = job.state == models.RunState.FAILED and job.kind in NOT_AGAIN
    return {"resume"} if job.state in RESUMABLE and not failed_for_good else set()
