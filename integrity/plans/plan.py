"""What will be done, said before it is done: steps, their effects, and a hash of it all."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Action, Match
from integrity.references.reference import Reference, Resolution, Source, written

NOT_LOOKED_AT = "was not looked at"
"""In a note: a gap, not a remark."""


class Change(StrEnum):
    """What happens to a row."""

    DELETE = "delete"
    SET_NULL = "set null"
    SET_DEFAULT = "set default"
    REASSIGN = "reassign"
    RESTRICT = "restrict"
    INSERT = "insert"


_BY_ACTION = {
    Action.CASCADE: Change.DELETE,
    Action.SET_NULL: Change.SET_NULL,
    Action.SET_DEFAULT: Change.SET_DEFAULT,
    Action.RESTRICT: Change.RESTRICT,
    Action.NO_ACTION: Change.RESTRICT,
}


@dataclass(frozen=True)
class Decision:
    """What somebody decided for the orphans of one reference.

    ``to`` is the referenced key that ``reassign`` points them at (None: the system row).
    ``reason`` and ``until`` (an ISO date) belong to ``keep``.
    """

    reference: Reference
    resolution: Resolution
    to: tuple[Any, ...] | None = None
    reason: str = ""
    until: str = ""


@dataclass(frozen=True)
class Effect:
    """What happens to rows that refer to rows which a step deletes, ``depth`` references away."""

    reference: Reference
    change: Change
    depth: int
    rows: int = 0
    triggers: tuple[str, ...] = ()

    @property
    def table(self) -> TableName:
        """The table whose rows are touched."""
        return self.reference.table


@dataclass(frozen=True)
class SystemRow:
    """A real row that orphans are reassigned to: its table, key and values; made where missing."""

    table: TableName
    key: tuple[tuple[str, Any], ...]
    values: tuple[tuple[str, Any], ...]
    exists: bool


@dataclass(frozen=True)
class Step:
    """One resolution carried out for one reference.

    ``orphans`` rows break it and share ``missing_keys`` values; ``rows`` of them are still there
    when the step begins. ``values`` are what referencing columns become; ``predicate`` is the
    condition by which the rows are found, as SQL.
    """

    number: int
    resolution: Resolution
    reference: Reference
    rows: int
    missing_keys: int
    predicate: str
    orphans: int = 0
    effects: tuple[Effect, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    system_row: SystemRow | None = None
    triggers: tuple[str, ...] = ()
    reason: str = ""
    until: str = ""

    @property
    def change(self) -> Change | None:
        """What happens to the orphans themselves; None where they are kept."""
        changes = {
            Resolution.DELETE: Change.DELETE,
            Resolution.SET_NULL: Change.SET_NULL,
            Resolution.REASSIGN: Change.REASSIGN,
        }
        return changes.get(self.resolution)

    @property
    def blocked(self) -> int:
        """Rows that forbid the deletion of what they refer to."""
        return sum(effect.rows for effect in self.effects if effect.change is Change.RESTRICT)


@dataclass
class Tally:
    """How many rows of a table are touched, and how."""

    deleted: int = 0
    updated: int = 0
    restored: int = 0
    inserted: int = 0
    refused: int = 0

    def count(self, change: Change, rows: int) -> None:
        """Adds ``rows`` that ``change`` touches."""
        if change is Change.DELETE:
            self.deleted += rows
        elif change is Change.INSERT:
            self.inserted += rows
        elif change is not Change.RESTRICT:
            self.updated += rows

    @property
    def touched(self) -> int:
        """All rows that were changed in any way."""
        return self.deleted + self.updated + self.restored + self.inserted


@dataclass(frozen=True)
class Plan:
    """The ordered steps that carry out decisions on a target in one known state."""

    target: str
    vendor: str
    schema_fingerprint: str
    steps: tuple[Step, ...]
    max_rows: int | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def complete(self) -> bool:
        """Whether every reference that was asked for could be looked at."""
        return not any(NOT_LOOKED_AT in note for note in self.notes)

    @property
    def changing_steps(self) -> tuple[Step, ...]:
        """The steps that change rows."""
        return tuple(step for step in self.steps if step.change)

    @property
    def rows(self) -> int:
        """Orphans that the plan changes, without what follows from them."""
        return sum(step.rows for step in self.changing_steps)

    @property
    def touched(self) -> int:
        """Every row that the plan changes."""
        return sum(tally.touched for tally in self.blast_radius().values())

    def blast_radius(self) -> dict[TableName, Tally]:
        """Returns what happens to how many rows, table by table."""
        radius: dict[TableName, Tally] = defaultdict(Tally)
        for step in self.changing_steps:
            assert step.change is not None
            radius[step.reference.table].count(step.change, step.rows)
            if step.system_row and not step.system_row.exists:
                radius[step.system_row.table].inserted = 1
            for effect in step.effects:
                radius[effect.table].count(effect.change, effect.rows)
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


def change_for(reference: Reference) -> Change:
    """Returns what becomes of a row when the row that it refers to is deleted."""
    return _BY_ACTION[reference.on_delete]


def _step_json(step: Step) -> dict[str, Any]:
    facts = asdict(step)
    facts["reference"] = reference_json(step.reference)
    facts["effects"] = [asdict(each) | {"reference": reference_json(each.reference)} for each in step.effects]
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
    )


def _system_row_from(data: dict[str, Any] | None) -> SystemRow | None:
    if data is None:
        return None
    return SystemRow(TableName(**data["table"]), _pairs(data["key"]), _pairs(data["values"]), data["exists"])


def _step_from(data: dict[str, Any]) -> Step:
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
    )
