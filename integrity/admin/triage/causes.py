"""Why there are orphans: what explains them, when they came, and which missing keys they share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from integrity import models
from integrity.admin.base import may
from integrity.admin.cells import grouped
from integrity.admin.pictures.bars import Bar, bars
from integrity.admin.triage import wording
from integrity.admin.triage.masking import is_shown
from integrity.admin.triage.scope import Scope

UNITS = {"day": "j M Y", "week": "j M Y", "month": "M Y", "year": "Y", "decade": "Y", "century": "Y"}
"""How the beginning of a stretch of time is written below its column."""


@dataclass(frozen=True)
class Explained:
    """A cause with the rows that it explains, and how much it can be relied on."""

    rows: int
    sentence: str
    confidence: str


@dataclass(frozen=True)
class MissingKey:
    """A referenced value that does not exist, with the orphans that share it."""

    text: str
    rows: int
    share: str
    query: str


def causes(finding: models.Finding) -> list[Explained]:
    """Returns what explains the orphans, most rows first."""
    found = sorted(finding.evidence.get("causes") or [], key=lambda each: -each.get("rows", 0))
    return [
        Explained(
            each.get("rows", 0),
            wording.why(each),
            str(wording.CONFIDENCE.get(each.get("confidence", ""), "")),
        )
        for each in found
    ]


def examined(finding: models.Finding) -> int:
    """Returns how many orphans the evidence is about: those of the last audit that found any."""
    parts = finding.evidence.get("causes") or finding.evidence.get("top_missing_keys") or []
    return finding.rows or sum(each.get("rows", 0) for each in parts)


def chart(finding: models.Finding) -> SafeString:
    """Returns how the orphans lie in time as a picture; empty where nothing says, or all are of one time."""
    timeline = (finding.evidence.get("created") or {}).get("timeline") or {}
    stretches = timeline.get("stretches") or []
    if len(stretches) < 2:
        return mark_safe("")
    written = UNITS.get(timeline.get("unit", ""), "j M Y")
    points = [Bar(_begins(each["start"], written), each["rows"]) for each in stretches]
    most = max(points, key=lambda each: each.value)
    description = _("Most of them, %(rows)s, were created in the stretch that begins with %(begin)s.") % {
        "rows": grouped(round(most.value)),
        "begin": most.label,
    }
    return bars(points, title=_("Orphans by when they were created"), description=description)


def gathered(finding: models.Finding) -> str:
    """Returns how many of the orphans share one missing key, where that is most of them."""
    top = finding.evidence.get("top_missing_keys") or []
    most = max((each["rows"] for each in top), default=0)
    if finding.missing_keys < 2 or 2 * most < finding.rows:
        return ""
    return _("One missing key alone stands for %(share)s of them: something that %(rows)s rows refer to.") % {
        "share": _share(most, finding.rows),
        "rows": grouped(most),
    }


def _begins(start: str, written: str) -> str:
    try:
        return date_format(date.fromisoformat(start), written)
    except ValueError:
        return start


def keys(request: HttpRequest, finding: models.Finding) -> list[MissingKey]:
    """Returns the commonest missing keys, for whoever may see values of rows that are not masked."""
    top = finding.evidence.get("top_missing_keys") or []
    if not top or not may(request, "view_sample_rows") or not is_shown(finding):
        return []
    return [_key(each, examined(finding)) for each in top]


def _key(found: dict[str, Any], rows: int) -> MissingKey:
    texts = tuple("" if part is None else str(part) for part in found["key"])
    whole = None not in found["key"]
    return MissingKey(
        text=", ".join("NULL" if part is None else str(part) for part in found["key"]),
        rows=found["rows"],
        share=_share(found["rows"], rows),
        query=urlencode(Scope(texts).fields) if whole else "",
    )


def _share(some: int, rows: int) -> str:
    percent = 100 * some / rows if rows else 0
    return _("%(percent)s %%") % {"percent": round(percent)} if percent >= 1 else _("less than 1 %")


# -- duplicates ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Repeated:
    """A value that occurs more than once: its rows, the keys of the first of them, and how it is named where
    somebody decides about it alone."""

    text: str
    rows: int
    keys: str
    query: str


def repeated(request: HttpRequest, finding: models.Finding) -> list[Repeated]:
    """Returns values that occur more than once, for whoever may see values of rows that are not masked."""
    samples = finding.evidence.get("samples") or []
    shown = finding.code == "duplicate_rows" and may(request, "view_sample_rows") and is_shown(finding)
    return [_sample(each) for each in samples] if shown else []


def _sample(found: dict[str, Any]) -> Repeated:
    parts = tuple("NULL" if part is None else str(part) for part in found["value"])
    listed = "; ".join(", ".join(map(str, each)) for each in found["keys"])
    keys = f"{listed} …" if len(found["keys"]) < found["rows"] else listed
    return Repeated(", ".join(parts), found["rows"], keys, urlencode(Scope(parts).fields))
