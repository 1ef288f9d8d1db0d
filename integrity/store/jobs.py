"""Jobs: who takes one has it alone."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from integrity import models
from integrity.store.site import site_database
from integrity.store.targets import target_row


def create_job(alias: str, kind: models.JobKind, arguments: dict[str, Any], *, actor: str = "") -> models.Job:
    """Returns a new job that nobody has taken yet."""
    target = target_row(alias)
    with site_database():
        return models.Job.objects.create(target=target, kind=kind, arguments=arguments, actor=actor)


def open_jobs(alias: str, kind: models.JobKind) -> list[models.Job]:
    """Returns the jobs of a kind that are asked for or under way for a target."""
    going = (models.RunState.PLANNED, models.RunState.RUNNING)
    with site_database():
        return list(models.Job.objects.filter(target__alias=alias, kind=kind, state__in=going))


def load_job(pk: int) -> models.Job | None:
    """Returns a job, None where there is none of that number."""
    with site_database():
        return models.Job.objects.select_related("target").filter(pk=pk).first()


def begin_job(pk: int) -> models.Job | None:
    """Takes a job, or returns None when somebody else has it."""
    now = timezone.now()
    with site_database():
        waiting = models.Job.objects.filter(pk=pk, state=models.RunState.PLANNED)
        if not waiting.update(state=models.RunState.RUNNING, started_at=now, signs_of_life_at=now):
            return None
        return models.Job.objects.select_related("target").get(pk=pk)


def job_moved(pk: int, done: int, total: int | None, at: str) -> None:
    """Notes how far a job is."""
    with site_database():
        running = models.Job.objects.filter(pk=pk, state=models.RunState.RUNNING)
        running.update(done=done, total=total, at=at, signs_of_life_at=timezone.now())


def ask_job(pk: int, wish: models.Wish) -> bool:
    """Asks a job to pause or to end between two batches; returns False when it is over."""
    going = (models.RunState.PLANNED, models.RunState.RUNNING)
    with site_database():
        return bool(models.Job.objects.filter(pk=pk, state__in=going).update(wish=wish))


def wish_of(pk: int) -> models.Wish:
    """What somebody asks of a job."""
    with site_database():
        found = models.Job.objects.filter(pk=pk).values_list("wish", flat=True).first()
    return models.Wish(found or "")


def end_job(
    pk: int, state: models.RunState, *, result: dict[str, Any] | None = None, error: str = ""
) -> None:
    """Notes how a job ended."""
    now = timezone.now()
    with site_database():
        running = models.Job.objects.filter(pk=pk, state=models.RunState.RUNNING)
        running.update(state=state, result=result or {}, error=error, finished_at=now, signs_of_life_at=now)
