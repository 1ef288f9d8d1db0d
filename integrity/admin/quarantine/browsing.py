"""The page that shows a quarantine: what was taken out, by whom, because of what, and every column of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.quarantine.asking import Asked, asked, masks_of, standing_runs, suggestions
from integrity.admin.quarantine.values import value_text
from integrity.admin.serving import reverse
from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.exceptions import InvalidPlace, ReferentialIntegrityError, TimedOut
from integrity.references.reference import written
from integrity.repairs.quarantine import (
    Place,
    QuarantinedRow,
    QuarantinePage,
    Shelf,
    What,
    quarantined,
)
from integrity.repairs.values import Value

ROWS_A_PAGE = 50
ROLLBACKS_AT_MOST = 1_000
COLUMNS_AT_MOST = 6
"""So many columns beside the key stand side by side; all of them in the details of a row."""

PARTS = {What.DELETED: gettext_lazy("Rows taken out"), What.CHANGED: gettext_lazy("Values changed")}


@dataclass(frozen=True)
class ShownRow:
    """A row as the page has it; ``choice`` is what its checkbox says."""

    facts: QuarantinedRow
    choice: str
    name: str
    key: list[Value]
    cells: list[Value]
    whole: list[tuple[str, Value]]
    changes: list[tuple[str, Value, Value]]
    at: str


@dataclass(frozen=True)
class ShownShelf:
    """Rows of one table of one run."""

    facts: Shelf
    title: str
    columns: list[str]
    rows: list[ShownRow]
    whole: str


def browse(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """Shows the quarantine of a target, or which targets have one."""
    if not admin.has_view_permission(request):
        raise PermissionDenied
    target = chosen_target(request)
    if target is None:
        return admin.page(request, "quarantine_targets.html", _("Quarantine"), targets=_targets())
    wanted = asked(request, target)
    context: dict[str, Any] = {
        "asked": wanted,
        "form": wanted.form,
        "target": target,
        "parts": [
            (label, wanted.address(what=str(part)), part == wanted.what) for part, label in PARTS.items()
        ],
        "suggested": suggestions(target),
        "may_see": may(request, "view_sample_rows"),
        "may_restore": may(request, "roll_back_repair"),
        "may_download": may(request, "view_sample_rows", "download_csv"),
        "several": models.Target.objects.filter(repair_runs__isnull=False).exclude(pk=target.pk).exists(),
    }
    status = 200
    if context["may_see"] and wanted.search is not None:
        found, status = _found(request, wanted)
        context |= found
    if "page" not in context:
        context["numbers"] = numbers(target)
    title = _("Quarantine of %(target)s") % {"target": target.alias}
    response = admin.page(request, "quarantine.html", title, **context)
    response.status_code = status
    return response


def chosen_target(request: HttpRequest) -> models.Target | None:
    """The target that an address names; the only one that was repaired where it names none.

    Raises:
        Http404: for a name that no target has.
    """
    if alias := request.GET.get("target", ""):
        target = models.Target.objects.filter(alias=alias).first() if "\0" not in alias else None
        if target is None:
            raise Http404(_("There is no such target."))
        return target
    repaired = models.RepairRun.objects.values_list("target", flat=True).order_by().distinct()[:2]
    pks = list(repaired)
    return models.Target.objects.get(pk=pks[0]) if len(pks) == 1 else None


def _targets() -> list[Any]:
    """The repaired targets, with what the site remembers of their repairs; one query."""
    standing = ~Q(repair_runs__kind=models.RunKind.ROLLBACK) & ~Q(
        repair_runs__state=models.RunState.ROLLED_BACK
    )
    counted = models.Target.objects.filter(repair_runs__isnull=False).annotate(
        standing=Count("repair_runs", filter=standing),
        changed=Sum("repair_runs__rows_changed", filter=standing, default=0),
        last=Max("repair_runs__started_at", filter=standing),
    )
    return [(target, cells.ago(target.last)) for target in counted.order_by("alias")]


def _found(request: HttpRequest, wanted: Asked) -> tuple[dict[str, Any], int]:
    """What was found, or why nothing can be shown, with the status of the answer."""
    assert wanted.search is not None
    try:
        after, before = (_place(request, name) for name in ("after", "before"))
        page = quarantined(
            Target(wanted.target.alias),
            wanted.search,
            after=after,
            before=before,
            limit=ROWS_A_PAGE,
            is_masked=masks_of(wanted.target),
        )
    except InvalidPlace as error:
        return {"problem": error}, 400
    except TimedOut:
        hint = _("Choose a run and a table: then only those rows are searched.")
        return {"problem": TimedOut(_("The search took too long and was ended"), hint=hint)}, 200
    except ReferentialIntegrityError as error:
        return {"problem": error}, 200
    return {"page": page, "runs": list(_runs(wanted, page)), **_ways(wanted, page)}, 200


def _place(request: HttpRequest, name: str) -> Place | None:
    given = request.GET.get(name)
    return Place.parse(given) if given else None


def _ways(wanted: Asked, page: QuarantinePage) -> dict[str, str]:
    ways = {}
    if page.next:
        ways["further"] = wanted.address(after=page.next)
    if page.previous:
        ways["back"] = wanted.address(before=page.previous)
    return ways


def _runs(wanted: Asked, page: QuarantinePage) -> Iterator[dict[str, Any]]:
    """The shelves of a page by run: rows of one run are put back together."""
    numbers = {shelf.run for shelf in page.shelves}
    known = models.RepairRun.objects.filter(target=wanted.target, number__in=numbers)
    pks = dict(known.values_list("number", "pk"))
    for number, shelves in groupby(page.shelves, key=lambda each: each.run):
        shown = list(shelves)
        yield {
            "number": number,
            "kind": dict(models.RunKind.choices).get(shown[0].kind, shown[0].kind),
            "actor": shown[0].actor,
            "page": reverse("admin:integrity_repairrun_change", args=[pks[number]]) if number in pks else "",
            "shelves": [_shown(each) for each in shown],
        }


def _shown(shelf: Shelf) -> ShownShelf:
    others = [name for name in shelf.columns if name not in shelf.key]
    return ShownShelf(
        shelf,
        written(shelf.table),
        others[:COLUMNS_AT_MOST],
        [_row(shelf, others, row) for row in shelf.rows],
        "" if len(others) <= COLUMNS_AT_MOST else str(len(shelf.columns)),
    )


def _row(shelf: Shelf, others: list[str], row: QuarantinedRow) -> ShownRow:
    key = [row.values[name] for name in shelf.key]
    named = ", ".join(value_text(value) for value in key)
    return ShownRow(
        row,
        json.dumps([row.place.journal, row.place.seq]),
        f"{written(shelf.table)} {named or row.place.seq}",
        key,
        [row.values[name] for name in others[:COLUMNS_AT_MOST]],
        list(row.values.items()),
        [(name, row.values[name], row.after[name]) for name in row.changed],
        cells.ago(datetime.fromisoformat(row.at)),
    )


def numbers(target: models.Target) -> list[dict[str, Any]]:
    """What the site remembers of the standing repairs of a target, table by table; two queries."""
    runs = standing_runs(target)
    back = _came_back(target, [run.number for run in runs])
    return [
        {
            "run": run,
            "table": table,
            "name": written(TableName(*table.partition(".")[::2])),
            "deleted": tally.get("deleted", 0),
            "changed": tally.get("updated", 0),
            "back": back.get((run.number, table), 0),
            "when": cells.ago(run.started_at),
        }
        for run in runs
        for table, tally in sorted(run.rows.items())
        if tally.get("deleted") or tally.get("updated")
    ]


def _came_back(target: models.Target, runs: list[int]) -> dict[tuple[int, str], int]:
    """How many rows of each table of these runs came back, by their rollbacks."""
    found: dict[tuple[int, str], int] = defaultdict(int)
    rollbacks = models.RepairRun.objects.filter(target=target, of__in=runs).order_by("-number")
    for of, rows in rollbacks.values_list("of", "rows")[:ROLLBACKS_AT_MOST]:
        for table, tally in rows.items():
            found[of or 0, table] += tally.get("restored", 0)
    return found
