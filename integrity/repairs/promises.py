"""What a plan promised, compared with what its run did: where it differs, others wrote meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import TableName
from integrity.plans.plan import Plan, Tally

_KINDS = ("deleted", "updated", "inserted", "refused")


class Why(StrEnum):
    """What explains a difference."""

    HELD = "something is in the way that the plan did not see, or that was written since"
    FREED = "what was in the way is gone: somebody changed or deleted it since"
    REFUSED = "rows were refused that the plan did not see held"
    LESS = "somebody else put them right, changed or deleted them since"
    MORE = "somebody wrote rows since that the same step is about, or freed some that were held"


@dataclass(frozen=True)
class Difference:
    """Rows of a table of which the plan promised ``promised`` to be ``kind`` and ``done`` were, and why."""

    table: TableName
    kind: str
    promised: int
    done: int
    why: Why

    def as_json(self) -> dict[str, Any]:
        """Returns the difference as plain values."""
        return vars(self) | {"table": str(self.table), "why": str(self.why)}


def promised_by(plan: Plan) -> dict[TableName, Tally]:
    """Returns what a plan says of each table; orphans that stay count as refused."""
    found = plan.blast_radius()
    for step in plan.orphan_changes:
        if step.stays:
            found.setdefault(step.table, Tally()).refused += step.stays
    for each in plan.duplicate_steps:
        if each.change and each.blocked:
            found.setdefault(each.table, Tally()).refused += each.blocked
    return found


def compare(
    promised: Mapping[TableName, Tally], done: Mapping[TableName, Tally], *, at_most: bool
) -> list[Difference]:
    """Returns where a finished run did something else than its plan promised.

    Args:
        promised: by table.
        done: the same of the run.
        at_most: the plan did not promise these numbers, but no more.
    """
    refused = [sum(each.refused for each in tallies.values()) for tallies in (promised, done)]
    found = []
    for table in sorted({*promised, *done}):
        for kind in _KINDS:
            before, after = (getattr(each.get(table, Tally()), kind) for each in (promised, done))
            if before != after and not (at_most and (after < before or kind == "refused")):
                why = _why(kind, fewer=after < before, held=refused[1] > refused[0])
                found.append(Difference(table, kind, before, after, why))
    return found


def _why(kind: str, *, fewer: bool, held: bool) -> Why:
    if kind == "refused":
        return Why.FREED if fewer else Why.HELD
    if fewer:
        return Why.REFUSED if held else Why.LESS
    return Why.MORE
