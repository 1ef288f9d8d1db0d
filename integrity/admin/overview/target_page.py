"""The page of a target: how it is, how its tables hang together, what was found and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses, cards, happenings, relation_graph
from integrity.admin.overview.relations import relations_of
from integrity.admin.serving import reverse
from integrity.admin.triage.wording import what_is_wrong
from integrity.operations.catalog_migrations import catalog_package
from integrity.store.standings import Standing, standings
from integrity.tasks.fleet import TargetMigrations, migrations_of_all

MOST_FINDINGS = 10
MOST_GAPS = 5


@dataclass(frozen=True)
class Button:
    """What can be done on this page besides the next step."""

    label: str
    url: str
    posts: bool = False


def target_page(request: HttpRequest, key: str) -> dict[str, Any]:
    """Returns what the page of a target shows to this user; the target itself is not opened, but for its
    ledger of migrations, and for that only a moment.

    Raises:
        Http404: when there is no target with this key.
    """
    tasks.see_lost_jobs()
    found = standings(int(key)) if key.isdecimal() and len(key) < 19 else []
    if not found:
        raise Http404
    standing, target = found[0], found[0].target
    card = cards.card_of(request, standing)
    gaps = cards.gaps_of(standing.last_whole)
    return {
        "target": target,
        "card": card,
        "buttons": [each for each in _buttons(request, target) if each.url != card.step.url],
        "over_time": cards.over_time(standing),
        "relations": relation_graph.shown(request, target, relations_of(target, standing.last_whole)),
        "severities": _severities(request, target),
        "findings": _findings(request, target),
        "findings_url": addresses.findings(target) if may(request, "view_finding") else "",
        "happenings": happenings.lately(request, target),
        "lists": _lists(request, target),
        "migrations": _migrations(standing),
        "migrations_url": addresses.migrations(target),
        "fixes_url": addresses.schema_fixes(target) if may(request, "write_migrations") else "",
        "last_whole": standing.last_whole,
        "gaps": gaps[:MOST_GAPS],
        "more_gaps": max(0, len(gaps) - MOST_GAPS),
    }


def _buttons(request: HttpRequest, target: models.Target) -> list[Button]:
    found = []
    if may(request, "audit_target"):
        found += [
            Button(_("Audit now"), addresses.start(target, "audit"), posts=True),
            Button(_("Back up"), addresses.start(target, "backup"), posts=True),
            Button(_("Verify"), addresses.start(target, "verify"), posts=True),
        ]
    found.append(Button(_("Migrations"), addresses.migrations(target)))
    if may(request, "view_repairrun") and (quarantine := _quarantine(target)):
        found.append(Button(_("Quarantine"), quarantine))
    return found


def _quarantine(target: models.Target) -> str:
    try:
        return f"{reverse('admin:integrity_quarantine')}?{urlencode({'target': target.alias})}"
    except NoReverseMatch:
        return ""


def _severities(request: HttpRequest, target: models.Target) -> list[tuple[str, str]]:
    """How many findings are open of each severity, and the list of them."""
    errors, warnings, notices = target.errors_open, target.warnings_open, target.notices_open
    numbers = {
        models.Severity.ERROR: (errors, ngettext("%(n)s error", "%(n)s errors", errors)),
        models.Severity.WARNING: (warnings, ngettext("%(n)s warning", "%(n)s warnings", warnings)),
        models.Severity.INFO: (notices, ngettext("%(n)s notice", "%(n)s notices", notices)),
    }
    allowed = may(request, "view_finding")
    return [
        (
            cells.badge(severity, text % {"n": cells.grouped(number)}),
            addresses.findings(target, severity__exact=str(severity)) if allowed else "",
        )
        for severity, (number, text) in numbers.items()
    ]


_SHOWN_OF_FINDINGS = (
    "code", "severity", "message", "label", "rows", "previous_rows", "missing_keys", "table_name",
    "referenced_table",
)  # fmt: skip


def _findings(request: HttpRequest, target: models.Target) -> list[dict[str, Any]]:
    """The worst findings that are open."""
    if not may(request, "view_finding"):
        return []
    with store.site_database():
        standing = models.Finding.objects.filter(target=target, state=models.FindingState.OPEN)
        worst = standing.order_by("badness", "-rows", "-id")
        found = list(worst.only(*_SHOWN_OF_FINDINGS)[:MOST_FINDINGS])
    return [_finding(request, each) for each in found]


def _finding(request: HttpRequest, finding: models.Finding) -> dict[str, Any]:
    orphans = finding.code == models.ORPHANED_ROWS and may(request, "view_orphanfinding")
    return {
        "badge": cells.badge(finding.severity, finding.get_severity_display()),
        "message": what_is_wrong(finding),
        "reference": finding.label if finding.code == models.ORPHANED_ROWS else "",
        "rows": cells.number(finding.rows) if finding.rows else "",
        "trend": cells.trend(finding.rows, finding.previous_rows) if finding.rows else "",
        "url": addresses.page("orphanfinding" if orphans else "finding", finding.pk),
    }


def _lists(request: HttpRequest, target: models.Target) -> list[tuple[str, str]]:
    """Where all of what happened can be seen."""
    kinds = {
        "auditrun": _("All audits"),
        "repairrun": _("All repairs"),
        "migrationrun": _("All migration runs"),
        "job": _("All jobs"),
    }
    return [
        (name, addresses.of_target(kind, target))
        for kind, name in kinds.items()
        if may(request, f"view_{kind}")
    ]


def _migrations(standing: Standing) -> TargetMigrations | None:
    """Where the target's migrations stand by its own ledger; None where none are written."""
    alias = standing.target.alias
    if not catalog_package(alias).files:
        return None
    return next(iter(migrations_of_all([alias])), None)
