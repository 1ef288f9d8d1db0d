"""The documents that programs read of all targets: health, status and statistics.

Each has a ``version``; keys are added, never renamed or taken away, while it stays the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import DatabaseError, connections
from django.utils import timezone

from integrity import store
from integrity.exceptions import ReferentialIntegrityError
from integrity.store.overview import Remembered, orphans_by_target, remembered
from integrity.store.site import alias as site_alias
from integrity.tasks.probing import Looked, Measured, known_aliases, looks, measures, migrations_on_disk

VERSION = 1
NO_ANSWER = "It did not answer in time."


def site_answers() -> str:
    """Returns why the site's own database does not answer, empty where it does."""
    try:
        with store.site_database(), connections[site_alias()].cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except (ReferentialIntegrityError, DatabaseError) as error:
        return str(error).strip()
    return ""


def health(only: Collection[str] = ()) -> dict[str, Any]:
    """Returns whether the site's own database and the targets answer.

    ``status`` is ``ok``, ``degraded`` where a target does not answer, ``down`` where the site's own
    database does not.
    """
    error = site_answers()
    targets = [_answers(alias, each) for alias, each in looks.look(_chosen(only)).items()]
    reached = all(each["reachable"] for each in targets)
    status = "down" if error else "ok" if reached else "degraded"
    site = {"reachable": not error, "error": error}
    return {"version": VERSION, "status": status, "site": site, "targets": targets}


def status(only: Collection[str] = ()) -> dict[str, Any]:
    """Returns where each target stands: reachable, audited, migrated, and what is going on."""
    known, found = remembered(), looks.look(_chosen(only))
    targets = [_status(alias, each, known.get(alias) or Remembered()) for alias, each in found.items()]
    return {"version": VERSION, "at": timezone.now(), "targets": targets}


def stats(only: Collection[str] = ()) -> dict[str, Any]:
    """Returns rows, sizes and uses of indexes of each target, and its orphans at the last audit."""
    (orphans, cut), found = orphans_by_target(), measures.look(_chosen(only))
    targets = [_stats(alias, each, orphans.get(alias, {}), cut=cut) for alias, each in found.items()]
    return {"version": VERSION, "at": timezone.now(), "targets": targets}


def _chosen(only: Collection[str]) -> list[str]:
    return [alias for alias in known_aliases() if not only or alias in only]


def _answers(alias: str, looked: Looked | None) -> dict[str, Any]:
    looked = looked or Looked(alias, False, error=NO_ANSWER)
    return {
        "target": alias,
        "reachable": looked.reachable,
        "milliseconds": looked.milliseconds,
        "error": looked.error,
    }


def _status(alias: str, looked: Looked | None, known: Remembered) -> dict[str, Any]:
    return _answers(alias, looked) | {
        "vendor": known_aliases()[alias],
        "server_version": looked.server_version if looked else "",
        "audit": _audit(known),
        "migrations": _migrations(alias, looked, known),
        "running": known.running,
    }


def _audit(known: Remembered) -> dict[str, Any]:
    age = (timezone.now() - known.audited_at).total_seconds() if known.audited_at else None
    return {
        "state": known.audit_state or "never",
        "finished_at": known.audited_at,
        "age_s": None if age is None else round(age),
        "complete": known.audit_complete,
        "findings": {name: known.findings.get(name, 0) for name in ("error", "warning", "info")},
        "kept": known.kept,
        "orphans": known.orphaned_rows,
    }


def _migrations(alias: str, looked: Looked | None, known: Remembered) -> dict[str, Any]:
    """What the target's own ledger says, held against the catalog's files; None where it was not seen."""
    names, others = migrations_on_disk(alias)
    failed = [{"migration": name, "error": error} for name, error in known.failed.items()]
    if looked is None or not looked.reachable:
        unseen = {"applied": None, "pending": None, "unknown": None}
        return unseen | {"left_out": sorted(others), "failed": failed}
    applied = looked.applied or ()
    return {
        "applied": len(applied),
        "pending": [name for name in names if name not in applied and name not in others],
        "unknown": [name for name in applied if name not in names],
        "left_out": sorted(others - set(applied)),
        "failed": failed,
    }


def _stats(alias: str, measured: Measured | None, orphans: Mapping[str, int], *, cut: bool) -> dict[str, Any]:
    measured = measured or Measured(alias, error=NO_ANSWER)
    found = measured.statistics
    listed = [{"reference": label, "rows": rows} for label, rows in orphans.items()]
    facts = {"target": alias, "error": measured.error, "orphans": listed, "truncated": cut}
    if found is None:
        usage = _usage(False, measured.error)
        return facts | {"bytes": None, "tables": [], "indexes": [], "index_usage": usage}
    counts = found.indexes is not None
    reason = "" if counts else "SQLite does not count how often an index is used."
    return facts | {
        "bytes": found.bytes,
        "truncated": cut or found.truncated,
        "tables": [each.as_json() for each in found.tables],
        "indexes": [each.as_json() for each in found.indexes or ()],
        "index_usage": _usage(counts, reason) | {"since": found.since},
    }


def _usage(available: bool, reason: str) -> dict[str, Any]:
    return {"available": available, "reason": reason, "since": None}
