"""What leaves a target as it is: audits, plans, backups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath

from integrity import conf, models, signals, store
from integrity.audit import AuditResult, OnProgress, audit
from integrity.database.identifiers import Path
from integrity.database.session import Target
from integrity.exceptions import BackupFailed, ReferentialIntegrityError, TargetUnreachable
from integrity.plans import Plan, Request, make_plan
from integrity.references import load_catalog
from integrity.references.django_models import others_of as others_of


def audit_and_store(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    only: Sequence[Path] = (),
    statement_timeout_ms: int | None = None,
    on_progress: OnProgress | None = None,
    actor: str = "",
) -> AuditResult:
    """Audits a target and stores what was found; ``result.run`` is the stored run's number.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        only: the references to look at, all when empty.
        statement_timeout_ms: how long one check may take.
        on_progress: told after each check.
        actor: who asks.

    Raises:
        ReferentialIntegrityError: when the target cannot be audited; the stored run says why.
    """
    target = Target(alias)
    run = store.begin_audit(alias, actor=actor, narrowed=bool(only))
    try:
        result = audit(
            target,
            load_catalog(alias, catalog_file),
            only=only,
            others=others_of(target),
            statement_timeout_ms=statement_timeout_ms,
            on_progress=on_progress,
        )
        store.store_audit(result, run=run, only=only)
    except BaseException as error:
        _note_failure(alias, run, error)
        raise
    signals.audit_finished.send_robust(models.AuditRun, target=alias, result=result)
    return result


def plan_and_store(
    alias: str,
    requests: Sequence[Request] = (),
    *,
    catalog_file: FilePath | None = None,
    max_rows: int | None = None,
    on_step: Callable[[str], None] | None = None,
    actor: store.Actor = "",
) -> Plan:
    """Makes a plan and stores it under its hash, by which it can be approved.

    Args:
        alias: the target.
        requests: what somebody decided; without any, every reference by its policy.
        catalog_file: a catalog lent for this plan.
        max_rows: refuse a plan that touches more rows than this.
        on_step: told the reference that is being counted.
        actor: who asks.

    Raises:
        PlanRefused, TooManyRows, UnknownReference, CatalogError: see :func:`integrity.plans.make_plan`.
    """
    target = Target(alias)
    catalog = load_catalog(alias, catalog_file)
    others = others_of(target)
    plan = make_plan(target, catalog, requests, max_rows=max_rows, others=others, on_step=on_step)
    store.store_plan(plan, actor=actor)
    return plan


def backup_and_store(alias: str, *, folder: FilePath | None = None, actor: str = "") -> models.Backup:
    """Takes a backup of a target into ``folder`` (default: the setting) and records it.

    Raises:
        BackupFailed: with the reason; nothing is recorded.
    """
    target = Target(alias)
    place = folder or conf.backup_root()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "Let INTEGRITY['BACKUP_ROOT'] name a folder that can be written."
        raise BackupFailed(f"The backup failed: {error.strerror}", where=str(place), hint=hint) from error
    file = target.engine.backup(target, place)
    try:
        return store.store_backup(alias, file, actor=actor)
    except ReferentialIntegrityError as error:
        error.hint = f"{error.hint} The backup itself is whole: {file}.".strip()
        raise


def _note_failure(alias: str, run: models.AuditRun, error: BaseException) -> None:
    store.end_audit(run, error)
    if isinstance(error, TargetUnreachable):
        store.unreachable(alias, error)
