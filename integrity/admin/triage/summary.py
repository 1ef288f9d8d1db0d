"""The numbers above a list of findings, as targets carry them: no finding is counted for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F, Sum
from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models, store
from integrity.admin.base import may
from integrity.admin.cells import grouped
from integrity.admin.serving import reverse

COUNTED_AT_MOST = 1_000


@dataclass(frozen=True)
class Place:
    """A list of findings in one state: what it is called, where it is with all else as it is and where
    without, and whether it is the one shown."""

    text: str
    url: str
    plain: str
    here: bool


@dataclass(frozen=True)
class Number:
    """How many of what, and where to see them."""

    number: str
    text: str
    url: str = ""


def places(request: HttpRequest) -> list[Place]:
    """Returns the lists of each state, everything else that is asked for as it is."""
    asked = request.GET.get("state__exact") or "open"
    shown = asked if asked in models.FindingState.values else models.FindingState.OPEN
    return [
        Place(str(capfirst(name)), _address(request.GET, state), _address(QueryDict(), state), state == shown)
        for state, name in models.FindingState.choices
    ]


def summary(request: HttpRequest, *, orphans: bool) -> list[Number]:
    """Returns the numbers above a list, of the chosen target or of all.

    Args:
        request: its address may name a target.
        orphans: whether the list is the one for triage, where people decide.
    """
    targets = models.Target.objects.order_by()
    if asked := _asked(request):
        targets = targets.filter(pk=asked)
    return [*_orphans(targets), *_waiting(request)] if orphans else _severities(targets)


def audited(request: HttpRequest) -> bool:
    """Returns whether anybody looked at the chosen target, or at any: nothing open says nothing before."""
    runs = models.AuditRun.objects.filter(state=models.RunState.FINISHED)
    if asked := _asked(request):
        runs = runs.filter(target=asked)
    return runs.order_by().exists()


def _asked(request: HttpRequest) -> int | None:
    """The key of the target that the address names."""
    asked = request.GET.get("target__id__exact", "")
    return int(asked) if asked.isdecimal() and len(asked) < 19 else None


def _orphans(targets: Any) -> list[Number]:
    found = targets.aggregate(
        broken=Sum(F("undecided") + F("decided"), default=0), rows=Sum("orphans_open", default=0),
        decided=Sum("decided", default=0), kept=Sum("orphans_kept", default=0),
    )  # fmt: skip
    broken, rows, decided, kept = (found[name] for name in ("broken", "rows", "decided", "kept"))
    numbers = [
        Number(grouped(broken), ngettext("broken reference", "broken references", broken)),
        Number(grouped(rows), ngettext("orphan in all", "orphans in all", rows)),
        Number(grouped(decided), _("decided, not run yet")),
        Number(grouped(kept), ngettext("orphan kept by decision", "orphans kept by decision", kept)),
    ]
    return numbers[: 4 if kept else 3]


def _severities(targets: Any) -> list[Number]:
    found = targets.aggregate(
        errors=Sum("errors_open", default=0), warnings=Sum("warnings_open", default=0),
        notices=Sum("notices_open", default=0),
    )  # fmt: skip
    errors, warnings, notices = (found[name] for name in ("errors", "warnings", "notices"))
    return [
        Number(grouped(errors), ngettext("open error", "open errors", errors)),
        Number(grouped(warnings), ngettext("open warning", "open warnings", warnings)),
        Number(grouped(notices), ngettext("notice", "notices", notices)),
    ]


def _waiting(request: HttpRequest) -> list[Number]:
    """How many plans wait for a second person, for whoever may see them."""
    if not may(request, "view_approval"):
        return []
    number = store.waiting_approvals().order_by()[:COUNTED_AT_MOST].count()
    try:
        url = reverse("admin:integrity_approval_changelist")
    except NoReverseMatch:
        url = ""
    text = ngettext("plan waits for approval", "plans wait for approval", number)
    return [Number(grouped(number), text, url)] if number else []


def _address(given: QueryDict, state: str) -> str:
    query = given.copy()
    for name in ("state__exact", "p"):
        query.pop(name, None)
    if state != models.FindingState.OPEN:
        query["state__exact"] = state
    return f"?{query.urlencode()}"
