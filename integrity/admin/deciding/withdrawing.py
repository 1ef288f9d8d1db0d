"""Taking a decision back that was not right, or is not any more: its finding waits for one again."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

from integrity import models, store
from integrity.admin.base import ReadOnlyAdmin, actor, demand, may
from integrity.admin.deciding.rights import DEDUPLICATE, PERMISSIONS
from integrity.admin.triage.notes import address_of, name_of, seen_as

LONGEST_REASON = 2_000


def may_withdraw(request: HttpRequest, decision: str) -> bool:
    """Whether a user may withdraw a decision: whoever may make it may."""
    return may(request, _permission(decision))


def withdraw(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraws a decision that stands, and leads back to its finding."""
    found = models.Resolution.objects.select_related("finding__target").filter(pk=pk).first()
    if found is None:
        raise Http404
    finding = found.finding
    demand(request, f"view_{name_of(finding)}", _permission(found.decision))
    reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
    if store.withdraw_decision(finding, pk, actor=actor(request), reason=reason):
        what = capfirst(found.get_decision_display())
        said = _("Withdrew: %(what)s") % {"what": what}
        admin.log(request, [seen_as(finding)], f"{said}. {Truncator(reason).chars(200)}".strip())
        messages.success(request, _("The decision is withdrawn. Nothing was changed in the target."))
    else:
        messages.warning(request, _("That decision did not stand any more. Nothing was withdrawn."))
    return HttpResponseRedirect(f"{address_of(finding)}#decisions")


def _permission(decision: str) -> str:
    return PERMISSIONS.get(decision, DEDUPLICATE)
