"""Ready receivers for what somebody should be told: in the log, by mail. The setting ``ALERTS`` says whom."""

from __future__ import annotations

from typing import Any

from integrity import conf, signals
from integrity.alerts.alert import Alert, Kind, of_approval, of_migration, of_query, of_violation
from integrity.alerts.log import write_log
from integrity.alerts.mail import send_mail, wait_for_mails

__all__ = ["Alert", "Kind", "connect", "wait_for_mails"]


def connect() -> None:
    """Listens to the signals; what is done then is looked up in the settings each time."""
    signals.migration_failed.connect(_on_migration, dispatch_uid="integrity.alerts")
    signals.approval_asked.connect(_on_approval, dispatch_uid="integrity.alerts")
    signals.query_slower.connect(_on_query, dispatch_uid="integrity.alerts")
    signals.constraint_violated.connect(_on_violation, dispatch_uid="integrity.alerts")


def _on_migration(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
    _tell(of_migration(target, result))


def _on_approval(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
    _tell(of_approval(target, result))


def _on_query(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
    _tell(of_query(target, result))


def _on_violation(sender: Any, target: str, result: Any, **kwargs: Any) -> None:
    _tell(of_violation(target, result))


def _tell(alert: Alert) -> None:
    wanted = conf.alerts()
    if wanted.get("log"):
        write_log(alert)
    if wanted.get("mail") and alert.urgent:
        send_mail(alert)
