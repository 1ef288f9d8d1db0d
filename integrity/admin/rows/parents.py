"""Rows that orphans could refer to instead, for a field that completes what is typed."""

from __future__ import annotations

import csv
import io

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.rows.asked import SEES_ROWS, finding_of, sought
from integrity.diagnosis.rows import Parent, find_parents, looking
from integrity.exceptions import ReferentialIntegrityError

PATIENCE_MS = 2_000
LONGEST_TERM = 200


def parents_found(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> JsonResponse:
    """``{"results": [{"id": …, "text": …}], "more": …, "note": …}``: an id is what the field expects."""
    finding = finding_of(request, pk, *SEES_ROWS, "reassign_finding")
    term = request.GET.get("term", "")[:LONGEST_TERM]
    try:
        with looking(sought(finding), statement_timeout_ms=PATIENCE_MS) as orphans:
            found = find_parents(orphans, term)
    except ReferentialIntegrityError as error:
        return _answer({"results": [], "more": False, "note": str(error)})
    note = _("Not everything was searched: that takes too long. Type the key itself.") if found.gap else ""
    results = [{"id": _written(each), "text": _said(each)} for each in found.found]
    return _answer({"results": results, "more": found.more, "note": note})


def _written(parent: Parent) -> str:
    """A key as somebody types it: one value as it is, several with commas between, quoted where one has a
    comma itself."""
    if len(parent.key) == 1:
        return parent.key[0]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(parent.key)
    return line.getvalue()


def _said(parent: Parent) -> str:
    return " · ".join([", ".join(parent.key), *parent.called])


def _answer(data: dict[str, object]) -> JsonResponse:
    response = JsonResponse(data)
    response["Cache-Control"] = "private, no-store"
    return response
