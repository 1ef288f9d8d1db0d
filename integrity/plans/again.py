"""What a plan was asked for, told by the plan itself: so that it can be made anew of a target that moved."""

from __future__ import annotations

from integrity.database.identifiers import Path, TableName
from integrity.plans.mapping import Line, Mapping
from integrity.plans.plan import Plan
from integrity.plans.request import DuplicateRequest, Request
from integrity.plans.steps import Step
from integrity.references.reference import Resolution


def requests_of(plan: Plan) -> tuple[list[Request], list[DuplicateRequest]]:
    """Returns the requests that ask for what a plan does: those about orphans, those about duplicates."""
    orphans = [_request(step) for step in plan.orphan_steps]
    duplicates = [
        DuplicateRequest(
            unique=_path(step.table, step.rule.columns),
            action=step.action,
            survivor=step.survivor,
            rename=step.rename,
            fill=step.fill,
            values=step.values,
        )
        for step in plan.duplicate_steps
    ]
    return orphans, duplicates


def _request(step: Step) -> Request:
    given = step.resolution is Resolution.REASSIGN and step.system_row is None
    return Request(
        reference=_path(step.table, step.reference.columns),
        resolution=step.resolution,
        to=tuple(str(value) for _, value in step.values) if given else None,
        reason=step.reason,
        until=step.until,
        keys=step.keys,
        rows=step.chosen_rows,
        mapping=_mapping(step) if step.mapping else None,
    )


def _path(table: TableName, columns: tuple[str, ...]) -> Path:
    return Path((table.schema, table.name), columns)


def _mapping(step: Step) -> Mapping:
    names = step.reference.columns
    headers = [f"{side}_{name}" for side in ("old", "new") for name in names]
    lines = [Line(number, (*old, *map(str, new))) for number, (old, new) in enumerate(step.mapping, start=2)]
    return Mapping("the plan", tuple(headers), tuple(lines))
