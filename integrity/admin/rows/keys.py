"""A page of missing keys of the live target, the commonest first."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.rows.asked import SEES_ROWS, address, answer, finding_of, kept_keys, offered, sought
from integrity.diagnosis.rows import KEYS_A_PAGE, MissingKey, looking, missing_keys
from integrity.exceptions import ReferentialIntegrityError, TimedOut


def keys_page(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """A page of missing keys; those that the last audit kept, where counting takes too long now."""
    finding = finding_of(request, pk, *SEES_ROWS)
    title = _("Missing keys of %(reference)s") % {"reference": finding.label}
    given = request.GET.get("page", "1")
    number = int(given) if given.isdecimal() and len(given) < 5 else 1
    context: dict[str, Any] = {"finding": finding, "rows_url": address("rows", finding)}
    try:
        with looking(sought(finding)) as orphans:
            found = missing_keys(orphans, page=number)
    except TimedOut as error:
        found = kept_keys(finding)
        context |= {"kept": True} if found.keys else {"error": error}
    except ReferentialIntegrityError as error:
        return answer(admin, request, "keys.html", title, error=error, **context)
    context |= {
        "first": (found.page - 1) * KEYS_A_PAGE + 1,
        "keys": [_key(request, finding, each) for each in found.keys],
        "next_url": address("keys", finding, page=found.page + 1) if found.more else "",
        "previous_url": address("keys", finding, page=found.page - 1) if found.page > 1 else "",
    }
    return answer(admin, request, "keys.html", title, **context)


def _key(request: HttpRequest, finding: models.OrphanFinding, each: MissingKey) -> dict[str, Any]:
    return {
        "text": ", ".join(each.key),
        "value": json.dumps(each.key),
        "rows": each.rows,
        "share": min(100, round(100 * each.rows / finding.rows)) if finding.rows else 0,
        "url": address("rows", finding, key=each.key) if each.key else "",
        "decisions": offered(request, finding, each.key) if each.key else [],
    }
