"""The quarantine as a file that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _

from integrity.admin.base import ReadOnlyAdmin, demand
from integrity.admin.csv_files import csv_file
from integrity.admin.quarantine.asking import Asked, asked, masks_of
from integrity.admin.quarantine.browsing import chosen_target
from integrity.admin.quarantine.values import value_text
from integrity.admin.serving import reverse
from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.reference import written
from integrity.repairs.quarantine import QuarantineSearch, Shelf, columns_of, quarantined
from integrity.repairs.values import IsMasked, Value

ROWS_AT_ONCE = 500
"""So many rows are read in one short reading."""


def download(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponseBase:
    """Sends what a search finds, every column whole."""
    demand(request, "view_repairrun", "view_sample_rows", "download_csv")
    target = chosen_target(request)
    wanted = asked(request, target) if target else None
    if wanted is None or wanted.search is None:
        messages.error(request, _("Choose a target, and what to download of its quarantine."))
        return HttpResponseRedirect(reverse("admin:integrity_quarantine"))
    try:
        response = _file(wanted, wanted.search)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(reverse("admin:integrity_quarantine") + wanted.address())
    admin.log(request, [wanted.target], _("Downloaded the quarantine as CSV"))
    return response


def _file(wanted: Asked, search: QuarantineSearch) -> HttpResponseBase:
    target = Target(wanted.target.alias)
    columns, masked = columns_of(target, search), masks_of(wanted.target)
    header = [_("run"), _("table"), _("because of"), _("action"), _("at"), *columns]
    name = [wanted.target.alias, _("quarantine"), *filter(None, [search.run, search.table, search.reference])]
    return csv_file(name, header, _rows(target, search, columns, masked))


def _rows(
    target: Target, search: QuarantineSearch, columns: tuple[str, ...], masked: IsMasked
) -> Iterator[list[Any]]:
    """Page after page, each a short reading of its own."""
    after = None
    while True:
        page = quarantined(target, search, after=after, limit=ROWS_AT_ONCE, is_masked=masked, letters=None)
        for shelf in page.shelves:
            yield from _lines(shelf, columns)
        if page.next is None:
            return
        after = page.next


def _lines(shelf: Shelf, columns: tuple[str, ...]) -> Iterator[list[Any]]:
    for row in shelf.rows:
        heads = [shelf.run, written(shelf.table), row.reason, row.action, row.at]
        yield [*heads, *(_cell(row.values.get(name)) for name in columns)]


def _cell(value: Value | None) -> str | None:
    return None if value is None or value.null else value_text(value)
