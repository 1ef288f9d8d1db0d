"""The page of a decision: what was decided about what, by whom, why, whether it stands, what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models, store
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses
from integrity.admin.records.page import SHOWN_AT_MOST, Column, Record, Table, Way, moment
from integrity.admin.repair_runs.telling import in_short
from integrity.admin.triage.history import scope_of
from integrity.admin.triage.masking import is_shown
from integrity.admin.triage.wording import what_is_wrong

OTHERS_AT_MOST = 20

_MEANINGS = {
    models.Decision.KEEP: gettext_lazy("The rows stay as they are, and nobody is asked about them again."),
    models.Decision.DELETE: gettext_lazy(
        "The rows are taken out of their table, to the quarantine, from which they can be put back."
    ),
    models.Decision.SET_NULL: gettext_lazy("The rows stay, and refer to nothing any more."),
    models.Decision.REASSIGN: gettext_lazy("The rows stay, and refer to another row."),
    models.Decision.RELINK: gettext_lazy("The rows stay, and refer to the key that was meant."),
    models.Decision.RESTORE_PARENT: gettext_lazy("What the rows refer to is made again."),
    models.Decision.DEDUPLICATE: gettext_lazy("Of the rows that share a value one keeps it."),
    models.Decision.WITHDRAW: gettext_lazy("It stands no more, and somebody decides anew."),
}


def decision_record(request: HttpRequest, made: models.Resolution) -> Record:
    """What the page of a decision says."""
    finding = made.finding
    others = list(
        models.Resolution.objects.filter(finding=made.finding_id).exclude(pk=made.pk)[:OTHERS_AT_MOST]
    )
    for each in others:
        each.finding = finding
    run = _run(made)
    what = {"decision": capfirst(made.get_decision_display()), "reference": finding.label}
    return Record(
        title=_("%(decision)s: %(reference)s") % what,
        target=finding.target,
        badge=standing_badge(made, run),
        sentences=tuple(_sentences(made)),
        quote=made.reason,
        near=tuple(_near(request, made, run)),
        ways=tuple(_ways(request, finding)),
        tables=tuple(_tables(request, made, others, run)),
        facts=tuple(_facts(request, made)),
    )


def standing_badge(made: models.Resolution, run: models.RepairRun | None) -> str:
    """Whether it stands, is carried out, has ended, or was followed by another about the same rows."""
    if made.decision == models.Decision.WITHDRAW:
        return cells.badge("info", _("withdrawal"))
    if run is not None and run.state == models.RunState.FINISHED:
        return cells.badge("finished", _("carried out"))
    if made.pk in store.stands(store.standing_of(made.finding)):
        return cells.badge("open", _("stands"))
    if made.until and made.until < localdate():
        return cells.badge("warning", _("ended"))
    if made.finding.state == models.FindingState.RESOLVED:
        return cells.badge("resolved", _("nothing is left of it"))
    return cells.badge("cancelled", _("decided anew, or withdrawn, since"))


def _run(made: models.Resolution) -> models.RepairRun | None:
    """The last run of the plan by which it was made."""
    if not made.plan_hash:
        return None
    runs = models.RepairRun.objects.filter(target=made.finding.target_id, plan_hash=made.plan_hash)
    return runs.select_related("target").order_by("-number").first()


def _sentences(made: models.Resolution) -> Iterator[str]:
    facts = {
        "who": made.decided_by or _("Somebody"),
        "decision": made.get_decision_display(),
        "scope": scope_of(made),
    }
    withdrawn = made.decision == models.Decision.WITHDRAW
    text = _("%(who)s withdrew what was decided for %(scope)s.")
    yield (text if withdrawn else _("%(who)s decided: %(decision)s, for %(scope)s.")) % facts
    yield str(_MEANINGS[models.Decision(made.decision)])
    if made.until:
        yield _("It holds until %(day)s.") % {"day": cells.day(made.until.isoformat())}


def _near(request: HttpRequest, made: models.Resolution, run: models.RepairRun | None) -> Iterator[Way]:
    target = made.finding.target
    stored = models.StoredPlan.objects.filter(target=target, hash=made.plan_hash)
    if made.plan_hash and may(request, "view_orphanfinding") and stored.exists():
        yield Way(_("Plan"), addresses.plan(target, made.plan_hash))
    if run is not None and may(request, "view_repairrun"):
        yield Way(str(run), addresses.page("repairrun", run.pk))


def _ways(request: HttpRequest, finding: models.Finding) -> Iterator[Way]:
    orphans = finding.code == models.ORPHANED_ROWS
    if orphans and may(request, "view_orphanfinding"):
        yield Way(_("See the rows, or decide anew"), addresses.page("orphanfinding", finding.pk), best=True)
    elif may(request, "view_finding"):
        yield Way(_("See the finding"), addresses.page("finding", finding.pk), best=True)


def _tables(
    request: HttpRequest,
    made: models.Resolution,
    others: list[models.Resolution],
    run: models.RepairRun | None,
) -> Iterator[Table]:
    if run is not None and may(request, "view_repairrun"):
        columns = (Column(_("Run")), Column(_("State")), Column(_("What it did")), Column(_("When")))
        state = cells.badge(run.state, run.get_state_display())
        leads = cells.linked(addresses.page("repairrun", run.pk), run)
        row = (leads, state, in_short(run), cells.ago(run.started_at))
        yield Table(_("What came of it"), columns, [row])
    if made.keys and may(request, "view_sample_rows") and is_shown(made.finding):
        named = tuple(Column(str(name)) for name in made.finding.columns)
        keys = [tuple(map(cells.code, map(str, key))) for key in made.keys[:SHOWN_AT_MOST]]
        if all(len(key) == len(named) for key in keys):
            more = _("And more.") if len(made.keys) > len(keys) else ""
            missing, shared = _("Missing keys that it is about"), _("Shared values that it is about")
            duplicates = made.finding.code == models.DUPLICATE_ROWS
            yield Table(shared if duplicates else missing, named, keys, more=more)
    if others:
        columns = (Column(_("Decision")), Column(_("About")), Column(_("By")), Column(_("When")))
        yield Table(_("Other decisions about this finding"), columns, [_other(each) for each in others])


def _other(each: models.Resolution) -> tuple[Any, ...]:
    named = cells.linked(addresses.page("resolution", each.pk), capfirst(each.get_decision_display()))
    said = cells.two_lines(named, each.reason)
    return said, capfirst(scope_of(each)), each.decided_by or "–", cells.ago(each.decided_at)


def _facts(request: HttpRequest, made: models.Resolution) -> Iterator[tuple[str, Any]]:
    yield _("Finding"), what_is_wrong(made.finding)
    yield _("Decided"), moment(made.decided_at)
    if made.decision == models.Decision.REASSIGN:
        yield _("Refers then to"), _reassigned_to(request, made)


def _reassigned_to(request: HttpRequest, made: models.Resolution) -> str:
    if not made.to_key:
        return _("the system row")
    if not may(request, "view_sample_rows") or not is_shown(made.finding):
        return _("a row that was chosen")
    return cells.code(", ".join(map(str, made.to_key)))
