"""What a plan about duplicates says to people, before it is carried out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.plans import DuplicateStep, Plan
from integrity.references.reference import written
from integrity.references.uniques import Duplicates

_ACTIONS = {Duplicates.KEEP: "kept", Duplicates.RENAME: "renamed", Duplicates.MERGE: "merged"}
_CHANGES = {
    "delete": "merged", "repoint": "re-pointed", "fill": "filled where NULL", "rename": "renamed",
}  # fmt: skip


def duplicate_blocks(plan: Plan) -> Iterator[Block]:
    """Yields groups, survivors, what is touched with them, and the hash."""
    yield Title(f"Plan for {plan.target}")
    if not plan.duplicate_steps:
        yield Line("There is nothing to do: no value of a unique is shared.", "good")
    else:
        yield Line(_summary(plan))
        yield Grid(
            ("step", "unique", "becomes", "shared values", "rows", "also touched", "refused"),
            [_step_row(step) for step in plan.duplicate_steps],
        )
    for step in plan.duplicate_steps:
        yield from _step(step)
    yield from table_blocks(plan)
    yield from _warnings(plan)
    yield Title(f"Plan {plan.hash}")


def table_blocks(plan: Plan) -> Iterator[Block]:
    """Yields how many rows of which table are touched."""
    radius = sorted(plan.blast_radius().items())
    if radius:
        yield Title("Rows touched, by table")
        yield Grid(
            ("table", "deleted", "updated", "inserted"),
            [(written(table), each.deleted, each.updated, each.inserted) for table, each in radius],
        )


def run_it(plan: Plan, catalog: Any = None) -> Line:
    """How to carry out exactly this plan."""
    lent = f" --catalog {catalog}" if catalog else ""
    command = "integrity_deduplicate" if plan.duplicate_steps else "integrity_cleanup"
    return Line(f"Carry it out with: manage.py {command} {plan.target} --plan {plan.hash[:16]}{lent}")


def _summary(plan: Plan) -> str:
    groups = sum(step.groups for step in plan.duplicate_steps)
    follow = plan.touched - plan.rows
    more = f", {follow:,} more with them" if follow else ""
    shared = f"{count(groups, 'value')} {'is' if groups == 1 else 'are'} shared"
    if not plan.changing_steps:
        return f"{shared}; nothing is changed. Decide with --action rename or --action merge."
    return f"{shared}; {count(plan.rows, 'row')} {'changes' if plan.rows == 1 else 'change'}{more}."


def _step_row(step: DuplicateStep) -> tuple[Any, ...]:
    also = sum(effect.rows for effect in step.effects)
    return step.number, step.label, _ACTIONS[step.action], step.groups, step.rows, also, step.blocked


def _step(step: DuplicateStep) -> Iterator[Block]:
    stays = "keeps its value" if step.action is Duplicates.RENAME else "stays"
    named = f" of {step.rename}" if step.rename else ""
    yield Title(f"{step.label}{named}: {step.ordered} {stays}")
    yield Grid(
        ("shared value", "survivor", "others"),
        [(", ".join(each.value), each.survivor, _others(each.others, each.more)) for each in step.samples],
    )
    if step.groups > len(step.samples):
        yield Line(f"… and {count(step.groups - len(step.samples), 'more shared value')}.", "faint")
    if step.effects:
        yield Grid(
            ("table", "through", "rows", "become"),
            [
                (
                    written(each.table),
                    each.through,
                    each.rows,
                    _CHANGES.get(str(each.change), str(each.change)),
                )
                for each in step.effects
            ],
        )
    for each in step.blocked_by:
        yield Line(f"{count(each.rows, 'row')} will be refused: {each.reason}.", "warning")


def _others(names: tuple[str, ...], more: int) -> str:
    return "; ".join([*names, *([f"and {more:,} more"] if more else [])])


def _warnings(plan: Plan) -> Iterator[Block]:
    met = {(name, step.table) for step in plan.duplicate_steps for name in step.triggers}
    met |= {
        (name, each.table) for step in plan.duplicate_steps for each in step.effects for name in each.triggers
    }
    for name, table in sorted(met):
        yield Line(
            f"The trigger {name} of {written(table)} will fire: what it writes elsewhere is not journaled.",
            "warning",
        )
    for note in plan.notes:
        yield Line(note, "warning")
