"""The task that a worker of Django's tasks carries out; imported only where a backend is configured."""

from __future__ import annotations

from typing import Any

from integrity import conf, models
from integrity.tasks.background.carrying import carry_out
from integrity.tasks.background.interface import tasks_module

_tasks: Any = tasks_module()


@_tasks.task(backend=conf.task_backend(), queue_name=conf.task_queue())  # type: ignore[untyped-decorator]
def carry_out_job(pk: int) -> bool:
    """Carries a job out; returns False when somebody else has it, or had it."""
    return carry_out(pk, carrier=models.Carrier.TASKS)
