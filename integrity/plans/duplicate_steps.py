"""Steps of a plan that resolve duplicates: which rows stay, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from integrity.database.identifiers import TableName
from integrity.plans.steps import Change, Doubt, KeyTexts
from integrity.references.reference import Source
from integrity.references.uniques import Duplicates, UniqueRule


@dataclass(frozen=True)
class DuplicateEffect:
    """Rows of a table that a step changes, ``through`` a reference or unique, other than its own."""

    table: TableName
    through: str
    change: Change
    rows: int
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Blocked:
    """Duplicates that a step leaves as they are, and why."""

    reason: str
    rows: int


@dataclass(frozen=True)
class Sample:
    """One group as people see it: the value, who keeps it, and what becomes of the others."""

    value: tuple[str, ...]
    survivor: str
    others: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True)
class DuplicateStep:
    """One decision carried out for the duplicates of one unique.

    ``groups`` values are shared by several rows; ``rows`` are those that do not keep theirs. ``ordered``
    says in words which row of a group stays, ``rename`` which column gets another value. ``digest``
    covers every row with what becomes of it, so that the plan's hash does; ``follows`` are the references
    that were followed, which must be known where it runs.
    """

    number: int
    rule: UniqueRule
    action: Duplicates
    groups: int
    rows: int
    predicate: str
    survivor: str = ""
    ordered: str = ""
    rename: str = ""
    fill: bool = False
    follows: tuple[str, ...] = ()
    values: tuple[KeyTexts, ...] = ()
    effects: tuple[DuplicateEffect, ...] = ()
    blocked_by: tuple[Blocked, ...] = ()
    samples: tuple[Sample, ...] = ()
    triggers: tuple[str, ...] = ()
    digest: str = ""

    @property
    def table(self) -> TableName:
        """The table whose rows share values."""
        return self.rule.table

    @property
    def label(self) -> str:
        """What it is about, as commands name it."""
        return self.rule.label

    @property
    def change(self) -> Change | None:
        """What happens to the rows that do not keep their value; None where nothing does."""
        return {Duplicates.MERGE: Change.DELETE, Duplicates.RENAME: Change.RENAME}.get(self.action)

    @property
    def resolved(self) -> int:
        """Duplicates that are put right."""
        return self.rows

    @property
    def doubt(self) -> Doubt | None:
        """Why its numbers are at most what will happen; None where they are exact."""
        acting = self.change and (self.triggers or any(each.triggers for each in self.effects))
        return Doubt.TRIGGERS if acting else None

    @property
    def blocked(self) -> int:
        """Rows that stay as they are."""
        return sum(each.rows for each in self.blocked_by)

    def touches(self) -> Iterator[tuple[TableName, Change, int]]:
        """Yields what happens to how many rows of which table."""
        if self.change is not None:
            yield self.table, self.change, self.rows
        for effect in self.effects:
            yield effect.table, effect.change, effect.rows

    def as_json(self) -> dict[str, Any]:
        """Returns the step as plain values."""
        rule = asdict(self.rule)
        del rule["declared"]
        return asdict(self) | {"kind": "duplicates", "rule": rule | {"label": self.rule.label}}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> DuplicateStep:
        """Makes a step of what :meth:`as_json` returned."""
        return cls(
            number=data["number"],
            rule=rule_from(data["rule"]),
            action=Duplicates(data["action"]),
            groups=data["groups"],
            rows=data["rows"],
            predicate=data["predicate"],
            survivor=data["survivor"],
            ordered=data["ordered"],
            rename=data["rename"],
            fill=data["fill"],
            follows=tuple(data["follows"]),
            values=tuple(map(tuple, data["values"])),
            effects=tuple(_effect(each) for each in data["effects"]),
            blocked_by=tuple(Blocked(each["reason"], each["rows"]) for each in data["blocked_by"]),
            samples=tuple(_sample(each) for each in data["samples"]),
            triggers=tuple(data["triggers"]),
            digest=data["digest"],
        )


def rule_from(data: dict[str, Any]) -> UniqueRule:
    """Makes a unique of its plain values."""
    policy = data["policy"]
    facts = {name: data[name] for name in ("name", "where", "rationale", "survivor", "rename")}
    return UniqueRule(
        table=TableName(**data["table"]),
        columns=tuple(data["columns"]),
        nulls_distinct=data["nulls_distinct"],
        ignores_case=data["ignores_case"],
        source=Source(data["source"]),
        policy=Duplicates(policy) if policy else None,
        **facts,
    )


def _effect(data: dict[str, Any]) -> DuplicateEffect:
    change, triggers = Change(data["change"]), tuple(data["triggers"])
    return DuplicateEffect(TableName(**data["table"]), data["through"], change, data["rows"], triggers)


def _sample(data: dict[str, Any]) -> Sample:
    return Sample(tuple(data["value"]), data["survivor"], tuple(data["others"]), data["more"])
