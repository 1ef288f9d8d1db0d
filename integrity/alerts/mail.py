"""Alerts by mail: one for a burst, sent beside the request, and never in its way."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage, get_connection
from django.db import connections

from integrity import conf
from integrity.alerts.alert import Alert

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_MAILS = 3_600
"""Between two mails of one kind about one target, unless ``mail_seconds`` says otherwise."""

SMTP_SECONDS = 10
LONGEST_SUBJECT = 200


class _Bursts:
    """Lets the first of a burst through and counts the rest: in this process by itself, between processes
    by the site's cache, where that is shared."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def first(self, key: str, seconds: float) -> bool:
        with self._lock:
            now = time.monotonic()
            if self._until.get(key, 0.0) > now:
                self._held_back[key] = self._held_back.get(key, 0) + 1
                return False
            self._until[key] = now + seconds
            return True

    def held_back(self, key: str) -> int:
        """How many were held back since the last mail; counts anew."""
        with self._lock:
            return self._held_back.pop(key, 0)

    def forget(self) -> None:
        with self._lock:
            self._until.clear()
            self._held_back.clear()


bursts = _Bursts()
_lock = Lock()
_pool: list[ThreadPoolExecutor] = []
_waiting: set[Future[None]] = set()


def send_mail(alert: Alert) -> None:
    """Mails an alert to those whom ``ALERTS`` names, unless one of its kind was mailed a while ago."""
    key = ":".join(filter(None, (str(alert.kind), alert.target, alert.about)))
    seconds = float(conf.alerts().get("mail_seconds", SECONDS_BETWEEN_MAILS))
    if not bursts.first(key, seconds):
        return
    with _lock:
        if not _pool:
            _pool.append(ThreadPoolExecutor(1, thread_name_prefix="integrity-mail"))
        future = _pool[0].submit(_send, alert, key, seconds, recipients(), bursts.held_back(key))
        _waiting.add(future)
    future.add_done_callback(_waiting.discard)


def wait_for_mails(seconds: float = 30) -> bool:
    """Waits until the mails of this process are sent; returns whether they are."""
    return not wait(list(_waiting), timeout=seconds).not_done


def recipients() -> list[str]:
    """The addresses in ``ALERTS``; True stands for ``ADMINS``."""
    wanted = conf.alerts().get("mail")
    if wanted is True:
        return [each if isinstance(each, str) else each[1] for each in settings.ADMINS]
    if isinstance(wanted, str):
        return [wanted]
    return list(wanted or ())


def _send(alert: Alert, key: str, seconds: float, to: Sequence[str], held_back: int) -> None:
    """A mail that cannot be sent is a line in the log."""
    try:
        if to and _first_of_all_processes(key, seconds):
            _message(alert, to, held_back).send()
    except Exception:
        logger.exception("The alert could not be mailed: %s", alert.title)
    finally:
        connections.close_all()


def _first_of_all_processes(key: str, seconds: float) -> bool:
    name = f"integrity.alerts:{key.encode().hex()}"
    try:
        return bool(cache.add(name, 1, timeout=max(1, int(seconds)))) if seconds > 0 else True
    except Exception:
        logger.warning("The cache cannot say whether an alert was mailed already", exc_info=True)
        return True


def _message(alert: Alert, to: Sequence[str], held_back: int) -> EmailMessage:
    facts = "\n".join(f"{name}: {value}" for name, value in alert.facts.items() if name != "checks")
    more = f"\n\n{held_back} more of this kind since the last mail." if held_back else ""
    subject = f"{settings.EMAIL_SUBJECT_PREFIX}{' '.join(alert.title.split())}"[:LONGEST_SUBJECT]
    return EmailMessage(
        subject,
        f"{alert.text}\n\n{facts}{more}\n",
        settings.SERVER_EMAIL,
        list(to),
        connection=_connection(),
    )


def _connection() -> Any:
    """A mail server that hangs must not keep a command from ending."""
    smtp = settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    return (
        get_connection(timeout=SMTP_SECONDS) if smtp and settings.EMAIL_TIMEOUT is None else get_connection()
    )
