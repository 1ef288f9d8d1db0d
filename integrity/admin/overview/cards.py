"""The overview of all targets: how each is, and what to do next, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store, tasks
from integrity.admin.base import may
from integrity.admin.cells import ago, grouped
from integrity.admin.overview import addresses, states
from integrity.admin.overview.steps import Step, next_step
from integrity.admin.pictures.lines import Point, area, sparkline
from integrity.admin.serving import reverse
from integrity.store.standings import MOST_TARGETS, Standing, standings


@dataclass(frozen=True)
class Card:
    """A target as the overview shows it."""

    target: models.Target
    url: str
    state: states.State
    badge: str
    step: Step
    line: SafeString
    orphans_url: str
    audited: str
    coverage: str
    backup: str
    pending: int
    failed: str
    said: str


def overview(request: HttpRequest) -> dict[str, Any]:
    """Returns what the overview shows to this user; nothing to who may not see targets."""
    if not may(request, "view_target"):
        return {"hidden": True}
    store.know_targets()
    tasks.see_lost_jobs()
    found = states.worst_first(standings())
    cards = [card_of(request, each) for each in found]
    counted = {state: sum(card.state is state for card in cards) for state in states.State}
    targets = [each.target for each in found]
    return {
        "request": request,
        "cards": cards,
        "cut": len(cards) >= MOST_TARGETS,
        "list_url": reverse("admin:integrity_target_changelist"),
        "damaged": counted[states.State.DAMAGED] + counted[states.State.UNREACHABLE],
        "healthy": counted[states.State.HEALTHY],
        "orphans": sum(target.orphans_open for target in targets),
        "kept": sum(target.orphans_kept for target in targets),
        "uncounted": sum(not card.audited for card in cards),
        "undecided": sum(target.undecided for target in targets),
        "may_audit": may(request, "audit_target"),
        "may_see_orphans": may(request, "view_orphanfinding"),
    }


def card_of(request: HttpRequest, standing: Standing) -> Card:
    """Returns a target as it is shown to this user, its button only where they may press it."""
    target, last = standing.target, standing.last_whole
    step = next_step(standing).for_whom(lambda permission: may(request, permission))
    return Card(
        target=target,
        url=addresses.page("target", target.pk),
        state=states.state_of(standing),
        badge=states.badge(standing),
        step=step,
        line=_line(standing),
        orphans_url=addresses.orphans(target) if may(request, "view_orphanfinding") else "",
        audited=ago(last.finished_at) if last else "",
        coverage=coverage_of(last),
        backup=ago(standing.backup_at) if standing.backup_at else "",
        pending=len(standing.pending),
        failed=standing.failed,
        said=_said(standing),
    )


def _said(standing: Standing) -> str:
    """Why it could not be opened, or audited."""
    if standing.target.reachable is False:
        return standing.target.error
    return standing.last_run.error if standing.last_run else ""


def gaps_of(run: models.AuditRun | None) -> list[tuple[str, str]]:
    """What an audit did not look at, and why."""
    coverage = (run.coverage if run else None) or {}
    gaps = [*coverage.get("skipped", []), *coverage.get("timed_out", [])]
    return [(_named(gap), gap.get("reason", "")) for gap in gaps]


def _named(gap: dict[str, str]) -> str:
    return next((value for name, value in gap.items() if name != "reason"), "")


def coverage_of(run: models.AuditRun | None) -> str:
    """How much of what is known was looked at, in a few words."""
    if run is None:
        return ""
    coverage = run.coverage or {}
    checked, known = coverage.get("checked", 0), coverage.get("references", 0)
    if run.complete:
        text = ngettext("complete: %(n)s reference", "complete: %(n)s references", known)
        return text % {"n": grouped(known)}
    if checked < known:
        text = _("incomplete: %(checked)s of %(known)s references")
        return text % {"checked": grouped(checked), "known": grouped(known)}
    missed = sum(len(coverage.get(gap, ())) for gap in ("skipped", "timed_out", "unread"))
    text = ngettext("incomplete: %(n)s not looked at", "incomplete: %(n)s not looked at", missed)
    return text % {"n": grouped(missed)} if missed else _("incomplete")


def _line(standing: Standing) -> SafeString:
    title = _("Orphans of %(target)s over time") % {"target": standing.target}
    return sparkline(_points(standing), title=title, description=said_over_time(standing))


def over_time(standing: Standing) -> SafeString:
    """How the orphans of a target went from audit to audit, large enough to be read."""
    title = _("Orphans over time")
    return area(_points(standing), title=title, description=said_over_time(standing), width=300)


def _points(standing: Standing) -> list[Point]:
    return [Point(at, orphans) for at, orphans in standing.history]


def said_over_time(standing: Standing) -> str:
    """The line in words."""
    if len(standing.history) < 2:
        return ""
    (_begin, first), (_end, last) = standing.history[0], standing.history[-1]
    text = ngettext(
        "%(first)s orphans %(n)s audit ago, %(last)s now.",
        "%(first)s orphans %(n)s audits ago, %(last)s now.",
        len(standing.history) - 1,
    )
    return text % {"first": grouped(first), "n": len(standing.history) - 1, "last": grouped(last)}
