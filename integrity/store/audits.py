"""Audits and what they found, carried from run to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice

from django.db.models import F, QuerySet
from django.utils import timezone

from integrity import models
from integrity.audit import AuditResult
from integrity.database.identifiers import Path
from integrity.detectors import Detector, Finding, all_detectors
from integrity.exceptions import Interrupted
from integrity.plans.offers import suggested
from integrity.references.reference import written
from integrity.store.reference_maps import store_references
from integrity.store.site import site_database
from integrity.store.standing import reopen_expired
from integrity.store.targets import count_open, reached, target_row

BATCH = 500
GIVEN_UP_AFTER = timedelta(days=1)
"""An audit that has said nothing for so long is not running any more."""

_UPDATED = [
    "severity", "label", "rows", "missing_keys", "source", "message", "suggestion", "evidence",
    "cause", "suggested", "last_seen_run",
]  # fmt: skip


def begin_audit(alias: str, *, actor: str = "", narrowed: bool = False) -> models.AuditRun:
    """Returns a new audit run, so that people see that one is on its way."""
    target = target_row(alias)
    now = timezone.now()
    with site_database():
        runs = models.AuditRun.objects.filter(target=target)
        lost = runs.filter(state=models.RunState.RUNNING, started_at__lt=now - GIVEN_UP_AFTER)
        lost.update(state=models.RunState.INTERRUPTED, finished_at=now)
        return models.AuditRun.objects.create(target=target, started_at=now, actor=actor, narrowed=narrowed)


def end_audit(run: models.AuditRun, error: BaseException) -> None:
    """Notes that an audit came to nothing, and why."""
    stopped = isinstance(error, KeyboardInterrupt | Interrupted)
    state = models.RunState.CANCELLED if stopped else models.RunState.FAILED
    with site_database():
        running = models.AuditRun.objects.filter(pk=run.pk, state=models.RunState.RUNNING)
        running.update(state=state, error=str(error), finished_at=timezone.now())


def store_audit(
    result: AuditResult,
    *,
    run: models.AuditRun | None = None,
    only: Sequence[Path] = (),
    actor: str = "",
) -> models.AuditRun:
    """Stores an audit; findings that it looked for and did not find any more become resolved.

    The target's row is the lock: two audits of a target are stored one after the other, and what a
    later run said is not overwritten by an earlier one that took longer.

    Args:
        result: what the audit found; its ``run`` is set.
        run: the run that :func:`begin_audit` gave, a new one when None.
        only: the references that were asked for; nothing is said of others.
        actor: who asked.
    """
    run = run or begin_audit(result.target, actor=actor, narrowed=bool(only))
    found = {finding.fingerprint: finding for finding in result.findings}
    with site_database(atomic=True):
        reached(
            run.target_id,
            vendor=result.vendor,
            server_version=result.server_version,
            schema_fingerprint=result.schema_fingerprint,
        )
        stored = models.Finding.objects.filter(target=run.target_id)
        newer = set(stored.filter(last_seen_run__gt=run.pk).values_list("fingerprint", flat=True))
        _store_findings(run, [each for key, each in found.items() if key not in newer])
        _resolve(run, _not_found(run, result, only))
        reopen_expired(run.target_id)
        count_open([run.target_id])
        store_references(run, result)
        _finish(run, result)
    result.run = run.pk
    run.refresh_from_db()
    return run


def last_audit(alias: str) -> models.AuditRun | None:
    """Returns the last audit of a target that came to its end, or None."""
    with site_database():
        finished = models.AuditRun.objects.filter(target__alias=alias, state=models.RunState.FINISHED)
        return finished.select_related("target").first()


def _store_findings(run: models.AuditRun, findings: Sequence[Finding]) -> None:
    stored = models.Finding.objects.filter(target=run.target_id)
    for batch in _batches(findings):
        known = stored.filter(fingerprint__in=[each.fingerprint for each in batch])
        known.update(previous_rows=F("rows"))
        known.filter(state=models.FindingState.RESOLVED).update(
            state=models.FindingState.OPEN, decided="", opened_at=timezone.now(), resolved_at=None
        )
        models.Finding.objects.bulk_create(
            [_row(run, each) for each in batch],
            update_conflicts=True,
            unique_fields=["target", "fingerprint"],
            update_fields=_UPDATED,
        )


def _row(run: models.AuditRun, finding: Finding) -> models.Finding:
    parent = finding.referenced_table
    return models.Finding(
        target_id=run.target_id,
        fingerprint=finding.fingerprint,
        code=finding.code,
        severity=str(finding.severity),
        label=written(finding.table, finding.columns),
        schema_name=finding.table.schema,
        table_name=finding.table.name,
        columns=list(finding.columns),
        referenced_schema=parent.schema if parent else "",
        referenced_table=parent.name if parent else "",
        referenced_columns=list(finding.referenced_columns),
        object=finding.object,
        rows=finding.rows,
        missing_keys=finding.missing_keys,
        source=finding.source,
        cause=_cause(finding),
        suggested=_suggested(finding),
        message=finding.message,
        suggestion=finding.suggestion,
        evidence=finding.evidence,
        first_seen_run=run,
        last_seen_run=run,
    )


def _cause(finding: Finding) -> str:
    """What explains most of the rows; the first of several that explain as many."""
    causes = finding.evidence.get("causes") or []
    return str(max(causes, key=lambda each: each["rows"])["kind"]) if causes else ""


def _suggested(finding: Finding) -> str:
    about_orphans = finding.code == models.ORPHANED_ROWS
    return str(suggested(finding.evidence, finding.rows) or "") if about_orphans else ""


def _not_found(run: models.AuditRun, result: AuditResult, only: Sequence[Path]) -> QuerySet[models.Finding]:
    """The findings of earlier runs that this one looked for in vain: what it did not look at stays open."""
    gone = models.Finding.objects.filter(target=run.target_id, last_seen_run__lt=run.pk)
    gone = gone.exclude(state=models.FindingState.RESOLVED)
    if result.coverage.complete and not only:
        return gone
    gaps = result.coverage.skipped + result.coverage.timed_out
    not_checked = {each.get("reference") for each in gaps}
    looked_at = [
        each.pk
        for each in gone.filter(code__in=_codes_of(Detector.check_reference))
        if each.label not in not_checked and (not only or any(_named(each, path) for path in only))
    ]
    if not only:
        not_checked = {each.get("unique") for each in gaps}
        uniques = gone.filter(code__in=_codes_of(Detector.check_unique))
        looked_at += [each.pk for each in uniques if each.label not in not_checked]
    return gone.filter(pk__in=looked_at)


def _named(finding: models.Finding, path: Path) -> bool:
    schema = path.schema in (None, finding.schema_name)
    return schema and path.table == finding.table_name and set(path.columns) == set(finding.columns)


def _codes_of(check: Callable[..., object]) -> list[str]:
    """The codes of what is looked for reference by reference, or unique by unique."""
    name = check.__name__
    return [each.code for each in all_detectors() if getattr(type(each), name) is not check]


def _resolve(run: models.AuditRun, gone: QuerySet[models.Finding]) -> None:
    gone.update(
        state=models.FindingState.RESOLVED,
        resolved_at=timezone.now(),
        previous_rows=F("rows"),
        rows=0,
        missing_keys=0,
    )


def _finish(run: models.AuditRun, result: AuditResult) -> None:
    models.AuditRun.objects.filter(pk=run.pk).update(
        state=models.RunState.FINISHED,
        finished_at=timezone.now(),
        complete=result.coverage.complete,
        coverage=result.coverage.as_json(),
        findings_count=len(result.findings),
        orphans_count=sum(each.rows for each in result.with_code(models.ORPHANED_ROWS)),
        server_version=result.server_version,
        schema_fingerprint=result.schema_fingerprint,
        error="",
    )


def _batches(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    rest = iter(findings)
    while batch := list(islice(rest, BATCH)):
        yield batch
