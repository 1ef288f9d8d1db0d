"""What a plan was asked for, told by the plan itself: so that it can be made anew of a target that moved."""

from __future__ import annotations

from integrity.database.identifiers import Path, TableName
from integrity.plans.mapping import mapping_of
from integrity.plans.plan import Plan
from integrity.plans.request import DuplicateRequest, Request
from integrity.plans.steps import Step
from integrity.references.reference import Resolution


def requests_of(plan: Plan) -> tuple[list[Request], list[DuplicateRequest]]:
    """Returns the requests that ask for what a plan does: those about orphans, those about duplicates.

    What was named one by one and is gone by now is left out: it was decided of the target as it was.
    """
    orphans = [_request(step) for step in plan.orphan_steps]
    duplicates = [
        DuplicateRequest(
            unique=_path(step.table, step.rule.columns),
            action=step.action,
            survivor=step.survivor,
            rename=step.rename,
            fill=step.fill,
            values=step.values,
            standing=True,
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
        mapping=mapping_of(step, "the plan") if step.mapping else None,
        standing=True,
    )


def _path(table: TableName, columns: tuple[str, ...]) -> Path:
    return Path((table.schema, table.name), columns)
