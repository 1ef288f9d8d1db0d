"""A page of orphans of the live target."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.rows.asked import (
    SEES_ROWS,
    address,
    answer,
    finding_of,
    kept_keys,
    key_of,
    offered,
    sought,
)
from integrity.diagnosis.rows import (
    Orphans,
    ReferringRows,
    RowPage,
    ShownRow,
    looking,
    orphan_rows,
    referring_rows,
)
from integrity.exceptions import ReferentialIntegrityError, TimedOut

REFERRING_MS = 1_500
"""How long counting what refers to the rows of a page may take, a reference."""


def rows_page(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """A page of orphans; a part of the finding's page, or one of its own."""
    finding = finding_of(request, pk, *SEES_ROWS)
    key = key_of(request)
    title = _("Rows of %(reference)s") % {"reference": finding.label}
    context = {"finding": finding, "key": key, "rows_url": address("rows", finding)}
    try:
        with looking(sought(finding)) as orphans:
            after, before = request.GET.get("after", ""), request.GET.get("before", "")
            found = orphan_rows(orphans, key=key, after=after, before=before)
            referring = _referring(orphans, found)
            context |= {"selectable": bool(orphans.key), "hides_keys": orphans.hides_keys}
    except ReferentialIntegrityError as error:
        keys = _known_keys(finding) if isinstance(error, TimedOut) and not key else []
        return answer(admin, request, "rows.html", title, error=error, keys=keys, **context)
    context |= _shown(request, finding, key, found, referring)
    return answer(admin, request, "rows.html", title, **context)


def _known_keys(finding: models.Finding) -> list[dict[str, str]]:
    """The commonest missing keys of the last audit, each with the page of its rows."""
    keys = (each.key for each in kept_keys(finding).keys if each.key)
    return [{"text": ", ".join(key), "url": address("rows", finding, key=key)} for key in keys]


def _referring(orphans: Orphans, found: RowPage) -> list[ReferringRows]:
    if not found.rows:
        return []
    orphans.engine.hasten(orphans.session, REFERRING_MS)
    return referring_rows(orphans, found.rows)


def _shown(
    request: HttpRequest,
    finding: models.OrphanFinding,
    key: tuple[str, ...],
    found: RowPage,
    referring: list[ReferringRows],
) -> dict[str, Any]:
    decisions = offered(request, finding, key)
    return {
        "page": found,
        "rows": [_row(finding, number, row, referring) for number, row in enumerate(found.rows)],
        "next_url": address("rows", finding, key=key, after=found.after) if found.after else "",
        "previous_url": address("rows", finding, key=key, before=found.before) if found.before else "",
        "first_url": address("rows", finding, key=key),
        "is_first": not (request.GET.get("after") or request.GET.get("before")),
        "csv_url": address("rows_csv", finding, key=key) if may(request, "download_csv") else "",
        "keys_url": address("keys", finding),
        "decisions": decisions,
        "key_value": json.dumps(key),
        "referring": _referring_shown(finding, referring),
        "counted": bool(referring),
    }


def _row(
    finding: models.Finding, number: int, row: ShownRow, referring: list[ReferringRows]
) -> dict[str, Any]:
    counts = [each.counts[number] for each in referring if each.counts]
    known = len(counts) == len(referring)
    return {
        "value": json.dumps(row.key) if row.key else "",
        "name": ", ".join(row.key),
        "cells": row.cells,
        "beside": row.beside,
        "referring": sum(each or 0 for each in counts) if known else None,
        "key_url": address("rows", finding, key=row.missing) if row.missing else "",
    }


def _referring_shown(finding: models.OrphanFinding, referring: list[ReferringRows]) -> list[dict[str, Any]]:
    """Each with the page of the finding about it, where there is one."""
    labels = [each.label for each in referring]
    about = models.OrphanFinding.objects.filter(target=finding.target, label__in=labels)
    known = {each.label: each.pk for each in about.only("pk", "label")} if labels else {}
    return [
        {
            "label": each.label,
            "on_delete": each.on_delete,
            "rows": each.rows,
            "gap": each.gap,
            "finding": known.get(each.label),
            "total_url": address("referring", finding, reference=each.label),
        }
        for each in referring
    ]
