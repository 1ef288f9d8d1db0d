"""Putting rows back: what would come back, what stands in the way, and the wish itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import conf, models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, demand, may, person
from integrity.admin.deciding.forms import TypedRowsForm
from integrity.admin.quarantine.asking import masks_of
from integrity.admin.quarantine.choosing import Chosen, chosen
from integrity.admin.quarantine.comparing import compared, obstructions, unanswered
from integrity.admin.serving import reverse
from integrity.database.session import Target
from integrity.exceptions import InvalidPlace, ReferentialIntegrityError, TimedOut
from integrity.repairs import Selection
from integrity.repairs.preview import RollbackPreview, rows_left
from integrity.repairs.standing_uniques import UniqueInTheWay

NOTHING_LEFT = (models.RunState.ROLLED_BACK, models.RunState.RUNNING, models.RunState.PLANNED)

WAYS = {
    "": (
        gettext_lazy("The rows alone"),
        gettext_lazy("Refused while a foreign key stands under which they would be orphans."),
    ),
    "with_migrations": (
        gettext_lazy("The rows, and the migrations that came after the repair"),
        gettext_lazy("Structure is reversed first, newest first, then the rows come back."),
    ),
    "unvalidate": (
        gettext_lazy("The rows, as orphans under the foreign keys that stand"),
        gettext_lazy("These bind new rows only afterwards, until somebody validates them again."),
    ),
}
"""How a run can be taken back, each with what it means."""


def can_be_taken_back(run: models.RepairRun) -> bool:
    """Whether a rollback of this run can do anything."""
    return run.kind != models.RunKind.ROLLBACK and run.state not in NOTHING_LEFT


def restore(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """Shows what would come back of what was chosen in the quarantine; a confirmed POST puts it back."""
    demand(request, "view_repairrun", "roll_back_repair")
    try:
        wanted = chosen(request)
    except InvalidPlace as error:
        return _invalid(admin, request, error)
    return put_back(admin, request, wanted, confirmed="confirm" in request.POST)


def put_back(admin: ReadOnlyAdmin, request: HttpRequest, wanted: Chosen, *, confirmed: bool) -> HttpResponse:
    """Shows what would come back, or puts it back when that was confirmed."""
    if not can_be_taken_back(wanted.run):
        text = _("There is nothing to take back: the run is a rollback, goes on, or was taken back.")
        messages.error(request, text)
        return HttpResponseRedirect(_page_of(wanted.run))
    try:
        return _start(admin, request, wanted) if confirmed else _look(admin, request, wanted)
    except InvalidPlace as error:
        return _invalid(admin, request, error)


# -- looking -------------------------------------------------------------------------------------


def _look(
    admin: ReadOnlyAdmin, request: HttpRequest, wanted: Chosen, *, typed: TypedRowsForm | None = None
) -> HttpResponse:
    preview, problem = _preview(wanted)
    counted = preview.rows if preview and not preview.unanswered else None
    shown = preview is not None and may(request, "view_sample_rows")
    context: dict[str, Any] = {
        "run": wanted.run,
        "wanted": wanted,
        "preview": preview,
        "problem": problem,
        "refusals": compared(preview) if preview and shown else [],
        "may_see": may(request, "view_sample_rows"),
        "unanswered": unanswered(preview) if preview else [],
        "obstructions": obstructions(preview) if preview else [],
        "newer": newer_runs(wanted.run),
        "made": sum(tally.get("inserted", 0) for tally in wanted.run.rows.values()) if wanted.whole else 0,
        "ways": _ways(request, wanted, preview),
        "counted": counted,
        "typed": typed or _typed(wanted.run, counted),
        "button": _button(wanted, preview),
        "quarantine": f"{reverse('admin:integrity_quarantine')}?target={wanted.run.target.alias}",
    }
    title = _("Roll back %(what)s") if wanted.whole else _("Restore %(what)s")
    return admin.page(request, "roll_back.html", title % {"what": wanted.sentence}, **context)


def _button(wanted: Chosen, preview: RollbackPreview | None) -> str:
    if wanted.whole or preview is None:
        return _("Roll this run back")
    rows = preview.rows - preview.refused
    text = ngettext("Put %(n)s row back", "Put %(n)s rows back", rows)
    return text % {"n": cells.grouped(rows)}


def _preview(wanted: Chosen) -> tuple[RollbackPreview | None, ReferentialIntegrityError | None]:
    try:
        found = tasks.look_before_rollback(
            wanted.run.target.alias,
            wanted.run.number,
            selection=wanted.selection(),
            with_relatives=wanted.relatives,
            is_masked=masks_of(wanted.run.target),
        )
    except InvalidPlace:
        raise
    except ReferentialIntegrityError as error:
        return None, error
    return found, None


def newer_runs(run: models.RepairRun) -> list[models.RepairRun]:
    """The repairs that changed the target after this one and stand: they may have touched its rows."""
    newer = models.RepairRun.objects.filter(target=run.target_id, number__gt=run.number)
    newer = newer.exclude(kind=models.RunKind.ROLLBACK).exclude(state=models.RunState.ROLLED_BACK)
    return list(newer.select_related("target").order_by("number")[:10])


def _ways(
    request: HttpRequest, wanted: Chosen, preview: RollbackPreview | None
) -> list[tuple[str, Any, Any]]:
    """The ways that are offered: those that can succeed, and for some rows only where there is a choice."""
    found = dict(WAYS)
    hindered = preview.in_the_way if preview is not None else []
    if preview is not None and not wanted.whole and not hindered:
        return [("", *WAYS[""])]
    if hindered:
        del found[""]
    if any(isinstance(each, UniqueInTheWay) for each in hindered):
        del found["unvalidate"]
    if not may(request, "apply_migrations"):
        del found["with_migrations"]
    return [(way, *WAYS[way]) for way in found]


# -- putting back --------------------------------------------------------------------------------


def _start(admin: ReadOnlyAdmin, request: HttpRequest, wanted: Chosen) -> HttpResponse:
    run, how = wanted.run, request.POST.get("how", "")
    if how == "with_migrations":
        demand(request, "apply_migrations")
    if request.POST.get("state") != run.state:
        return _again(admin, request, wanted)
    try:
        selection = _selection(wanted)
        left = _left(run, selection)
    except InvalidPlace:
        raise
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(_page_of(run))
    if left is not None and request.POST.get("expected", str(left)) != str(left):
        return _again(admin, request, wanted)
    typed = _typed(run, left, request.POST)
    if typed is not None and not typed.is_valid():
        return _look(admin, request, wanted, typed=typed)
    arguments: dict[str, Any] = {"run": run.number, "how": how if how in WAYS else ""}
    if selection:
        arguments["selection"] = selection.as_json()
    return _begun(admin, request, wanted, arguments)


def _left(run: models.RepairRun, selection: Selection) -> int | None:
    """How many rows would be touched, None where they cannot be counted in time."""
    try:
        return rows_left(Target(run.target.alias), run.number, selection)
    except TimedOut:
        return None


def _typed(run: models.RepairRun, rows: int | None, data: Any = None) -> TypedRowsForm | None:
    """Asks for the number of rows where there are many: those that were counted, else those of the run."""
    touched = run.rows_changed if rows is None else rows
    return TypedRowsForm(touched, data) if touched > conf.typed_rows() else None


def _selection(wanted: Chosen) -> Selection:
    """What comes back, with what belongs to it where that was asked for."""
    selection = wanted.selection()
    if not wanted.relatives:
        return selection
    return tasks.look_before_rollback(
        wanted.run.target.alias, wanted.run.number, selection=selection, with_relatives=True
    ).selection


def _begun(
    admin: ReadOnlyAdmin, request: HttpRequest, wanted: Chosen, arguments: dict[str, Any]
) -> HttpResponse:
    """Starts the job, unless the very same one is asked for or under way already."""
    alias = wanted.run.target.alias
    for job in store.open_jobs(alias, models.JobKind.ROLLBACK):
        if job.arguments == arguments:
            return admin.started(request, job)
    job = tasks.start_job(alias, models.JobKind.ROLLBACK, arguments, actor=person(request))
    admin.log(request, [wanted.run], _said(wanted, arguments))
    return admin.started(request, job)


def _said(wanted: Chosen, arguments: dict[str, Any]) -> str:
    if wanted.whole:
        return _("Asked for a rollback")
    rows = len(arguments["selection"]["rows"])
    if rows:
        said = ngettext("Asked for %(rows)s row back", "Asked for %(rows)s rows back", rows)
        return said % {"rows": cells.grouped(rows)}
    return _("Asked for a part back: %(what)s") % {"what": wanted.sentence}


def _again(admin: ReadOnlyAdmin, request: HttpRequest, wanted: Chosen) -> HttpResponse:
    messages.error(request, _("It changed since this was shown. Look again."))
    run = models.RepairRun.objects.select_related("target").get(pk=wanted.run.pk)
    if not can_be_taken_back(run):
        return HttpResponseRedirect(_page_of(run))
    return _look(admin, request, replace(wanted, run=run))


def _page_of(run: models.RepairRun) -> str:
    return reverse("admin:integrity_repairrun_change", args=[run.pk])


def _invalid(admin: ReadOnlyAdmin, request: HttpRequest, error: InvalidPlace) -> HttpResponse:
    response = admin.page(request, "quarantine_invalid.html", _("Nothing was chosen"), problem=error)
    response.status_code = 400
    return response
