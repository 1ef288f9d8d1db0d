"""From rows that somebody ticked to the page that decides about them, and never about all by mistake."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext as _

from integrity.admin.base import ReadOnlyAdmin, demand
from integrity.admin.deciding import PERMISSIONS
from integrity.admin.rows.asked import ONE_BY_ONE, address, finding_of
from integrity.admin.serving import reverse


class SameAgain(HttpResponseRedirect):
    """Sends what was posted on to another page, as it is (RFC 9110, 15.4.8)."""

    status_code = 307


def decide_about_chosen(admin: ReadOnlyAdmin, request: HttpRequest, pk: int, decision: str) -> HttpResponse:
    """Passes chosen rows on. Without any the decision would be about the whole finding: nobody asked that."""
    finding = finding_of(request, pk, "view_orphanfinding")
    if decision not in ONE_BY_ONE:
        raise Http404
    demand(request, PERMISSIONS[decision])
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.POST.getlist("row"):
        messages.warning(request, _("Choose rows first: tick them at the beginning of their lines."))
        return HttpResponseRedirect(address("rows", finding))
    return SameAgain(reverse("admin:integrity_orphanfinding_decide", args=[decision]))
