"""The page of an audit: what it looked at and what not, what it found, and how that compares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may, told
from integrity.admin.overview import addresses
from integrity.admin.overview.cards import gaps_of
from integrity.admin.records.page import SHOWN_AT_MOST, Column, Record, Table, Tile, Way, moment
from integrity.admin.repair_runs.telling import lasted
from integrity.admin.triage.wording import what_is_wrong
from integrity.store.jobs import GOING

MOST_FINDINGS = 15

_ENDED = {
    models.RunState.FAILED: gettext_lazy("It failed before its end. What it had seen by then is not kept."),
    models.RunState.CANCELLED: gettext_lazy(
        "It was stopped before its end. What it had seen by then is not kept."
    ),
    models.RunState.INTERRUPTED: gettext_lazy(
        "Nothing was heard of it any more, so that it is given up. What it had seen by then is not kept."
    ),
}


def audit_record(request: HttpRequest, run: models.AuditRun) -> Record:
    """What the page of an audit says."""
    before, after = _neighbours(run)
    return Record(
        title=str(run),
        target=run.target,
        badge=cells.badge(run.state, run.get_state_display()),
        sentences=tuple(_sentences(run)),
        error=told(request, run.error),
        near=tuple(_near(request, run, before, after)),
        ways=tuple(_ways(request, run, after)),
        tiles=tuple(_tiles(run, before)),
        tables=tuple(_tables(request, run, after)),
        facts=tuple(_facts(run, before)),
    )


def _others(run: models.AuditRun) -> QuerySet[models.AuditRun]:
    """The audits of everything that the same target had, and that came to their end."""
    whole = models.AuditRun.objects.filter(target=run.target_id, state=models.RunState.FINISHED)
    return whole.filter(narrowed=False).defer("coverage")


def _neighbours(run: models.AuditRun) -> tuple[models.AuditRun | None, models.AuditRun | None]:
    """The audit of everything before a run, and the newest after it."""
    before = _others(run).filter(pk__lt=run.pk).order_by("-pk").first()
    return before, _others(run).filter(pk__gt=run.pk).order_by("-pk").first()


def _finished(run: models.AuditRun) -> bool:
    return run.state == models.RunState.FINISHED


# -- in sentences ------------------------------------------------------------------------------------------


def _sentences(run: models.AuditRun) -> Iterator[str]:
    if not _finished(run):
        yield str(_ENDED.get(models.RunState(run.state), _("It is under way.")))
        return
    yield _looked(run)
    yield _found(run)
    if run.narrowed:
        yield _("Only some references were asked for: nothing is said of the others.")
    if gaps := len(gaps_of(run)):
        text = ngettext(
            "%(n)s check could not be made, so that nothing is said of what it is about.",
            "%(n)s checks could not be made, so that nothing is said of what they are about.",
            gaps,
        )
        yield text % {"n": cells.grouped(gaps)}


def _looked(run: models.AuditRun) -> str:
    coverage = run.coverage or {}
    checked, known = coverage.get("checked", 0), coverage.get("references", 0)
    numbers = {"checked": cells.grouped(checked), "n": cells.grouped(known)}
    if checked != known:
        return _("%(checked)s of %(n)s references were checked.") % numbers
    if run.narrowed:
        text = ngettext(
            "The reference that was asked for was checked.", "%(n)s references were checked.", known
        )
    elif coverage.get("snapshot") == "one":
        text = ngettext(
            "The only known reference was checked.",
            "All %(n)s known references were checked, at one moment.",
            known,
        )
    else:
        text = ngettext(
            "The only known reference was checked.",
            "All %(n)s known references were checked, each at a moment of its own.",
            known,
        )
    return text % numbers


def _found(run: models.AuditRun) -> str:
    if not run.findings_count:
        return _("Nothing wrong was found.")
    found = ngettext("%(n)s finding was made", "%(n)s findings were made", run.findings_count)
    said = found % {"n": cells.grouped(run.findings_count)}
    orphans = ngettext("%(n)s orphan", "%(n)s orphans", run.orphans_count)
    if run.orphans_count:
        counted = orphans % {"n": cells.grouped(run.orphans_count)}
        return _("%(findings)s, with %(orphans)s.") % {"findings": said, "orphans": counted}
    return _("%(findings)s, and no orphan.") % {"findings": said}


# -- where to go -------------------------------------------------------------------------------------------


def _near(
    request: HttpRequest,
    run: models.AuditRun,
    before: models.AuditRun | None,
    after: models.AuditRun | None,
) -> Iterator[Way]:
    if before is not None:
        yield Way(_("The audit before: %(n)s") % {"n": before.pk}, addresses.page("auditrun", before.pk))
    if after is not None:
        yield Way(_("The newest audit: %(n)s") % {"n": after.pk}, addresses.page("auditrun", after.pk))
    if _finished(run) and (job := _job(request, run)):
        yield Way(_("Job"), job)


def _ways(request: HttpRequest, run: models.AuditRun, after: models.AuditRun | None) -> Iterator[Way]:
    if run.state == models.RunState.RUNNING:
        if job := _job(request, run):
            yield Way(_("Watch it"), job, best=True)
        return
    if not _finished(run) and after is None and may(request, "audit_target"):
        yield Way(_("Audit again"), addresses.start(run.target, "audit"), best=True, posts=True)
    if run.orphans_count and may(request, "view_orphanfinding"):
        yield Way(_("Decide about orphans"), addresses.orphans(run.target), best=after is None)
    if run.findings_count and may(request, "view_finding"):
        yield Way(_("All findings"), addresses.findings(run.target))
    if _finished(run) and may(request, "view_target") and not run.findings_count:
        yield Way(_("The target"), addresses.page("target", run.target_id))


def _job(request: HttpRequest, run: models.AuditRun) -> str:
    """The job that made it, or makes it; empty where a command did."""
    if not may(request, "view_job"):
        return ""
    jobs = models.Job.objects.filter(target=run.target_id, kind=models.JobKind.AUDIT)
    going = run.state == models.RunState.RUNNING
    jobs = jobs.filter(state__in=GOING) if going else jobs.filter(result__audit_run=run.pk)
    pk = jobs.values_list("pk", flat=True).first()
    return addresses.page("job", pk) if pk else ""


# -- in numbers --------------------------------------------------------------------------------------------


def _tiles(run: models.AuditRun, before: models.AuditRun | None) -> Iterator[Tile]:
    took = Tile(_("Took"), lasted(run), small=True)
    if not _finished(run):
        if run.finished_at:
            yield took
        return
    compared = None if run.narrowed else before
    orphans, findings = run.orphans_count, run.findings_count
    moved = cells.trend(orphans, compared.orphans_count) if compared else ""
    yield Tile(_("Orphans"), cells.grouped(orphans), moved, bad=bool(orphans))
    moved = cells.trend(findings, compared.findings_count) if compared else ""
    yield Tile(_("Findings"), cells.grouped(findings), moved)
    coverage = run.coverage or {}
    checked, known = coverage.get("checked", 0), coverage.get("references", 0)
    parts = {"checked": cells.grouped(checked), "known": cells.grouped(known)}
    yield Tile(_("References checked"), _("%(checked)s of %(known)s") % parts, coverage_badge(run))
    if uniques := coverage.get("uniques"):
        parts = {
            "checked": cells.grouped(coverage.get("uniques_checked", 0)),
            "known": cells.grouped(uniques),
        }
        yield Tile(_("Uniques checked"), _("%(checked)s of %(known)s") % parts)
    yield took


def coverage_badge(run: models.AuditRun) -> str:
    """Whether everything known was looked at."""
    if run.complete is None:
        return "–"
    if not run.complete:
        return cells.badge("warning", _("incomplete"))
    return cells.badge("finished", _("as asked") if run.narrowed else _("complete"))


# -- in tables ---------------------------------------------------------------------------------------------


def _tables(request: HttpRequest, run: models.AuditRun, after: models.AuditRun | None) -> Iterator[Table]:
    if not _finished(run):
        return
    if may(request, "view_finding"):
        yield _findings(request, run, after)
    if gaps := gaps_of(run):
        yield _gaps(request, _("What was not checked"), gaps, _("Until it is, nobody knows how it is."))
    unread = [
        (str(each.get("routine", "")), str(each.get("reason", "")))
        for each in (run.coverage or {}).get("unread", [])
    ]
    if unread:
        more = _("They may use tables and columns of which nothing is known here.")
        yield _gaps(request, _("Routines that nobody could read"), unread, more)


def _findings(request: HttpRequest, run: models.AuditRun, after: models.AuditRun | None) -> Table:
    """The worst of them. A finding knows the audit that saw it last: of an older audit there are left those
    that no later one saw."""
    found = models.Finding.objects.filter(target=run.target_id)
    if after is None and not run.narrowed:
        title, empty = _("What it found, the worst first"), _("Nothing is open any more.")
        found = found.filter(state=models.FindingState.OPEN).order_by("badness", "-rows", "-id")
    else:
        title = _("What it was the last to see")
        empty = _("All that it found was seen again by a later audit.")
        found = models.Finding.objects.filter(last_seen_run=run.pk).order_by("-id")
    listed = list(found.defer("evidence", "suggestion")[:MOST_FINDINGS])
    rows = [_finding(request, each) for each in listed]
    way = Way(_("All findings of this target"), addresses.findings(run.target))
    columns = (Column(_("Finding")), Column(_("State")), Column(_("Rows"), numbers=True))
    return Table(title, columns, rows, empty, way=way if rows else None)


def _finding(request: HttpRequest, finding: models.Finding) -> tuple[Any, ...]:
    orphans = finding.code == models.ORPHANED_ROWS and may(request, "view_orphanfinding")
    url = addresses.page("orphanfinding" if orphans else "finding", finding.pk)
    severity = cells.badge(finding.severity, finding.get_severity_display())
    said = format_html('{} <a href="{}">{}</a>', severity, url, what_is_wrong(finding))
    about = cells.code(finding.label) if finding.code == models.ORPHANED_ROWS else ""
    state = cells.badge(finding.state, finding.get_state_display())
    return cells.two_lines(said, about), state, cells.grouped(finding.rows) if finding.rows else "–"


def _gaps(request: HttpRequest, title: str, gaps: list[tuple[str, str]], more: str) -> Table:
    rows = [(cells.code(what), told(request, why)) for what, why in gaps[:SHOWN_AT_MOST]]
    if left := len(gaps) - len(rows):
        text = ngettext("%(n)s more is not shown here.", "%(n)s more are not shown here.", left)
        more = text % {"n": cells.grouped(left)}
    return Table(title, (Column(_("What")), Column(_("Why"))), rows, more=more)


def _facts(run: models.AuditRun, before: models.AuditRun | None) -> Iterator[tuple[str, Any]]:
    yield _("Asked for by"), run.actor or "–"
    yield _("Started"), moment(run.started_at)
    if run.finished_at:
        yield _("Ended"), moment(run.finished_at)
    if run.server_version:
        yield _("Server version"), run.server_version
    if run.schema_fingerprint:
        changed = before is not None and before.schema_fingerprint not in ("", run.schema_fingerprint)
        same = _("as in the audit before") if before else ""
        said = _("changed since the audit before") if changed else same
        yield _("Structure"), cells.two_lines(cells.code(run.schema_fingerprint[:12]), said)
