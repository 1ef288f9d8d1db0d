"""A list of findings as a file, with the filters and in the order that are seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from integrity import conf, models
from integrity.admin.base import demand
from integrity.admin.csv_files import csv_file

if TYPE_CHECKING:
    from integrity.admin.triage.columns import FindingColumns

PAGE = 500


def download(admin: FindingColumns, request: HttpRequest) -> HttpResponseBase:
    """Returns the findings of a list; how many at most, the setting ``CSV_ROWS`` says.

    Raises:
        PermissionDenied: for whoever may not see the list, or take it along.
    """
    demand(request, f"view_{admin.opts.model_name}", "download_csv")
    listed = admin.get_changelist_instance(request).get_queryset(request).select_related("target")
    first = listed.first()
    if first is not None:
        admin.log(request, [first], _("The list of findings was downloaded as CSV"))
    name = "orphans" if admin.model is models.OrphanFinding else "findings"
    return csv_file([name], _header(), _rows(listed))


def _header() -> list[str]:
    return [
        _("target"), _("kind"), _("severity"), _("state"), _("reference"), _("refers to"), _("rows"),
        _("rows before"), _("missing keys"), _("cause"), _("suggested resolution"), _("decision"),
        _("opened"), _("resolved"), _("object"), _("message"), _("fingerprint"),
    ]  # fmt: skip


def _rows(listed: QuerySet[Any]) -> Iterator[list[Any]]:
    """The findings a page at a time: what was listed when the file began, by its keys."""
    keys = list(listed.values_list("pk", flat=True)[: conf.csv_rows() + 1])
    for start in range(0, len(keys), PAGE):
        page = (
            models.Finding.objects.select_related("target")
            .defer("evidence")
            .in_bulk(keys[start : start + PAGE])
        )
        yield from (_row(page[key]) for key in keys[start : start + PAGE] if key in page)


def _row(finding: models.Finding) -> list[Any]:
    parent = ".".join(
        filter(
            None, [finding.referenced_schema, finding.referenced_table, ",".join(finding.referenced_columns)]
        )
    )
    return [
        finding.target.alias, finding.code, finding.severity, finding.state, finding.label, parent,
        finding.rows, finding.previous_rows, finding.missing_keys, finding.cause, finding.suggested,
        finding.decided, finding.opened_at, finding.resolved_at, finding.object, finding.message,
        finding.fingerprint,
    ]  # fmt: skip
