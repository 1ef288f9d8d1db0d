"""The settings of this product, one function each, all under ``INTEGRITY`` in Django's settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings


def _setting(name: str, default: Any) -> Any:
    return getattr(settings, "INTEGRITY", {}).get(name, default)


def catalog_root() -> Path:
    """``CATALOG_ROOT``: the folder that holds a target catalog per target (``migrations_catalog``)."""
    base = getattr(settings, "BASE_DIR", Path.cwd())
    return Path(_setting("CATALOG_ROOT", Path(base) / "migrations_catalog"))


def catalog_package() -> str:
    """``CATALOG_PACKAGE``: the import name of that folder (``migrations_catalog``)."""
    return str(_setting("CATALOG_PACKAGE", catalog_root().name))


def lock_timeout_ms() -> int:
    """``LOCK_TIMEOUT_MS``: how long a change waits for a lock, in milliseconds (2,000)."""
    return int(_setting("LOCK_TIMEOUT_MS", 2_000))


def lock_attempts() -> int:
    """``LOCK_ATTEMPTS``: how often a lock is tried for, with backoff, before giving up (5)."""
    return int(_setting("LOCK_ATTEMPTS", 5))


def statement_timeout_ms() -> int:
    """``STATEMENT_TIMEOUT_MS``: how long one check may take, in milliseconds (0: no limit)."""
    return int(_setting("STATEMENT_TIMEOUT_MS", 0))


def batch_rows() -> int:
    """``BATCH_ROWS``: rows in the first batch of a repair; later ones adapt (1,000)."""
    return int(_setting("BATCH_ROWS", 1_000))


def batch_seconds() -> float:
    """``BATCH_SECONDS``: the time a batch aims at, in seconds (0.5)."""
    return float(_setting("BATCH_SECONDS", 0.5))


def foreseen_rows() -> int:
    """``FORESEEN_ROWS``: how many rows a plan looks at to tell exactly which stay; beyond that its numbers
    are at most what happens (100,000)."""
    return int(_setting("FORESEEN_ROWS", 100_000))


def sample_rows() -> int:
    """``SAMPLE_ROWS``: how many rows and missing keys a finding keeps as samples (10)."""
    return int(_setting("SAMPLE_ROWS", 10))


def csv_rows() -> int:
    """``CSV_ROWS``: rows that a CSV file has at most; where there are more, its end says so (1,000,000)."""
    return int(_setting("CSV_ROWS", 1_000_000))


def backup_root() -> Path:
    """``BACKUP_ROOT``: the folder for backups (``var/backups`` under ``BASE_DIR``)."""
    base = getattr(settings, "BASE_DIR", Path.cwd())
    return Path(_setting("BACKUP_ROOT", Path(base) / "var" / "backups"))


def writes_migrations() -> bool:
    """``WRITES_MIGRATIONS``: whether admin may write migration files (default: ``DEBUG``)."""
    return bool(_setting("WRITES_MIGRATIONS", settings.DEBUG))


def environment() -> str:
    """``ENVIRONMENT``: which environment of its catalogs this site is in: ``production``, ``test``
    (default: INTEGRITY_ENVIRONMENT of the environment; empty: nobody said)."""
    return str(_setting("ENVIRONMENT", os.environ.get("INTEGRITY_ENVIRONMENT", "")))


def direct_alias(alias: str) -> str:
    """``DIRECT``: for a pooled target, the alias that reaches its server directly."""
    return str(_setting("DIRECT", {}).get(alias, alias))


def approvals() -> int | None:
    """``APPROVALS``: from how many touched rows on a plan needs a second person (``True``: from the first;
    ``False``: never)."""
    given = _setting("APPROVALS", False)
    if given is None or given is False:
        return None
    return max(1, int(given))


def approval_days() -> int:
    """``APPROVAL_DAYS``: after how many days an approval, or the question for it, ends (7)."""
    return int(_setting("APPROVAL_DAYS", 7))


def typed_rows() -> int:
    """``TYPED_ROWS``: a plan that touches more rows is run from admin only by typing their number (1,000)."""
    return int(_setting("TYPED_ROWS", 1_000))


def metrics_token() -> str:
    """``METRICS_TOKEN``: what a program sends to read the metrics (default: INTEGRITY_METRICS_TOKEN of the
    environment; empty: no program may)."""
    return str(_setting("METRICS_TOKEN", os.environ.get("INTEGRITY_METRICS_TOKEN", "")))


def migrate_tokens() -> Mapping[str, str]:
    """``MIGRATE_TOKENS``: who may migrate over HTTP: by a name of theirs the token, or ``sha256:`` and its
    digest (default: INTEGRITY_MIGRATE_TOKEN of the environment, named ``environment``; none: no program)."""
    given = _setting("MIGRATE_TOKENS", None)
    if isinstance(given, Mapping):
        return {str(name): str(token) for name, token in given.items()}
    token = os.environ.get("INTEGRITY_MIGRATE_TOKEN", "")
    return {"environment": token} if token else {}


def carrier() -> str:
    """``CARRIER``: who carries out what pages ask for: ``auto``, ``thread``, ``worker`` or ``tasks``
    (``auto``: Django's tasks where a backend is configured, else ``integrity_work``, else a thread)."""
    return str(_setting("CARRIER", "auto"))


def task_backend() -> str:
    """``TASK_BACKEND``: the backend of Django's ``TASKS`` that jobs are given to (``default``)."""
    return str(_setting("TASK_BACKEND", "default"))


def task_queue() -> str:
    """``TASK_QUEUE``: the queue of that backend (``default``)."""
    return str(_setting("TASK_QUEUE", "default"))


def alerts() -> Mapping[str, Any]:
    """``ALERTS``: who is told when something goes wrong (nobody)."""
    given = _setting("ALERTS", {})
    return given if isinstance(given, Mapping) else {}


def pg_dump() -> str:
    """``PG_DUMP``: the ``pg_dump`` to take backups with (default: the newest that is found)."""
    return str(_setting("PG_DUMP", ""))


def admin_models() -> tuple[str, ...]:
    """``ADMIN_MODELS``: the target catalogs whose models admin shows, read-only (none)."""
    return tuple(_setting("ADMIN_MODELS", ()))
