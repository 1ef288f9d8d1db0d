"""The page of a stored plan, for whoever may see plans but not the orphans that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.overview import addresses
from integrity.admin.records.page import Column, Record, Table, Tile, Way, moment
from integrity.admin.repair_runs.telling import in_short

RUNS_AT_MOST = 20


def plan_record(request: HttpRequest, plan: models.StoredPlan) -> Record:
    """What the page of a plan says to who may not see what it does."""
    runs = list(_runs(plan))
    steps = len(plan.plan.get("steps", []))
    said = ngettext("A plan of %(n)s step.", "A plan of %(n)s steps.", steps) % {"n": cells.grouped(steps)}
    hidden = _("What it does to which rows is for those who may see orphans.")
    return Record(
        title=_("Plan %(hash)s") % {"hash": plan.hash[:12]},
        target=plan.target,
        badge=plan_badge(plan),
        sentences=(said, hidden),
        near=tuple(_near(request, plan)),
        tiles=(Tile(_("Steps"), cells.grouped(steps)), Tile(_("Runs"), cells.grouped(len(runs)))),
        tables=tuple(_tables(request, plan, runs)),
        facts=(
            (_("Hash"), cells.code(plan.hash)),
            (_("Made by"), plan.created_by or "–"),
            (_("Made"), moment(plan.created_at)),
        ),
    )


def plan_badge(plan: models.StoredPlan) -> str:
    """What became of it, as far as the job says that ran it last."""
    if plan.job is None:
        return cells.badge("pending", _("not run from here"))
    return cells.badge(plan.job.state, plan.job.get_state_display())


def _near(request: HttpRequest, plan: models.StoredPlan) -> Iterator[Way]:
    if plan.job_id and may(request, "view_job"):
        yield Way(_("Job"), addresses.page("job", plan.job_id))


def _runs(plan: models.StoredPlan) -> Any:
    runs = models.RepairRun.objects.filter(target=plan.target_id, plan_hash=plan.hash)
    return runs.select_related("target").order_by("-number")[:RUNS_AT_MOST]


def _tables(request: HttpRequest, plan: models.StoredPlan, runs: list[models.RepairRun]) -> Iterator[Table]:
    if may(request, "view_repairrun"):
        columns = (Column(_("Run")), Column(_("State")), Column(_("What it did")), Column(_("When")))
        yield Table(_("Its runs"), columns, [_run(each) for each in runs], _("It was not run yet."))
    if may(request, "view_approval") and (words := list(plan.approvals.order_by("-pk")[:RUNS_AT_MOST])):
        columns = (Column(_("Answer")), Column(_("Asked by")), Column(_("Answered by")), Column(_("Reason")))
        yield Table(_("A second person"), columns, [_word(each) for each in words])


def _run(run: models.RepairRun) -> tuple[Any, ...]:
    named = cells.linked(addresses.page("repairrun", run.pk), run)
    return named, cells.badge(run.state, run.get_state_display()), in_short(run), cells.ago(run.started_at)


def _word(word: models.Approval) -> tuple[Any, ...]:
    return word.get_state_display(), word.asked_by, word.decided_by or "–", word.reason or "–"
