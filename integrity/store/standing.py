"""What stands decided today: of each finding what was decided for it, for its keys, for its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from integrity import models
from integrity.database.identifiers import parse_path
from integrity.exceptions import PlanMismatch
from integrity.plans import DuplicateRequest, Plan, Request
from integrity.plans import Mapping as KeyMapping
from integrity.plans.mapping import mapping_of
from integrity.plans.steps import KeyTexts
from integrity.references.reference import Resolution as Kind
from integrity.references.uniques import Duplicates
from integrity.store.plans import load_plan
from integrity.store.site import site_database

_PARTIAL = ~Q(keys=[], rows=[])
"""Decisions about some of a finding's keys or rows."""


Scope = tuple[models.Resolution, tuple[KeyTexts, ...], tuple[KeyTexts, ...]]
"""A decision with the keys and the rows that it is about; neither: the whole finding."""


@dataclass
class Standing:
    """The decisions about one finding that count: the latest in general, and the latest for each missing
    key and each row. One about keys or rows stands beside the general one, whichever came first."""

    finding: models.Finding
    general: models.Resolution | None = None
    keys: dict[KeyTexts, models.Resolution] = field(default_factory=dict)
    rows: dict[KeyTexts, models.Resolution] = field(default_factory=dict)

    def add(self, made: models.Resolution) -> None:
        """Takes a later decision into account, or that an earlier one was withdrawn."""
        if made.decision == models.Decision.WITHDRAW:
            self._end(made)
            return
        if not made.keys and not made.rows:
            self.general = made
        self.keys |= {tuple(key): made for key in made.keys}
        self.rows |= {tuple(row): made for row in made.rows}

    def _end(self, withdrawal: models.Resolution) -> None:
        if not withdrawal.keys and not withdrawal.rows:
            self.general = None
        for key in withdrawal.keys:
            self.keys.pop(tuple(key), None)
        for row in withdrawal.rows:
            self.rows.pop(tuple(row), None)

    def without(self, ended: set[Any]) -> Standing:
        """The same without decisions that ended: then what is said of more rows counts."""
        return Standing(
            self.finding,
            None if self.general and self.general.pk in ended else self.general,
            {key: made for key, made in self.keys.items() if made.pk not in ended},
            {row: made for row, made in self.rows.items() if made.pk not in ended},
        )

    @property
    def latest(self) -> models.Resolution:
        """The last of them."""
        return max((made for made, _, _ in self.scopes()), key=lambda made: int(made.pk))

    def scopes(self) -> Iterator[Scope]:
        """Yields each decision that counts with the keys or the rows that are left to it."""
        if self.general:
            yield self.general, (), ()
        for made, keys in _by_decision(self.keys):
            yield made, keys, ()
        for made, rows in _by_decision(self.rows):
            yield made, (), rows


def decisions_for(alias: str, *, on: date | None = None) -> list[Request]:
    """Returns the decisions that stand for a target's orphans, as requests for a plan.

    Of each finding these are the latest in general, and the latest for each missing key and each row. A
    keep that has expired, and whatever was decided before the orphans last came back, does not count.
    """
    return _requests(alias, Q(), on)


def exceptions_for(alias: str, labels: Iterable[str], *, on: date | None = None) -> list[Request]:
    """Returns what stands decided for single keys and rows of some references: an exception from whatever
    is decided for the whole of them now."""
    wanted = {parse_path(label) for label in labels}
    tables = Q(finding__table_name__in={path.table for path in wanted})
    return [request for request in _requests(alias, tables & _PARTIAL, on) if request.reference in wanted]


def _requests(alias: str, wanted: Q, on: date | None) -> list[Request]:
    plans = _Plans(alias)
    return [
        Request(
            reference=parse_path(each.finding.label),
            resolution=Kind(made.decision),
            to=tuple(made.to_key) if made.to_key else None,
            reason=made.reason,
            until=made.until.isoformat() if made.until else "",
            keys=keys,
            rows=rows,
            mapping=plans.mapping(each.finding.label, made),
            standing=True,
        )
        for each in _standing(wanted & Q(finding__target__alias=alias), on=on)
        for made, keys, rows in each.scopes()
    ]


def duplicate_decisions_for(alias: str) -> list[DuplicateRequest]:
    """Returns the decisions that stand for a target's duplicates, as the plans say by which they were made.

    Of each finding these are the latest in general, and the latest for each shared value.
    """
    plans = _Plans(alias)
    return [
        plans.deduplicating(each.finding.label, made, values)
        for each in _standing(Q(finding__target__alias=alias), code=models.DUPLICATE_ROWS)
        for made, values, _ in each.scopes()
    ]


def standing_of(finding: models.Finding) -> Standing | None:
    """Returns what stands decided about a finding today; None where nothing does."""
    return next(iter(_standing(Q(finding=finding.pk), code=finding.code)), None)


def standing_about(alias: str, code: str) -> list[Standing]:
    """Returns what stands decided about the findings of one kind of a target."""
    return _standing(Q(finding__target__alias=alias), code=code)


def kept_until(alias: str, *, on: date | None = None) -> dict[str, date | None]:
    """Returns the references of a target whose orphans are kept by decision, each with its last day.

    ``orders.customer_id`` → the day, or None where the decision has no end; ``on`` is today. What is kept
    of single keys and rows is in :func:`kept_parts`.
    """
    standing = _standing(Q(finding__target__alias=alias), on=on)
    general = [each.general for each in standing if each.general]
    return {made.finding.label: made.until for made in general if made.decision == Kind.KEEP}


def kept_parts(alias: str, *, on: date | None = None) -> dict[str, list[Request]]:
    """Returns of each reference the decisions to keep the orphans of some keys, or some rows."""
    found: dict[str, list[Request]] = {}
    for each in _standing(Q(finding__target__alias=alias) & _PARTIAL, on=on):
        for made, keys, rows in each.scopes():
            if made.decision == Kind.KEEP:
                until = made.until.isoformat() if made.until else ""
                kept = Request(resolution=Kind.KEEP, keys=keys, rows=rows, until=until, standing=True)
                found.setdefault(each.finding.label, []).append(kept)
    return found


def reopen_expired(target_id: Any, *, on: date | None = None) -> None:
    """Opens the findings again whose keep has expired."""
    today = on or timezone.localdate()
    latest = [each.general for each in _latest(Q(finding__target=target_id), models.ORPHANED_ROWS)]
    expired = [made.finding_id for made in latest if made and _expired(made, today)]
    if expired:
        kept = models.Finding.objects.filter(pk__in=expired, state=models.FindingState.KEPT)
        kept.update(state=models.FindingState.OPEN, decided="")


def _standing(wanted: Q, *, on: date | None = None, code: str = models.ORPHANED_ROWS) -> list[Standing]:
    """What counts today of findings that are not resolved."""
    today = on or timezone.localdate()
    found = []
    for each in _latest(wanted, code):
        made = (each.general, *each.keys.values(), *each.rows.values())
        left = each.without({one.pk for one in made if one and _expired(one, today)})
        if left.general or left.keys or left.rows:
            found.append(left)
    return found


def _latest(wanted: Q, code: str) -> list[Standing]:
    """What was decided last of each finding, since it was last opened."""
    with site_database():
        decided = models.Resolution.objects.filter(
            wanted, finding__code=code, decided_at__gte=F("finding__opened_at")
        )
        decided = decided.exclude(finding__state=models.FindingState.RESOLVED)
        found: dict[int, Standing] = {}
        decided = decided.select_related("finding").defer("finding__evidence", "finding__message")
        for made in decided.order_by("id"):
            found.setdefault(made.finding_id, Standing(made.finding)).add(made)
        return list(found.values())


def _expired(made: models.Resolution, today: date) -> bool:
    return made.decision == Kind.KEEP and bool(made.until and made.until < today)


def _by_decision(
    latest: Mapping[KeyTexts, models.Resolution],
) -> Iterator[tuple[models.Resolution, tuple[KeyTexts, ...]]]:
    found: dict[Any, tuple[models.Resolution, list[KeyTexts]]] = {}
    for key, made in latest.items():
        found.setdefault(made.pk, (made, []))[1].append(key)
    for made, keys in found.values():
        yield made, tuple(keys)


@dataclass
class _Plans:
    """The plans by which decisions were made: they know what a decision leaves out."""

    alias: str
    loaded: dict[str, Plan | None] = field(default_factory=dict)

    def mapping(self, label: str, made: models.Resolution) -> KeyMapping | None:
        """What becomes what, as somebody saw it; None: by normal form."""
        plan = self._plan(made) if made.decision == Kind.RELINK else None
        scope = tuple(map(tuple, made.keys)), tuple(map(tuple, made.rows))
        for step in plan.orphan_steps if plan else ():
            if step.label == label and step.mapping and (step.keys, step.chosen_rows) == scope:
                return mapping_of(step, f"plan {made.plan_hash[:12]}")
        return None

    def deduplicating(
        self, label: str, made: models.Resolution, values: tuple[KeyTexts, ...]
    ) -> DuplicateRequest:
        """Which row stays and what becomes of the others; where no plan says it, the catalog's policy.

        Args:
            label: of the unique.
            made: what was decided.
            values: the shared values that are left to it.
        """
        path, decided = parse_path(label), tuple(map(tuple, made.keys))
        plan = self._plan(made) if made.decision != Kind.KEEP else None
        for step in plan.duplicate_steps if plan else ():
            if step.label == label and step.values == decided:
                return DuplicateRequest(
                    path, step.action, step.survivor, step.rename, step.fill, values, standing=True
                )
        action = Duplicates.KEEP if made.decision == Kind.KEEP else None
        return DuplicateRequest(path, action, values=values, standing=True)

    def _plan(self, made: models.Resolution) -> Plan | None:
        if made.plan_hash and made.plan_hash not in self.loaded:
            try:
                self.loaded[made.plan_hash] = load_plan(self.alias, made.plan_hash)
            except PlanMismatch:
                self.loaded[made.plan_hash] = None
        return self.loaded.get(made.plan_hash)
