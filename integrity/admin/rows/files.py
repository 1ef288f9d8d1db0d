"""All orphans of a finding as a CSV file, read page by page while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.csv_files import csv_file
from integrity.admin.rows.asked import SEES_ROWS, address, finding_of, key_of, sought
from integrity.diagnosis.rows import Cell, Orphans, RowPage, Sought, looking, orphan_rows
from integrity.exceptions import ReferentialIntegrityError

ROWS_A_READING = 1_000
LETTERS = 32_000
"""More than this does not fit into a cell of a spreadsheet."""

PATIENCE_MS = 10_000
"""Nobody waits for a page here, but a reading holds back vacuum."""


def rows_file(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file; what keeps its first row from being read is said on the page of rows."""
    finding = finding_of(request, pk, *SEES_ROWS, "download_csv")
    key = key_of(request)
    parts = [finding.target.alias, finding.label, "orphans", *key]
    try:
        pages = _Pages(sought(finding), key)
        header = pages.header()
        response = csv_file(parts, header, pages.rows())
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(address("rows", finding, key=key))
    admin.log(request, [finding], _("Downloaded the orphan rows as CSV"))
    return response


class _Pages:
    """The pages of one file: the target is opened anew for each, its structure is read once."""

    def __init__(self, where: Sought, key: tuple[str, ...]) -> None:
        self.where, self.key = where, key
        self.known: Orphans | None = None
        self.first = self._page("")

    def header(self) -> list[str]:
        return [each.name for each in (*self.first.columns, *self.first.beside)]

    def rows(self) -> Iterator[list[Any]]:
        page = self.first
        while True:
            for row in page.rows:
                yield [_value(each) for each in (*row.cells, *row.beside)]
            if not page.after:
                return
            page = self._page(page.after)

    def _page(self, after: str) -> RowPage:
        with looking(self.where, statement_timeout_ms=PATIENCE_MS, known=self.known) as orphans:
            self.known = orphans
            return orphan_rows(orphans, after=after, key=self.key, limit=ROWS_A_READING, letters=LETTERS)


def _value(cell: Cell) -> Any:
    if cell.text is None and cell.size is not None:
        return _("%(bytes)s bytes") % {"bytes": cell.size}
    return cell.text
