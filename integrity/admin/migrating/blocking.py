"""From a check that failed to the findings that say which rows are in the way, and to deciding about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch

from integrity import models
from integrity.admin.base import may
from integrity.admin.serving import reverse
from integrity.admin.without_values import told

MOST = 100
CODES = {"orphans": models.ORPHANED_ROWS, "duplicates": "duplicate_rows"}
"""The checks that speak of rows, and the codes of the findings about the same rows."""

DECIDING = (
    "decide_finding", "cleanup_finding", "set_null_finding", "reassign_finding", "keep_finding",
    "relink_finding", "restore_parent_finding",
)  # fmt: skip
"""Whoever has one of these can do something about orphans."""

_ARROW = " → "


@dataclass(frozen=True)
class Obstacle:
    """Rows that keep a migration from beginning; ``finding`` is None where no audit has seen them yet."""

    label: str
    what: str
    message: str
    finding: models.Finding | None
    url: str = ""
    decide_url: str = ""


def obstacles(
    request: HttpRequest, target: models.Target, checks: Iterable[Mapping[str, Any]]
) -> list[Obstacle]:
    """Returns what failed checks say that stands in the way, each with its finding and where to decide.

    Args:
        request: whose user may see and decide this or that.
        target: whose checks they are.
        checks: as plain values, of a plan or of a run.
    """
    failed = [each for each in checks if each["verdict"] == "failed" and each["what"] in CODES]
    labels = {label_of(each): each for each in failed[:MOST]}
    found = _findings(target, labels)
    return [
        _obstacle(request, label, each, found.get((CODES[each["what"]], label)))
        for label, each in labels.items()
    ]


def label_of(check: Mapping[str, Any]) -> str:
    """The reference or unique that a check is about, as findings name it."""
    return str(check["subject"]).split(_ARROW)[0]


def _findings(target: models.Target, labels: Iterable[str]) -> dict[tuple[str, str], models.Finding]:
    wanted = list(labels)
    if not wanted:
        return {}
    standing = models.Finding.objects.filter(target=target, code__in=CODES.values(), label__in=wanted)
    rows = standing.exclude(state=models.FindingState.RESOLVED).defer("evidence")
    return {(each.code, each.label): each for each in rows[: 2 * MOST]}


def _obstacle(
    request: HttpRequest, label: str, check: Mapping[str, Any], finding: models.Finding | None
) -> Obstacle:
    url = decide = ""
    if finding is not None and may(request, "view_finding"):
        orphans = finding.code == models.ORPHANED_ROWS
        url = _page(finding, "orphanfinding" if orphans else "finding")
        decide = _deciding(request, finding)
    return Obstacle(label, str(check["what"]), told(request, str(check["message"])), finding, url, decide)


def _page(finding: models.Finding, name: str) -> str:
    return reverse(f"admin:integrity_{name}_change", args=[finding.pk])


def _deciding(request: HttpRequest, finding: models.Finding) -> str:
    """Orphans are decided about on their own page, where every way is offered with its reason."""
    if finding.code == models.ORPHANED_ROWS:
        return _page(finding, "orphanfinding") if any(may(request, each) for each in DECIDING) else ""
    try:
        url = reverse("admin:integrity_finding_deduplicate")
    except NoReverseMatch:
        return ""
    chosen = urlencode({"_selected_action": finding.pk})
    return f"{url}?{chosen}" if may(request, "deduplicate_finding") else ""
