"""How many rows refer to any of the orphans: counted when somebody asks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.rows.asked import address, answer, finding_of, sought
from integrity.diagnosis.rows import all_referring_rows, looking
from integrity.exceptions import ReferentialIntegrityError


def total_page(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The number of rows that refer to orphans by the reference that the address names."""
    finding = finding_of(request, pk, "view_orphanfinding", "view_sample_rows")
    label = request.GET.get("reference", "")
    title = _("What refers to orphans of %(reference)s") % {"reference": finding.label}
    context = {"finding": finding, "label": label, "rows_url": address("rows", finding)}
    try:
        with looking(sought(finding)) as orphans:
            total = all_referring_rows(orphans, label)
    except ReferentialIntegrityError as error:
        return answer(admin, request, "referring.html", title, error=error, **context)
    return answer(admin, request, "referring.html", title, total=total, **context)
