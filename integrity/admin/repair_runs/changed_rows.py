"""The rows that a run changed, page by page from the target's journal: a part of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, demand
from integrity.admin.quarantine.asking import masks_of
from integrity.admin.quarantine.values import value_text
from integrity.admin.serving import reverse
from integrity.database.session import Target
from integrity.exceptions import InvalidPlace, ReferentialIntegrityError
from integrity.references.reference import written
from integrity.repairs.quarantine import Place, QuarantinedRow, QuarantineSearch, Shelf, What, quarantined

ROWS_A_PAGE = 50

ACTIONS = {
    "delete": gettext_lazy("taken out"),
    "update": gettext_lazy("changed"),
    "insert": gettext_lazy("made"),
}


@dataclass(frozen=True)
class ChangedRow:
    """A row that a run changed, as the page has it."""

    table: str
    key: str
    action: Any
    reason: str
    at: str
    taken_back: int | None


def changed_rows(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """A page of the rows that a run changed, alone or as a part of the page of the run."""
    demand(request, "view_repairrun", "view_sample_rows")
    run = get_object_or_404(models.RepairRun.objects.select_related("target"), pk=pk)
    here = reverse("admin:integrity_repairrun_rows", args=[pk])
    context: dict[str, Any] = {"run": run, "here": here, "part": "admin/integrity/repair_run_rows.html"}
    status = 200
    try:
        context |= _page(request, run, here)
    except InvalidPlace as error:
        context["error"], status = error, 400
    except ReferentialIntegrityError as error:
        context["error"] = error
    if request.GET.get("fragment"):
        return render(request, context["part"], context, status=status)
    title = _("Rows that %(run)s changed") % {"run": run}
    response = admin.page(request, "repair_run_rows_page.html", title, **context)
    response.status_code = status
    return response


def _page(request: HttpRequest, run: models.RepairRun, here: str) -> dict[str, Any]:
    after, before = (
        Place.parse(given) if (given := request.GET.get(name)) else None for name in ("after", "before")
    )
    page = quarantined(
        Target(run.target.alias),
        QuarantineSearch(run=run.number, what=What.EVERYTHING),
        after=after,
        before=before,
        limit=ROWS_A_PAGE,
        is_masked=masks_of(run.target),
    )
    return {
        "rows": [_row(shelf, row) for shelf in page.shelves for row in shelf.rows],
        "next_url": f"{here}?after={page.next}" if page.next else "",
        "previous_url": f"{here}?before={page.previous}" if page.previous else "",
    }


def _row(shelf: Shelf, row: QuarantinedRow) -> ChangedRow:
    key = ", ".join(value_text(row.values[name]) for name in shelf.key)
    return ChangedRow(
        written(shelf.table),
        key,
        ACTIONS.get(row.action, row.action),
        row.reason,
        cells.ago(datetime.fromisoformat(row.at)),
        row.taken_back,
    )
