"""Alerts in the log, under a name of their own."""

from __future__ import annotations

import logging

from integrity.alerts.alert import Alert, Kind

logger = logging.getLogger("integrity.alerts")


def write_log(alert: Alert) -> None:
    """Writes one line; a record's ``integrity`` holds the facts, for formatters that write JSON."""
    severe = alert.urgent and alert.kind not in (Kind.QUERY_SLOWER, Kind.APPROVAL_ASKED)
    logger.log(
        logging.ERROR if severe else logging.WARNING,
        "%s: %s",
        alert.title,
        " ".join(alert.text.split()),
        extra={"integrity": {"alert": str(alert.kind), "target": alert.target, **alert.facts}},
    )
