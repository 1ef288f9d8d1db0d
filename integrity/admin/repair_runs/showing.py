"""The page of a run: what was done, to which tables, what was refused, the proof, and how it came about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may, told
from integrity.admin.quarantine import can_be_taken_back
from integrity.admin.quarantine.asking import masks_of
from integrity.admin.repair_runs.promised import promised
from integrity.admin.repair_runs.telling import WORDS, lasted, proof_of, sentences, table_text, totals
from integrity.admin.serving import reverse
from integrity.database.identifiers import TableName
from integrity.exceptions import ReferentialIntegrityError

EVENTS_AT_MOST = 20
KEYS_SHOWN = 5


@dataclass(frozen=True)
class Event:
    """Something that happened to a run, or led to it."""

    at: datetime
    text: str
    by: str = ""
    more: str = ""
    url: str = ""


@dataclass(frozen=True)
class Refused:
    """Rows of a table that were refused for one reason, with the keys of the first ones."""

    table: str
    reason: str
    rows: int
    keys: list[str]


def shown(request: HttpRequest, run: models.RepairRun) -> dict[str, Any]:
    """What the page of a run needs."""
    repair = run.kind != models.RunKind.ROLLBACK
    rollbacks = list(_rollbacks(run)) if repair else []
    return {
        "run": run,
        "error": told(request, run.error),
        "badge": cells.badge(run.state, run.get_state_display()),
        "kind": run.get_kind_display(),
        "sentences": sentences(run),
        "tiles": _tiles(run),
        "tables": _tables(run, linked=repair),
        "columns": [word for word in WORDS if totals(run)[word]],
        "refused": _refused(request, run),
        "promised": promised(run),
        "proof": proof_of(run),
        "events": _events(request, run, rollbacks),
        "plan_url": _plan_url(request, run),
        "job_url": _job_url(request, run),
        "of": _of(run),
        "rollbacks": rollbacks,
        "in_quarantine": repair and can_be_taken_back(run),
        "quarantine": _quarantine(run),
        "rows_url": reverse("admin:integrity_repairrun_rows", args=[run.pk])
        if repair and may(request, "view_sample_rows")
        else "",
    }


def _tiles(run: models.RepairRun) -> list[tuple[str, str, str]]:
    """(label, value, accent) of the numbers that tell most."""
    labels = {
        "deleted": _("Taken out"),
        "updated": _("Changed"),
        "inserted": _("Made"),
        "restored": _("Came back"),
        "refused": _("Refused"),
    }
    if run.kind == models.RunKind.ROLLBACK:
        labels["deleted"] = _("Made by it, gone again")
    counted = totals(run)
    tiles = [
        (labels[word], cells.grouped(counted[word]), "warn" if word == "refused" else "")
        for word in WORDS
        if counted[word]
    ]
    return [*tiles, (_("Took"), lasted(run), "")]


def _tables(run: models.RepairRun, *, linked: bool) -> list[dict[str, Any]]:
    shown_words = [word for word in WORDS if totals(run)[word]]
    return [
        {
            "name": table_text(table),
            "numbers": [tally.get(word, 0) for word in shown_words],
            "url": _quarantine(run, table=table) if linked and can_be_taken_back(run) else "",
        }
        for table, tally in sorted(run.rows.items())
    ]


def _refused(request: HttpRequest, run: models.RepairRun) -> list[Refused]:
    """The refused rows by table and reason; their keys are values, for those who may see them."""
    by_reason: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for each in run.refusals:
        by_reason[each["table"], each["reason"]].append(each["key"])
    see = may(request, "view_sample_rows") and bool(by_reason)
    try:
        masked = masks_of(run.target) if see else None
    except ReferentialIntegrityError:
        masked = None
    return [
        Refused(
            table_text(table),
            reason,
            len(keys),
            [] if masked is None else [_key(table, key, masked) for key in keys[:KEYS_SHOWN]],
        )
        for (table, reason), keys in sorted(by_reason.items())
    ]


def _key(table: str, key: dict[str, Any], masked: Any) -> str:
    schema, _dot, name = table.partition(".")
    hidden = {each for each in key if masked(TableName(schema, name), each)}
    return ", ".join(_("(masked)") if each in hidden else str(value) for each, value in key.items())


def _rollbacks(run: models.RepairRun) -> Iterator[dict[str, Any]]:
    found = models.RepairRun.objects.filter(target=run.target_id, of=run.number).order_by("number")
    for each in found.select_related("target")[:EVENTS_AT_MOST]:
        yield {"run": each, "restored": totals(each)["restored"], "url": _page(each)}


def _of(run: models.RepairRun) -> models.RepairRun | None:
    if run.of is None:
        return None
    return models.RepairRun.objects.filter(target=run.target_id, number=run.of).first()


def _plan_url(request: HttpRequest, run: models.RepairRun) -> str:
    if not run.plan_hash or not may(request, "view_orphanfinding"):
        return ""
    return reverse("admin:integrity_orphanfinding_plan", args=[run.target.alias, run.plan_hash])


def _job_url(request: HttpRequest, run: models.RepairRun) -> str:
    if not may(request, "view_job"):
        return ""
    kinds = (models.JobKind.REPAIR, models.JobKind.ROLLBACK)
    jobs = models.Job.objects.filter(target=run.target_id, kind__in=kinds, result__run=run.number)
    pk = jobs.values_list("pk", flat=True).first()
    return reverse("admin:integrity_job_change", args=[pk]) if pk else ""


def _quarantine(run: models.RepairRun, **more: str) -> str:
    query = {"target": run.target.alias, "run": str(run.number), **more}
    return f"{reverse('admin:integrity_quarantine')}?{urlencode(query)}"


def _page(run: models.RepairRun) -> str:
    return reverse("admin:integrity_repairrun_change", args=[run.pk])


# -- how it came about ---------------------------------------------------------------------------


def _events(request: HttpRequest, run: models.RepairRun, rollbacks: list[dict[str, Any]]) -> list[Event]:
    found = [*_planned(request, run), *_ran(run)]
    for each in rollbacks:
        rows = each["restored"]
        text = ngettext("Run %(run)s: %(n)s row came back", "Run %(run)s: %(n)s rows came back", rows)
        number = each["run"].number
        if at := each["run"].started_at:
            said = text % {"run": number, "n": cells.grouped(rows)}
            found.append(Event(at, said, each["run"].actor, url=each["url"]))
    return sorted(found, key=lambda event: event.at)


def _planned(request: HttpRequest, run: models.RepairRun) -> Iterator[Event]:
    """The plan, the decisions in it, and a second person's word; nothing for a rollback, which has none."""
    if run.kind == models.RunKind.ROLLBACK or not run.plan_hash or not may(request, "view_orphanfinding"):
        return
    plan = models.StoredPlan.objects.filter(target=run.target_id, hash=run.plan_hash).first()
    if plan is None:
        return
    yield Event(plan.created_at, _("Planned"), plan.created_by, url=_plan_url(request, run))
    decided = models.Resolution.objects.filter(finding__target=run.target_id, plan_hash=run.plan_hash)
    for each in decided.select_related("finding").order_by("id")[:EVENTS_AT_MOST]:
        url = reverse("admin:integrity_orphanfinding_change", args=[each.finding_id])
        what = {"decision": each.get_decision_display(), "label": each.finding.label}
        text = _("Decided: %(decision)s, %(label)s") % what
        yield Event(each.decided_at, text, each.decided_by, each.reason, url)
    for word in plan.approvals.order_by("id")[:EVENTS_AT_MOST]:
        yield Event(word.asked_at, _("Asked for approval"), word.asked_by)
        if word.decided_at:
            state = word.get_state_display()
            yield Event(word.decided_at, state[:1].upper() + state[1:], word.decided_by, word.reason)


def _ran(run: models.RepairRun) -> Iterator[Event]:
    if run.started_at:
        yield Event(run.started_at, _("Began"), run.actor)
    if run.finished_at:
        yield Event(run.finished_at, _ended(run))


def _ended(run: models.RepairRun) -> str:
    if run.state in (models.RunState.FAILED, models.RunState.INTERRUPTED, models.RunState.CANCELLED):
        return _("Ended: %(state)s") % {"state": run.get_state_display()}
    return _("Ended")
