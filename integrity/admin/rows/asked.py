"""What a page of rows is asked for: which finding, which key, and whether it is a part of another page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control

from integrity import models
from integrity.admin.base import ReadOnlyAdmin, demand, may
from integrity.admin.deciding import ASKING, PERMISSIONS, TITLES
from integrity.admin.serving import reverse
from integrity.admin.triage.wording import what_is_wrong
from integrity.database.identifiers import TableName, parse_path
from integrity.diagnosis.rows import KeyPage, MissingKey, Sought
from integrity.exceptions import NotAnswerable
from integrity.plans.offers import offers
from integrity.references import load_catalog
from integrity.references.masking import MASKED, any_masked

SEES_ROWS = ("view_orphanfinding", "view_sample_rows")
"""The permissions without which no value of a target is shown."""

ONE_BY_ONE = ("keep", "delete", "set_null", "reassign", "relink")
"""What can be decided about single rows."""

LONGEST_KEY = 10_000


def finding_of(request: HttpRequest, pk: int, *permissions: str) -> models.OrphanFinding:
    """Returns the finding that a page is about, for whoever has the permissions.

    Raises:
        PermissionDenied: for anybody else.
        Http404: where there is none.
    """
    demand(request, *permissions)
    return get_object_or_404(models.OrphanFinding.objects.select_related("target"), pk=pk)


def sought(finding: models.Finding) -> Sought:
    """Returns where its rows are looked for."""
    return Sought(finding.target.alias, parse_path(finding.label), finding.referenced_table)


def key_of(request: HttpRequest) -> tuple[str, ...]:
    """Returns the missing key that an address names as a JSON list of texts, empty where it names none.

    Raises:
        BadRequest: for anything else.
    """
    given = request.GET.get("key", "")
    if not given:
        return ()
    try:
        key = json.loads(given) if len(given) <= LONGEST_KEY else None
    except (ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or not key or not all(isinstance(each, str) for each in key):
        raise BadRequest("That is no missing key.")
    return tuple(key)


def address(name: str, finding: models.Finding, **query: Any) -> str:
    """Returns the address of a page about a finding; what is empty is left out."""
    known = {each: value for each, value in query.items() if value not in ("", None, ())}
    listed = {
        each: json.dumps(list(value)) if isinstance(value, tuple) else value for each, value in known.items()
    }
    url = reverse(f"admin:integrity_orphanfinding_{name}", args=[finding.pk])
    return f"{url}?{urlencode(listed)}" if listed else url


def offered(request: HttpRequest, finding: models.Finding, key: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Returns the decisions that somebody may make about a part of a finding, the suggested one first; what
    is impossible for the finding is left out, as its page says why.

    Args:
        request: whose.
        finding: a finding about orphans.
        key: the missing key that the addresses are about; what asks for nothing is posted with it.
    """
    if finding.state == models.FindingState.RESOLVED:
        return []
    possible = {str(each.resolution) for each in offers(finding.evidence, finding.rows) if each.possible}
    known = [name for name in ONE_BY_ONE if name in possible and may(request, PERMISSIONS[name])]
    known.sort(key=lambda name: name != finding.suggested)
    query = urlencode({"_selected_action": finding.pk, **({"key": json.dumps(list(key))} if key else {})})
    urls = {name: reverse("admin:integrity_orphanfinding_decide", args=[name]) for name in known}
    return [
        {
            "decision": name,
            "title": TITLES[name],
            "suggested": name == finding.suggested,
            "asks": name in ASKING,
            "url": f"{urls[name]}?{query}" if name in ASKING else urls[name],
            "chosen_url": reverse("admin:integrity_orphanfinding_rows_chosen", args=[finding.pk, name]),
        }
        for name in known
    ]


def answer(
    admin: ReadOnlyAdmin, request: HttpRequest, template: str, title: str, **context: Any
) -> HttpResponse:
    """Returns a page, or only its part where a page asks for it that shows it within itself.

    Args:
        admin: whose page it is.
        request: says with ``fragment=1`` that only the part is wanted.
        template: the part's name, without its folder.
        title: the title of the page.
        context: what the part shows; an ``error`` instead is told with what to do.
    """
    error = context.get("error")
    status = 400 if isinstance(error, NotAnswerable) else 200
    is_part = bool(request.GET.get("fragment"))
    context |= {"title": title, "part": f"admin/integrity/rows/{template}", "is_part": is_part}
    if is_part:
        response: TemplateResponse = TemplateResponse(request, context["part"], context, status=status)
    else:
        lead = what_is_wrong(context["finding"])
        response = admin.page(request, "rows/page.html", lead=lead, **context)
        response.status_code = status
    patch_cache_control(response, private=True, no_store=True)
    return response


def kept_keys(finding: models.Finding) -> KeyPage:
    """Returns the commonest missing keys that the last audit kept, without what must not be shown today."""
    catalog = load_catalog(finding.target.alias)
    hidden = any_masked(catalog, TableName(finding.schema_name, finding.table_name), finding.columns)
    hidden |= any_masked(
        catalog, TableName(finding.referenced_schema, finding.referenced_table), finding.referenced_columns
    )
    top = finding.evidence.get("top_missing_keys", [])
    return KeyPage(tuple(MissingKey(() if hidden else _texts(each["key"]), each["rows"]) for each in top))


def _texts(key: list[Any]) -> tuple[str, ...]:
    """A key that is masked or partly NULL cannot be named."""
    return () if None in key or MASKED in key else tuple(map(str, key))
