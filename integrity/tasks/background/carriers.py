"""Who carries a job out: a worker of Django's tasks, ``integrity_work``, or a thread of this process."""

from __future__ import annotations

from integrity import conf, models, store
from integrity.tasks.background import interface

AUTO = "auto"
CARRIERS = (AUTO, *models.Carrier.values)
"""What the setting CARRIER may say."""


def choose_carrier(kind: str) -> models.Carrier:
    """Returns who is to carry out a job of a kind.

    Plans are short, and somebody waits for them before a page: a thread makes them, unless the setting
    says otherwise.
    """
    wanted = conf.carrier()
    if wanted == models.Carrier.TASKS and not interface.is_usable():
        wanted = AUTO
    if wanted in models.Carrier.values:
        return models.Carrier(wanted)
    if kind == models.JobKind.PLAN:
        return models.Carrier.THREAD
    if interface.is_usable():
        return models.Carrier.TASKS
    return models.Carrier.WORKER if store.has_workers() else models.Carrier.THREAD
