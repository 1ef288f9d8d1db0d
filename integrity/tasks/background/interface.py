"""Django's tasks, where there are any: `django.tasks`, else `django_tasks`.

A backend that carries work out at once would do so within the request, and one that does nothing would
never do it: both count as none.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from integrity import conf

logger = logging.getLogger(__name__)

_NOT_OUTSIDE = ("immediate.ImmediateBackend", "dummy.DummyBackend")


def tasks_module() -> Any | None:
    """Returns Django's tasks, None where nothing of the kind is installed."""
    for name in ("django.tasks", "django_tasks"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def is_usable() -> bool:
    """Whether a backend is configured that carries work out outside of requests."""
    module = tasks_module()
    if module is None:
        return False
    try:
        backend = module.task_backends[conf.task_backend()]
    except Exception:
        logger.debug("The backend of Django's tasks cannot be used", exc_info=True)
        return False
    return not any(isinstance(backend, kind) for kind in _kinds(module.__name__))


def _kinds(package: str) -> list[type]:
    names = [f"{package}.backends.{each}" for each in _NOT_OUTSIDE]
    places = [name.rpartition(".") for name in names]
    return [getattr(import_module(module), kind) for module, _, kind in places]


def enqueue(pk: int) -> str:
    """Gives a job to Django's tasks.

    Returns:
        the number of its task.

    Raises:
        Exception: whatever the backend raises when its queue cannot be reached.
    """
    from integrity.tasks.background.queued import carry_out_job  # noqa: PLC0415 - needs a backend

    return str(carry_out_job.enqueue(pk).id)
