"""What somebody chose to decide about: findings of one target, single missing keys, chosen rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from integrity import models
from integrity.database.identifiers import Path, parse_path
from integrity.exceptions import PlanRefused
from integrity.plans import Request
from integrity.plans.offers import How, offers
from integrity.plans.steps import KeyTexts
from integrity.references import Resolution

MOST_FINDINGS = 200
MOST_SCOPED = 10_000


@dataclass(frozen=True)
class Choice:
    """Findings of one target that are not resolved; of a single one perhaps only some keys or rows."""

    findings: tuple[models.Finding, ...]
    keys: tuple[KeyTexts, ...] = ()
    rows: tuple[KeyTexts, ...] = ()

    @property
    def target(self) -> models.Target:
        """Whose findings they are."""
        return self.findings[0].target

    @property
    def single(self) -> models.Finding | None:
        """The finding, where it is one."""
        return self.findings[0] if len(self.findings) == 1 else None

    @property
    def orphans(self) -> int | None:
        """How many rows it is about; None where that is not known before it is counted."""
        if self.rows:
            return len(self.rows)
        return None if self.keys else sum(finding.rows for finding in self.findings)

    def offered(self, how: How) -> bool:
        """Whether a resolution of one of the findings works this way, as far as its audit knows."""
        return any(each.how is how for one in self.findings for each in offers(one.evidence, one.rows))

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The choice as the fields of a form."""
        chosen = [(ACTION_CHECKBOX_NAME, str(finding.pk)) for finding in self.findings]
        chosen += [("key", json.dumps(key)) for key in self.keys]
        return chosen + [("row", json.dumps(row)) for row in self.rows]

    @property
    def query(self) -> str:
        """The choice as the query of an address."""
        return urlencode(self.fields)

    def requests(self, decision: str, **more: Any) -> list[Request]:
        """Returns the choice as requests for a plan."""
        scope: dict[str, Any] = {"keys": self.keys} | ({"rows": self.rows} if self.rows else {})
        return [
            Request(reference=path_of(finding), resolution=Resolution(decision), **scope, **more)
            for finding in self.findings
        ]


def path_of(finding: models.Finding) -> Path:
    """The reference or unique that a finding is about, as a plan is asked for it."""
    return parse_path(finding.label)


def chosen(request: HttpRequest, findings: QuerySet[Any]) -> Choice:
    """Reads from an address or a form what was chosen.

    Args:
        request: names findings as the lists of the admin do, and may name keys and rows of a single one.
        findings: those that may be chosen.

    Raises:
        BadRequest: for what no page of ours sends.
        PlanRefused: nothing that could be decided, or what one plan cannot do.
    """
    data = request.POST if request.method == "POST" else request.GET
    given = [pk for pk in data.getlist(ACTION_CHECKBOX_NAME) if pk.isdecimal() and len(pk) < 19]
    return choice_of(findings.filter(pk__in=given), scoped(data.getlist("key")), scoped(data.getlist("row")))


def choice_of(
    findings: QuerySet[Any], keys: tuple[KeyTexts, ...] = (), rows: tuple[KeyTexts, ...] = ()
) -> Choice:
    """Returns what a plan can be made of.

    Raises:
        BadRequest: keys or rows that cannot belong to what was chosen.
        PlanRefused: see :func:`chosen`.
    """
    standing = findings.exclude(state=models.FindingState.RESOLVED).select_related("target").order_by("pk")
    found = tuple(standing[: MOST_FINDINGS + 1])
    _refuse_impossible(found)
    if (keys or rows) and len(found) > 1:
        raise BadRequest("Keys and rows belong to one finding.")
    if keys and rows:
        raise BadRequest("Either keys or rows are chosen.")
    if any(len(key) != len(found[0].columns) for key in keys):
        raise BadRequest("A key has one value for each column.")
    return Choice(found, keys, rows)


def _refuse_impossible(found: tuple[models.Finding, ...]) -> None:
    if not found:
        raise PlanRefused(
            _("There is nothing to decide"),
            hint=_("Nothing was chosen, or what was chosen is resolved already."),
        )
    if len(found) > MOST_FINDINGS:
        raise PlanRefused(
            _("More than %(most)s findings were chosen") % {"most": MOST_FINDINGS},
            hint=_("Nobody could look through such a plan. Choose fewer."),
        )
    if len({finding.target_id for finding in found}) > 1:
        raise PlanRefused(
            _("Findings of several targets were chosen"),
            hint=_("Choose findings of one target: a plan is for one."),
        )


def scoped(texts: Iterable[str]) -> tuple[KeyTexts, ...]:
    """Reads keys, each a JSON list of texts; one that is named twice counts once.

    Raises:
        BadRequest: for anything else, or too many.
    """
    keys = tuple(dict.fromkeys(map(_key, texts)))
    if len(keys) > MOST_SCOPED:
        raise BadRequest("Too many keys.")
    return keys


def _key(text: str) -> KeyTexts:
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest("A key is a JSON list.") from error
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) for part in parts):
        raise BadRequest("A key is a list of texts.")
    if any("\0" in part for part in parts):
        raise BadRequest("No value holds a NUL.")
    return tuple(parts)
