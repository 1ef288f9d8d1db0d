"""What will be done, said before it is done: steps, their effects, and a hash of it all."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Action, Match
from integrity.plans.duplicate_steps import DuplicateStep
from integrity.plans.steps import (
    Change,
    Decision,
    Doubt,
    Effect,
    Restoration,
    Step,
    SystemRow,
    Tally,
    change_for,
)
from integrity.references.reference import Reference, Resolution, Source, written

NOT_LOOKED_AT = "was not looked at"
"""In a note: a gap, not a remark."""

AnyStep = Step | DuplicateStep
"""A step of a plan, whatever it resolves."""

__all__ = [
    "AnyStep",
    "Change",
    "Decision",
    "Doubt",
    "DuplicateStep",
    "Effect",
    "Plan",
    "Restoration",
    "Step",
    "SystemRow",
    "Tally",
    "change_for",
    "reference_from",
    "reference_json",
]


@dataclass(frozen=True)
class Plan:
    """The ordered steps that carry out decisions on a target in one known state.

    They resolve either orphans or duplicates: each kind is looked at, approved and run by itself.
    """

    target: str
    vendor: str
    schema_fingerprint: str
    steps: tuple[AnyStep, ...]
    max_rows: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def complete(self) -> bool:
        """Whether every reference that was asked for could be looked at."""
        return not any(NOT_LOOKED_AT in note for note in self.notes)

    @property
    def changing_steps(self) -> tuple[AnyStep, ...]:
        """The steps that change rows."""
        return tuple(step for step in self.steps if step.change)

    @property
    def orphan_steps(self) -> tuple[Step, ...]:
        """The steps about orphans, those that keep them too."""
        return tuple(step for step in self.steps if isinstance(step, Step))

    @property
    def orphan_changes(self) -> tuple[Step, ...]:
        """The steps that change rows because of orphans."""
        return tuple(step for step in self.orphan_steps if step.change)

    @property
    def duplicate_steps(self) -> tuple[DuplicateStep, ...]:
        """The steps about duplicates, those that keep them too."""
        return tuple(step for step in self.steps if isinstance(step, DuplicateStep))

    @property
    def rows(self) -> int:
        """Orphans or duplicates that the plan resolves, without what follows from them."""
        return sum(step.resolved for step in self.changing_steps)

    @property
    def stays(self) -> int:
        """Orphans or duplicates that it is about and that stay, because something is in the way."""
        held = sum(step.stays for step in self.orphan_changes)
        return held + sum(step.blocked for step in self.duplicate_steps)

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Why its numbers are at most what will happen; none where they are exact."""
        found = [step.doubt for step in self.changing_steps]
        return tuple(dict.fromkeys(each for each in found if each is not None))

    @property
    def touched(self) -> int:
        """Every row that the plan changes."""
        return sum(tally.touched for tally in self.blast_radius().values())

    def blast_radius(self) -> dict[TableName, Tally]:
        """Returns what happens to how many rows, table by table."""
        radius: dict[TableName, Tally] = defaultdict(Tally)
        steps = self.orphan_changes
        made = {(row.table, row.key) for step in steps for row in step.system_rows if not row.exists}
        for table, _ in made:
            radius[table].count(Change.INSERT, 1)
        for step in self.changing_steps:
            for table, change, rows in step.touches():
                radius[table].count(change, rows)
        return dict(radius)

    @property
    def hash(self) -> str:
        """A digest of all that was approved: steps, predicates, triggers, schema, row limits."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True, default=str).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Returns the plan as plain values, from which :meth:`from_json` makes it again."""
        return {
            "target": self.target,
            "vendor": self.vendor,
            "schema_fingerprint": self.schema_fingerprint,
            "max_rows": self.max_rows,
            "steps": [_step_json(step) for step in self.steps],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """Makes a plan of what :meth:`as_json` returned."""
        return cls(
            target=data["target"],
            vendor=data["vendor"],
            schema_fingerprint=data["schema_fingerprint"],
            steps=tuple(_step_from(each) for each in data["steps"]),
            max_rows=data["max_rows"],
        )


_LATER = ("chosen_rows", "spared_rows", "stays", "unforeseen")


def _step_json(step: AnyStep) -> dict[str, Any]:
    if isinstance(step, DuplicateStep):
        return step.as_json()
    facts = asdict(step)
    facts["reference"] = reference_json(step.reference)
    facts["effects"] = [_effect_json(each) for each in step.effects]
    for name in _LATER:  # the hash of a plan that has no use for them is what it was before they were there
        if not facts[name]:
            del facts[name]
    return facts


def _effect_json(effect: Effect) -> dict[str, Any]:
    facts = asdict(effect) | {"reference": reference_json(effect.reference)}
    if not effect.holds:
        del facts["holds"]
    return facts


def reference_json(reference: Reference) -> dict[str, Any]:
    """Returns a reference as plain values."""
    facts = asdict(reference)
    del facts["declared"]
    return facts | {"label": written(reference.table, reference.columns)}


def reference_from(data: dict[str, Any]) -> Reference:
    """Makes a reference of what :func:`reference_json` returned."""
    policy = data["policy"]
    return Reference(
        table=TableName(**data["table"]),
        columns=tuple(data["columns"]),
        referenced_table=TableName(**data["referenced_table"]),
        referenced_columns=tuple(data["referenced_columns"]),
        source=Source(data["source"]),
        name=data["name"],
        match=Match(data["match"]),
        on_delete=Action(data["on_delete"]),
        on_update=Action(data["on_update"]),
        rationale=data["rationale"],
        policy=Resolution(policy) if policy else None,
    )


def _pairs(data: list[list[Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in data)


def _effect_from(data: dict[str, Any]) -> Effect:
    return Effect(
        reference_from(data["reference"]),
        Change(data["change"]),
        data["depth"],
        data["rows"],
        tuple(data["triggers"]),
        data.get("holds", 0),
    )


def _system_row_from(data: dict[str, Any] | None) -> SystemRow | None:
    return None if data is None else _made_from(data)


def _made_from(data: dict[str, Any]) -> SystemRow:
    table, needs = TableName(**data["table"]), tuple(map(_made_from, data.get("needs", ())))
    return SystemRow(table, _pairs(data["key"]), _pairs(data["values"]), data["exists"], needs)


def _restoration_from(data: dict[str, Any]) -> Restoration:
    return Restoration(
        TableName(**data["table"]),
        tuple(data["key"]),
        _pairs(data["values"]),
        data["rows"],
        tuple(data["triggers"]),
    )


def _keys(data: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, data))


def _step_from(data: dict[str, Any]) -> AnyStep:
    if data.get("kind") == "duplicates":
        return DuplicateStep.from_json(data)
    return Step(
        number=data["number"],
        resolution=Resolution(data["resolution"]),
        reference=reference_from(data["reference"]),
        rows=data["rows"],
        missing_keys=data["missing_keys"],
        predicate=data["predicate"],
        orphans=data["orphans"],
        effects=tuple(_effect_from(each) for each in data["effects"]),
        values=_pairs(data["values"]),
        system_row=_system_row_from(data["system_row"]),
        triggers=tuple(data["triggers"]),
        reason=data["reason"],
        until=data["until"],
        keys=_keys(data.get("keys", [])),
        spared=_keys(data.get("spared", [])),
        mapping=tuple((tuple(old), tuple(new)) for old, new in data.get("mapping", [])),
        restorations=tuple(map(_restoration_from, data.get("restorations", []))),
        chosen_rows=_keys(data.get("chosen_rows", [])),
        spared_rows=_keys(data.get("spared_rows", [])),
        stays=data.get("stays", 0),
        unforeseen=data.get("unforeseen", ""),
    )
