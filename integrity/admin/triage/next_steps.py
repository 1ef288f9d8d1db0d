"""What to do about a finding, and where: one link for each kind of thing that audits find."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin.base import may
from integrity.admin.migrating.choosing import MENDED
from integrity.admin.serving import reverse
from integrity.admin.triage.notes import address_of
from integrity.admin.triage.wording import what_is_wrong

_FOREIGN_KEYS = ("missing_foreign_key", "unvalidated_foreign_key")


@dataclass(frozen=True)
class Step:
    """What to do next, and the address of the page for it."""

    text: str
    url: str


def step(request: HttpRequest, finding: models.Finding) -> Step | None:
    """Returns what this user can do about a finding; None for orphans on their own page, and for what is
    resolved or nothing of ours mends."""
    if finding.state == models.FindingState.RESOLVED:
        return None
    if finding.code == models.ORPHANED_ROWS:
        own = isinstance(finding, models.OrphanFinding) or not may(request, "view_orphanfinding")
        return None if own else Step(_("Decide what becomes of these rows"), address_of(finding))
    if finding.code == "duplicate_rows" and may(request, "deduplicate_finding"):
        return _deduplicate(finding)
    if finding.code in MENDED and may(request, "write_migrations"):
        return _fixes(_("See the change of structure that mends it"), finding)
    return None


def prevention(request: HttpRequest, finding: models.Finding) -> Step | None:
    """Returns what keeps more orphans from coming, or will for all rows: the foreign key that is missing, or
    holds for new rows only."""
    missing = models.Finding.objects.filter(
        target=finding.target_id, state=models.FindingState.OPEN, table_name=finding.table_name,
        code__in=_FOREIGN_KEYS, label=finding.label,
    )  # fmt: skip
    found = missing.select_related("target").first()
    if found is None or not may(request, "view_finding"):
        return None
    if may(request, "write_migrations"):
        binds = found.evidence.get("enforced") and not found.evidence.get("validated")
        text = _("Make it hold for all rows") if binds else _("See the foreign key that prevents it")
        return _fixes(text, found)
    return Step(_("See what is missing"), address_of(found))


def in_the_way(request: HttpRequest, finding: models.Finding) -> Step | None:
    """Returns the orphans for which a foreign key cannot bind all rows yet."""
    if finding.code not in _FOREIGN_KEYS or not may(request, "view_orphanfinding"):
        return None
    orphans = models.OrphanFinding.objects.filter(
        target=finding.target_id, state=models.FindingState.OPEN, table_name=finding.table_name,
        label=finding.label,
    )  # fmt: skip
    found = orphans.first()
    return None if found is None else Step(what_is_wrong(found), address_of(found))


def _deduplicate(finding: models.Finding) -> Step | None:
    try:
        url = reverse("admin:integrity_finding_deduplicate")
    except NoReverseMatch:
        return None
    return Step(
        _("Decide which of these rows stay"), f"{url}?{urlencode({ACTION_CHECKBOX_NAME: finding.pk})}"
    )


def _fixes(text: str, finding: models.Finding) -> Step:
    """The page of schema fixes, with a finding chosen."""
    url = reverse("admin:integrity_schema_fixes", args=[finding.target.alias])
    return Step(text, f"{url}?{urlencode({'finding': finding.pk})}")
