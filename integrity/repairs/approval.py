"""Whether what would run is what was approved: looked at again, before the first change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session, Target
from integrity.exceptions import PlanMismatch, TooManyRows
from integrity.plans.duplicate_measuring import measured, rows_for
from integrity.plans.plan import AnyStep, Change, DuplicateStep, Plan, Step
from integrity.plans.survey import Survey
from integrity.references.reference import Reference
from integrity.references.uniques import UniqueRule


def refuse_other(plan: Plan, schema: Schema, references: Sequence[Reference]) -> None:
    """Raises PlanMismatch where structure or references are others than the plan was made for."""
    _refuse_other_schema(plan, schema)
    _refuse_other_references(plan, references)


def _refuse_other_schema(plan: Plan, schema: Schema) -> None:
    if schema.fingerprint() != plan.schema_fingerprint:
        raise PlanMismatch(
            "The schema changed since the plan was made",
            where=plan.target,
            hint="Nothing was changed. Make and look at a new plan.",
        )


def _refuse_other_references(plan: Plan, references: Sequence[Reference]) -> None:
    """What the plan follows must be known here too, or rows that refer to deleted ones would be left."""
    known = {each.sides: each.on_delete for each in references}
    planned = [step.reference for step in plan.orphan_changes]
    planned += [each.reference for step in plan.orphan_changes for each in step.effects]
    followed = {str(each) for each in references}
    for label in (label for step in plan.duplicate_steps for label in step.follows):
        if label not in followed:
            raise PlanMismatch(
                f"The plan follows {label}, which is not known here",
                where=plan.target,
                hint="Nothing was changed. Give the --catalog that the plan was made with, or plan anew.",
            )
    for reference in planned:
        if known.get(reference.sides) is not reference.on_delete:
            raise PlanMismatch(
                f"The plan follows {reference} ({reference.on_delete}), which is not known so here",
                where=plan.target,
                hint="Nothing was changed. Give the --catalog that the plan was made with, or plan anew.",
            )


def refuse_more_rows(
    target: Target,
    plan: Plan,
    references: Sequence[Reference],
    uniques: Sequence[UniqueRule],
    limit: int | None,
    *,
    approved: bool,
) -> None:
    """Counts again, at one moment, what is about to be changed.

    Args:
        target: what is about to be repaired.
        plan: what was planned.
        references: every reference known.
        uniques: those of the catalog.
        limit: the most rows that may be touched.
        approved: whether somebody approved exactly this plan.

    Raises:
        TooManyRows: more rows than that, or than approved.
        PlanMismatch: other duplicates than those that were approved.
    """
    with target.reading() as session:
        schema = session.schema()
        survey = Survey(session, schema, references)
        current: list[AnyStep] = []
        for step in plan.changing_steps:
            with session.look():
                if isinstance(step, Step):
                    current.append(survey.measured(step))
                else:
                    current.append(_measured(session, schema, references, uniques, step))
    touched = replace(plan, steps=tuple(current)).touched
    if limit is not None and touched > limit:
        raise TooManyRows(
            f"{touched:,} rows would be touched, more than --max-rows {limit:,}",
            where=target.alias,
            hint="Nothing was changed. Look at the plan, then raise the limit or name fewer references.",
        )
    if approved:
        for before, after in zip(plan.changing_steps, current, strict=True):
            if isinstance(before, Step) and isinstance(after, Step):
                _refuse_more(target, before, after)
            if isinstance(before, DuplicateStep) and isinstance(after, DuplicateStep):
                _refuse_others(target, before, after)


def _refuse_more(target: Target, step: Step, current: Step) -> None:
    approved, following = _following(step), _following(current)
    more = any(rows > approved.get(sides, 0) for sides, rows in following.items())
    if step.restorations and current.missing_keys > step.missing_keys:
        raise TooManyRows(
            f"{step.reference.label} now misses {current.missing_keys:,} keys; approved were "
            f"{step.missing_keys:,}",
            where=target.alias,
            hint="Nothing was changed. Make and look at a new plan.",
        )
    if current.resolved > step.resolved or more:
        raise TooManyRows(
            f"{step.reference.label} now has {current.resolved:,} orphans to resolve, and "
            f"{sum(following.values()):,} rows follow; approved were {step.resolved:,} and "
            f"{sum(approved.values()):,}",
            where=target.alias,
            hint="Nothing was changed. Make and look at a new plan.",
        )


def _following(step: Step) -> dict[object, int]:
    """How many rows change with the orphans, by reference: what is in the way does not."""
    changed = [each for each in step.effects if each.change is not Change.RESTRICT]
    return {each.reference.sides: each.rows for each in changed}


def _measured(
    session: Session,
    schema: Schema,
    references: Sequence[Reference],
    uniques: Sequence[UniqueRule],
    step: DuplicateStep,
) -> DuplicateStep:
    rows = rows_for(session, schema, references, uniques, step)
    return measured(rows, step, lambda table, name: False, strict=False)


def _refuse_others(target: Target, before: DuplicateStep, after: DuplicateStep) -> None:
    """Which row stays and what the others become was approved, row by row."""
    counted = sum(each.rows for each in before.effects), sum(each.rows for each in after.effects)
    if after.rows > before.rows or counted[1] > counted[0]:
        raise TooManyRows(
            f"{before.label} now has {after.rows:,} duplicates, and {counted[1]:,} rows change with them; "
            f"approved were {before.rows:,} and {counted[0]:,}",
            where=target.alias,
            hint="Nothing was changed. Make and look at a new plan.",
        )
    if after.digest != before.digest:
        raise PlanMismatch(
            f"The duplicates of {before.label}, or what refers to them, are not those of the plan any more",
            where=target.alias,
            hint="Nothing was changed. Make and look at a new plan.",
        )


def allowed_rows(plan: Plan) -> dict[TableName, int]:
    """Returns by table the rows that a run may touch: an orphan that is held may be free by the time."""
    found = {table: tally.touched for table, tally in plan.blast_radius().items()}
    for step in plan.orphan_changes:
        if step.stays:
            found[step.table] = found.get(step.table, 0) + step.stays
    return found
