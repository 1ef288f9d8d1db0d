"""What can become of orphans: each resolution with why it is offered, recommended or impossible.

From what an audit stored of a finding alone, so that nobody has to open the target to be advised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrity.references.causes import Kind
from integrity.references.reference import Resolution


class Because(StrEnum):
    """Why a resolution is recommended; empty: it is one of the possible ones."""

    NOTHING = ""
    POLICY = "policy"
    CASCADE = "cascade"
    SET_NULL = "set_null"
    SPELLING = "spelling"
    SENTINEL = "sentinel"
    ARCHIVED = "archived"


class Hindrance(StrEnum):
    """Why a resolution is impossible; empty: it is possible, as far as is known."""

    NOTHING = ""
    NOT_NULL = "not_null"
    COMPUTED = "computed"
    NOT_A_TABLE = "not_a_table"
    NO_TEMPLATE = "no_template"


class How(StrEnum):
    """What a resolution works with, where there is a choice."""

    NOTHING = ""
    SYSTEM_ROW = "system_row"
    CHOSEN_ROW = "chosen_row"
    BY_FORM = "by_form"
    BY_MAPPING = "by_mapping"


@dataclass(frozen=True)
class Offer:
    """One thing that can become of a finding's orphans.

    ``rows`` are those that it is known to settle: all, or for a relinking by normal form those that
    differ only in spelling. ``named`` is what the hindrance is about: columns, or the kind of a relation.
    """

    resolution: Resolution
    rows: int
    because: Because = Because.NOTHING
    hindrance: Hindrance = Hindrance.NOTHING
    named: tuple[str, ...] = ()
    how: How = How.NOTHING

    @property
    def recommended(self) -> bool:
        """Whether it is what the facts speak for."""
        return self.because is not Because.NOTHING

    @property
    def possible(self) -> bool:
        """Whether nothing that is known stands against it."""
        return self.hindrance is Hindrance.NOTHING


ORDER = (
    Resolution.RELINK,
    Resolution.SET_NULL,
    Resolution.REASSIGN,
    Resolution.RESTORE_PARENT,
    Resolution.DELETE,
    Resolution.KEEP,
)
"""Those that save most come first."""


def offers(evidence: Mapping[str, Any], rows: int) -> tuple[Offer, ...]:
    """Returns every resolution, the recommended one first and the impossible ones last.

    Args:
        evidence: what an audit found of a reference's orphans; one of an older version knows less, and
            then less is said to be impossible.
        rows: the number of orphans.
    """
    known = evidence.get("means") or {}
    causes = {each["kind"]: each["rows"] for each in evidence.get("causes") or []}
    found = [_offer(resolution, known, causes, rows) for resolution in ORDER]
    wanted, because = _recommended(evidence, known, causes, rows)
    chosen = [
        Offer(each.resolution, each.rows, because, how=each.how)
        if each.resolution is wanted and each.possible
        else each
        for each in found
    ]
    return tuple(sorted(chosen, key=lambda each: (not each.recommended, not each.possible)))


def suggested(evidence: Mapping[str, Any], rows: int) -> Resolution | None:
    """Returns what is recommended for orphans, None where somebody has to decide."""
    first = offers(evidence, rows)[0]
    return first.resolution if first.recommended else None


def _offer(resolution: Resolution, known: Mapping[str, Any], causes: Mapping[str, int], rows: int) -> Offer:
    hindrance, named = _hindrance(resolution, known)
    how, settled = How.NOTHING, rows
    if resolution is Resolution.REASSIGN:
        how = How.SYSTEM_ROW if known.get("system_row") else How.CHOSEN_ROW
    elif resolution is Resolution.RELINK:
        alike = causes.get(Kind.FORMAT_MISMATCH, 0)
        how, settled = (How.BY_FORM, alike) if alike else (How.BY_MAPPING, rows)
    return Offer(resolution, settled, hindrance=hindrance, named=named, how=how)


def _hindrance(resolution: Resolution, known: Mapping[str, Any]) -> tuple[Hindrance, tuple[str, ...]]:
    computed, null = tuple(known.get("computed") or ()), known.get("null")
    if not known or resolution is Resolution.KEEP:
        return Hindrance.NOTHING, ()
    if known.get("kind") and resolution is not Resolution.RESTORE_PARENT:
        return Hindrance.NOT_A_TABLE, (known["kind"],)
    if resolution is Resolution.RESTORE_PARENT and not known.get("template"):
        return Hindrance.NO_TEMPLATE, ()
    if resolution is Resolution.SET_NULL and not null:
        return (Hindrance.COMPUTED, computed) if computed else (Hindrance.NOT_NULL, ())
    if resolution in (Resolution.REASSIGN, Resolution.RELINK) and computed:
        return Hindrance.COMPUTED, computed
    return Hindrance.NOTHING, ()


_BY_CAUSE: Mapping[str, tuple[Resolution | None, Because]] = {
    Kind.FORMAT_MISMATCH: (Resolution.RELINK, Because.SPELLING),
    Kind.SENTINEL: (Resolution.SET_NULL, Because.SENTINEL),
    Kind.ARCHIVED_PARENT: (Resolution.RESTORE_PARENT, Because.ARCHIVED),
    Kind.ANOTHER_OWNER: (None, Because.NOTHING),
}
"""These are no plain orphans: what the delete action suggests would be wrong for them."""

_BY_ACTION: Mapping[str, tuple[Resolution, Because]] = {
    "CASCADE": (Resolution.DELETE, Because.CASCADE),
    "SET NULL": (Resolution.SET_NULL, Because.SET_NULL),
}


def _recommended(
    evidence: Mapping[str, Any], known: Mapping[str, Any], causes: Mapping[str, int], rows: int
) -> tuple[Resolution | None, Because]:
    """The catalog's policy; else what explains at least half of the rows; else the delete action."""
    if known.get("policy"):
        return Resolution(known["policy"]), Because.POLICY
    for kind, advice in _BY_CAUSE.items():
        if causes.get(kind, 0) * 2 >= max(rows, 1):
            return advice
    return _BY_ACTION.get(str(evidence.get("on_delete", "")), (None, Because.NOTHING))
