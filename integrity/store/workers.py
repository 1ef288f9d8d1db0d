"""Who carries jobs out: processes of ``integrity_work``, and whatever else has a job just now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from integrity import models
from integrity.models.job import SILENCE
from integrity.store.site import site_database

FORGOTTEN = 10 * SILENCE
"""So long a worker is listed that says nothing any more: somebody may wonder where it is."""


@dataclass(frozen=True)
class Carrying:
    """A process that carries jobs out.

    ``since`` is when a worker began; of other processes only the jobs are known. ``jobs`` are those that it
    carries out now, with their targets.
    """

    name: str
    carrier: str
    since: datetime | None
    heard_at: datetime
    jobs: tuple[models.Job, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether it said nothing for so long that it has ended, or cannot reach the site's database."""
        return timezone.now() - self.heard_at > SILENCE


def worker_heard(name: str, since: datetime | None = None) -> None:
    """Notes that a worker is there, and since when."""
    facts = {"heard_at": timezone.now()} | ({"started_at": since} if since else {})
    with site_database():
        models.Worker.objects.update_or_create(name=name, defaults=facts)


def worker_left(name: str) -> None:
    """Takes a worker off the list, and those that nothing was heard of for long."""
    with site_database():
        models.Worker.objects.filter(Q(name=name) | Q(heard_at__lt=timezone.now() - FORGOTTEN)).delete()


def has_workers() -> bool:
    """Whether a worker was heard of lately."""
    return bool(count_workers())


def count_workers() -> int:
    """How many workers were heard of lately."""
    with site_database():
        return models.Worker.objects.filter(heard_at__gte=timezone.now() - SILENCE).count()


def carrying(most: int = 50) -> list[Carrying]:
    """Returns the workers, and the other processes that carry something out now, in two queries.

    Args:
        most: so many workers and so many jobs are looked at.
    """
    lately = timezone.now() - FORGOTTEN
    under_way = models.Job.objects.filter(state=models.RunState.RUNNING).exclude(worker="")
    with site_database():
        workers = list(models.Worker.objects.filter(heard_at__gte=lately)[:most])
        jobs = list(under_way.select_related("target").order_by("pk")[:most])
    has: dict[tuple[str, str], list[models.Job]] = {}
    for job in jobs:
        has.setdefault((job.carrier, job.worker), []).append(job)
    ours = models.Carrier.WORKER
    known = [
        Carrying(each.name, ours, each.started_at, each.heard_at, tuple(has.pop((ours, each.name), ())))
        for each in workers
    ]
    others = [
        Carrying(name, carrier, None, _last_heard(found), tuple(found))
        for (carrier, name), found in has.items()
    ]
    return known + others


def _last_heard(jobs: Iterable[models.Job]) -> datetime:
    return max(job.signs_of_life_at or job.created_at for job in jobs)
