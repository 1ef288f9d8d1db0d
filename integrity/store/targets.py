"""What is known of targets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.models import Count, Q, Sum
from django.utils import timezone

from integrity import models
from integrity.exceptions import ReferentialIntegrityError
from integrity.store.site import site_database

_VENDORS = ("postgresql", "sqlite")


def target_row(alias: str) -> models.Target:
    """Returns what is stored of a target; it is made when nothing was."""
    with site_database():
        found, _ = models.Target.objects.get_or_create(alias=alias, defaults={"vendor": _vendor(alias)})
        return found


def know_targets() -> None:
    """Makes sure that every database of a supported vendor in `DATABASES` is known; opens none."""
    with site_database():
        known = set(models.Target.objects.values_list("alias", flat=True))
        new = [(alias, _vendor(alias)) for alias in connections.databases if alias not in known]
        rows = [models.Target(alias=alias, vendor=vendor) for alias, vendor in new if vendor in _VENDORS]
        if rows:
            models.Target.objects.bulk_create(rows, ignore_conflicts=True)


def reached(pk: int, *, vendor: str, server_version: str, schema_fingerprint: str) -> None:
    """Notes that a stored target was opened and what it is.

    One statement, and a writing one: within a transaction it is the lock on the target's row, and a
    transaction that begins by reading could not wait for its turn on SQLite.
    """
    with site_database():
        models.Target.objects.filter(pk=pk).update(
            vendor=vendor,
            server_version=server_version,
            schema_fingerprint=schema_fingerprint,
            reachable=True,
            error="",
            last_seen_at=timezone.now(),
        )


def count_open(targets: Iterable[int]) -> None:
    """Counts what stands open in stored targets, so that no page has to: call it after every change."""
    standing = ~Q(state__in=(models.FindingState.RESOLVED, models.FindingState.KEPT))
    orphans = Q(code=models.ORPHANED_ROWS)
    severities = {"errors": models.Severity.ERROR, "warnings": models.Severity.WARNING}
    severities["notices"] = models.Severity.INFO
    numbers: dict[str, Any] = {
        f"{name}_open": Count("pk", filter=standing & Q(severity=severity))
        for name, severity in severities.items()
    }
    numbers["orphans_open"] = Sum("rows", filter=orphans & standing, default=0)
    numbers["undecided"] = Count("pk", filter=orphans & standing & Q(decided=""))
    numbers["decided"] = Count("pk", filter=orphans & standing & ~Q(decided=""))
    kept = Q(state=models.FindingState.KEPT)
    numbers["orphans_kept"] = Sum("rows", filter=orphans & kept, default=0)
    with site_database():
        for target in targets:
            found = models.Finding.objects.filter(target=target).aggregate(**numbers)
            models.Target.objects.filter(pk=target).update(**found)


def unreachable(alias: str, error: ReferentialIntegrityError) -> None:
    """Notes that a target could not be opened, and why."""
    target = target_row(alias)
    with site_database():
        models.Target.objects.filter(pk=target.pk).update(reachable=False, error=str(error))


def _vendor(alias: str) -> str:
    return connections.create_connection(alias).vendor if alias in connections.databases else ""
