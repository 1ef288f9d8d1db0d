"""The resolutions of a finding as buttons: each with its reason, and with what stands against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin.base import may
from integrity.admin.cells import grouped
from integrity.admin.deciding import ASKING, PERMISSIONS
from integrity.admin.serving import reverse
from integrity.admin.triage.scope import Scope
from integrity.plans.offers import Because, Hindrance, How, Offer, offers
from integrity.references import Resolution


@dataclass(frozen=True)
class Choice:
    """One offer as the page shows it; ``url`` is empty for whoever may not choose it.

    What ``asks`` for nothing is posted there with ``fields``.
    """

    offer: Offer
    title: str
    reason: str
    recommended: str
    hindrance: str
    url: str
    asks: bool = True
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def open(self) -> bool:
        """Whether it can be chosen, as far as is known."""
        return self.offer.possible


def choices(request: HttpRequest, finding: models.Finding, scope: Scope) -> list[Choice]:
    """Returns every resolution, the recommended one first and the impossible ones last."""
    return [_choice(request, finding, offer, scope) for offer in offers(finding.evidence, finding.rows)]


def address(decision: str, fields: Sequence[tuple[str, str]]) -> str:
    """The address of the page on which a decision is made, or where one that asks for nothing is posted."""
    url = reverse("admin:integrity_orphanfinding_decide", args=[decision])
    return f"{url}?{urlencode(fields)}" if decision in ASKING else url


def suggestion(kind: str) -> str:
    """A resolution by its name; empty where nothing is suggested."""
    return capfirst(str(dict(models.Decision.choices).get(kind, kind)))


def _choice(request: HttpRequest, finding: models.Finding, offer: Offer, scope: Scope) -> Choice:
    decision = str(offer.resolution)
    permission = PERMISSIONS.get(decision)
    allowed = offer.possible and permission is not None and may(request, "view_orphanfinding", permission)
    fields = ((ACTION_CHECKBOX_NAME, str(finding.pk)), *scope.fields)
    return Choice(
        offer=offer,
        title=suggestion(decision),
        reason=_reason(finding, offer, scope),
        recommended=str(_recommended(offer.because)),
        hindrance=_hindrance(offer),
        url=address(decision, fields) if allowed else "",
        asks=decision in ASKING,
        fields=fields,
    )


def _recommended(because: Because) -> str:
    said: Mapping[Because, str] = {
        Because.POLICY: _("The catalog of this target prescribes it."),
        Because.CASCADE: _("The reference says so: what belongs to a deleted row is deleted with it."),
        Because.SET_NULL: _("The reference says so: what refers to a deleted row refers to nothing."),
        Because.SPELLING: _("Most of them mean a row that exists, and only spell its key differently."),
        Because.SENTINEL: _("Most of them hold a value that stands for “nothing”."),
        Because.ARCHIVED: _("Most of what they refer to stands in an archive, and can be restored."),
    }
    return said.get(because, "")


def _reason(finding: models.Finding, offer: Offer, scope: Scope) -> str:
    parent = {"table": finding.referenced_table}
    if offer.resolution is Resolution.RELINK:
        return _relinking(offer, scope)
    if offer.resolution is Resolution.REASSIGN and offer.how is How.SYSTEM_ROW:
        return _("The rows are pointed at the system row of %(table)s, or at one that you choose.") % parent
    said = {
        Resolution.KEEP: _("Nothing changes. New orphans can still be prevented; these stay."),
        Resolution.DELETE: _("The rows go to quarantine, whole, and can be brought back."),
        Resolution.SET_NULL: _("The rows stay, and refer to nothing any more."),
        Resolution.RESTORE_PARENT: _("A row of %(table)s is made again for each missing key."),
        Resolution.REASSIGN: _("The rows are pointed at a row of %(table)s that you choose."),
    }
    return said[offer.resolution] % parent


def _relinking(offer: Offer, scope: Scope) -> str:
    if offer.how is How.BY_MAPPING:
        return _("The rows are pointed at what their keys mean: you say what, in a list.")
    if scope.key:
        return _("Where only the spelling of the key differs, the rows are pointed at what it means.")
    said = ngettext(
        "%(rows)s row differs only in spelling, and is pointed at what it means.",
        "%(rows)s rows differ only in spelling, and are pointed at what they mean.",
        offer.rows,
    )
    return said % {"rows": grouped(offer.rows)}


def _hindrance(offer: Offer) -> str:
    named = {"named": ", ".join(offer.named)}
    said: Mapping[Hindrance, str] = {
        Hindrance.NOT_NULL: _("Not possible: the column must not be empty (NOT NULL)."),
        Hindrance.COMPUTED: _("Not possible: %(named)s is computed from other columns.") % named,
        Hindrance.NOT_A_TABLE: _("Not possible: it is a %(named)s, whose rows cannot be changed.") % named,
        Hindrance.NO_TEMPLATE: _(
            "Not possible yet: the catalog does not say how such a row is made ([restore.TABLE])."
        ),
    }
    return said.get(offer.hindrance, "")
