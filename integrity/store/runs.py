"""Repairs, migrations and backups: a mirror of what happened in targets, for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrity import models
from integrity.exceptions import BackupFailed
from integrity.repairs.journal import RunRecord
from integrity.repairs.result import RepairResult, RollbackResult
from integrity.store.site import site_database
from integrity.store.targets import target_row

_MIRRORED = [
    "kind", "state", "plan_hash", "rows", "rows_changed", "rows_refused", "refusals", "of", "actor",
    "started_at", "finished_at", "error",
]  # fmt: skip


def mirror_runs(alias: str, records: Iterable[RunRecord]) -> int:
    """Stores what a target's journal says of its runs; returns how many there are.

    The journal is the truth: whatever was stored of a run before is replaced.
    """
    target = target_row(alias)
    rows = [_mirrored(target, record) for record in records]
    with site_database(atomic=True):
        models.RepairRun.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["target", "number"],
            update_fields=_MIRRORED,
        )
    return len(rows)


def store_repair(result: RepairResult) -> models.RepairRun | None:
    """Stores what a repair or a rollback came to; a dry run (without a number) leaves nothing.

    What only the journal knows (who, when) comes with :func:`mirror_runs`.
    """
    if result.run is None or result.dry_run:
        return None
    target = target_row(result.target)
    facts = _facts(result)
    with site_database():
        known = models.RepairRun.objects.filter(target=target, number=result.run)
        if not known.update(**facts):
            _, made = models.RepairRun.objects.get_or_create(target=target, number=result.run, defaults=facts)
            if not made:
                known.update(**facts)
        return known.get()


def store_migration_step(
    alias: str,
    migration: str,
    *,
    direction: models.Direction | str = models.Direction.FORWARD,
    state: models.RunState | str = models.RunState.FINISHED,
    phase: int | None = None,
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
    seconds: float | None = None,
    sql: str = "",
    error: str = "",
    checks: Sequence[Mapping[str, Any]] = (),
    operations: Sequence[Mapping[str, Any]] = (),
    actor: str = "",
) -> models.MigrationRun:
    """Stores that one migration was applied to a target, or reversed, or failed."""
    target = target_row(alias)
    with site_database():
        return models.MigrationRun.objects.create(
            target=target,
            migration=migration,
            direction=direction,
            state=state,
            phase=phase,
            started_at=started_at,
            finished_at=finished_at,
            seconds=seconds,
            sql=sql,
            error=error,
            checks=list(checks),
            operations=list(operations),
            actor=actor,
        )


def longest_migrations(aliases: Collection[str]) -> dict[tuple[str, str], tuple[float, str]]:
    """Returns how long each migration took at most, in seconds, and on which of these targets.

    Args:
        aliases: the targets that share a catalog: what took long on one may on another.

    Returns:
        (migration, direction) → (seconds, alias)
    """
    done = models.MigrationRun.objects.filter(
        target__alias__in=aliases, state=models.RunState.FINISHED, seconds__isnull=False
    )
    with site_database():
        rows = done.order_by("seconds").values_list("migration", "direction", "seconds", "target__alias")
        return {(name, direction): (seconds or 0.0, alias) for name, direction, seconds, alias in rows}


def store_backup(alias: str, file: Path, *, actor: str = "") -> models.Backup:
    """Stores that a backup of a target was taken into ``file``.

    Raises:
        BackupFailed: when there is no such file.
    """
    if not file.exists():
        raise BackupFailed(
            "The backup is not there", where=str(file), hint="Nothing was recorded; take it again."
        )
    size = file.stat().st_size if file.is_file() else sum(each.stat().st_size for each in file.rglob("*"))
    target = target_row(alias)
    with site_database():
        return models.Backup.objects.create(target=target, file=str(file), size=size, actor=actor)


def last_backup(alias: str) -> models.Backup | None:
    """Returns the last backup of a target, or None."""
    with site_database():
        return models.Backup.objects.filter(target__alias=alias).first()


def migration_runs(alias: str, most: int = 50) -> list[models.MigrationRun]:
    """Returns the last migrations that were applied to a target, reversed, or failed; the newest first."""
    with site_database():
        return list(models.MigrationRun.objects.filter(target__alias=alias)[:most])


def _mirrored(target: models.Target, record: RunRecord) -> models.RepairRun:
    return models.RepairRun(
        target=target,
        number=record.number,
        kind=record.kind,
        state=str(record.state),
        plan_hash=record.plan_hash,
        rows=record.rows,
        rows_changed=_changed(record.rows),
        rows_refused=_refused(record.rows),
        refusals=record.refusals,
        of=record.of,
        actor=record.actor,
        started_at=_moment(record.started_at),
        finished_at=_moment(record.finished_at),
        error=record.error,
    )


def _facts(result: RepairResult) -> dict[str, Any]:
    data = result.as_json()
    facts = {
        "kind": result.kind,
        "state": str(result.state),
        "plan_hash": result.plan,
        "rows": data["rows"],
        "rows_changed": _changed(data["rows"]),
        "rows_refused": _refused(data["rows"]),
        "refusals": data["refusals"],
        "error": result.error,
    }
    if isinstance(result, RollbackResult):
        facts |= {"of": result.of or None, "proof": data["proof"]}
    return facts


def _changed(rows: Mapping[str, Mapping[str, int]]) -> int:
    changes = ("deleted", "updated", "restored", "inserted")
    return sum(tally.get(change, 0) for tally in rows.values() for change in changes)


def _refused(rows: Mapping[str, Mapping[str, int]]) -> int:
    return sum(tally.get("refused", 0) for tally in rows.values())


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
