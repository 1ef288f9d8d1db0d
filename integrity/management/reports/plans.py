"""What a plan says to people, before it is carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from integrity.management.blocks import Block, Code, Grid, Line, Title, count
from integrity.management.reports.duplicates import duplicate_blocks, run_it, table_blocks
from integrity.operations.fixes import consequence
from integrity.plans import Change, Effect, Plan, Step, Tally
from integrity.plans.plan import Doubt
from integrity.references.reference import Reference, Resolution, written
from integrity.repairs import DEDUPLICATION

__all__ = ["plan_blocks", "plan_json", "rows_json", "run_it"]


_DOUBTS = {
    Doubt.MANY: "more rows hang together than are looked at beforehand (FORESEEN_ROWS)",
    Doubt.REFERRED: "others refer to a value that would change; those rows stay",
    Doubt.CHECKED: "a CHECK speaks of a column that changes",
    Doubt.DEFAULT: "a default may refer to a row that goes, or repeat a value that is unique",
    Doubt.EARLIER: "an earlier step changes what it refers to",
    Doubt.RELATED: "others refer to these rows by the name of another table that they belong to",
    Doubt.TRIGGERS: "triggers act",
    Doubt.BEFORE: "it was planned before plans told how many rows stay: plan anew",
}
"""Why the numbers of a step are at most what will happen."""


def plan_blocks(plan: Plan, statements: Sequence[str] = (), *, kind: str = "") -> Iterator[Block]:
    """Yields steps, what follows, rows by table, triggers, consequences, and the hash."""
    if plan.duplicate_steps or kind == DEDUPLICATION:
        yield from duplicate_blocks(plan)
        return
    changed, kept = plan.orphan_changes, [step for step in plan.orphan_steps if not step.change]
    yield Title(f"Plan for {plan.target}")
    if not plan.orphan_steps:
        yield Line("There is nothing to do: no reference has orphans.", "good")
    else:
        yield Line(_summary(plan))
        stay = any(step.stays for step in changed)
        yield Grid(
            ("step", "reference", "becomes", "rows", *["stay"] * stay, "missing keys", "also touched"),
            [_step_row(step, stay=stay) for step in plan.orphan_steps],
        )
    yield from _effects(changed)
    yield from _staying(changed)
    yield from table_blocks(plan)
    yield from _warnings(plan, kept)
    yield from _afterwards(plan.orphan_steps)
    if statements:
        yield Title("SQL, without locks, batches and journal")
        yield Code("\n".join(statements))
    yield Title(f"Plan {plan.hash}")


def plan_json(plan: Plan, statements: Sequence[str] = ()) -> dict[str, Any]:
    """Returns a plan as one document, with what follows from it."""
    return {
        **plan.as_json(),
        "hash": plan.hash,
        "rows": plan.rows,
        "touched": plan.touched,
        "stays": plan.stays,
        "exact": not plan.doubts,
        "doubts": [str(each) for each in plan.doubts],
        "blast_radius": rows_json(plan.blast_radius()),
        "consequences": [consequence(each) for each in _becoming(plan.orphan_steps)],
        "notes": list(plan.notes),
        "sql": list(statements),
    }


def rows_json(radius: dict[Any, Tally]) -> dict[str, dict[str, int]]:
    """Returns tallies as plain values, table by table."""
    return {str(table): vars(tally) for table, tally in sorted(radius.items())}


def _summary(plan: Plan) -> str:
    follow = plan.touched - sum(step.changed for step in plan.orphan_changes)
    at_most, stay = "at most " if plan.doubts else "", plan.stays
    more = f", {follow:,} more with them" if follow else ""
    held = f"; {count(stay, 'orphan')} {'stays' if stay == 1 else 'stay'}" if stay else ""
    steps = count(len(plan.orphan_changes), "step")
    return f"{steps} changing {at_most}{count(plan.rows, 'orphan')}{more}{held}."


def _step_row(step: Step, *, stay: bool) -> tuple[Any, ...]:
    return (
        step.number,
        step.reference.label + _scope(step),
        _becomes(step),
        step.resolved,
        *[step.stays] * stay,
        step.missing_keys,
        _also(step),
    )


def _scope(step: Step) -> str:
    """Which of the orphans, where it is not all."""
    if step.chosen_rows:
        return f" ({count(len(step.chosen_rows), 'chosen row')})"
    if step.keys:
        return f" ({count(len(step.keys), 'missing key')})"
    return " (the others)" if step.scoped else ""


def _becomes(step: Step) -> str:
    if step.resolution is Resolution.REASSIGN:
        key = ", ".join(str(value) for _, value in step.values)
        return f"reassigned to {key}"
    if step.resolution is Resolution.KEEP:
        return "kept" + (f" until {step.until}" if step.until else "")
    if step.resolution is Resolution.RELINK:
        return "relinked to the keys that they mean"
    if step.resolution is Resolution.RESTORE_PARENT:
        return f"referring again: {written(step.reference.referenced_table)} is restored"
    return {Resolution.DELETE: "deleted", Resolution.SET_NULL: "set null"}[step.resolution]


def _also(step: Step) -> int | str:
    made = sum(not row.exists for row in step.system_rows) + sum(each.rows for each in step.restorations)
    return sum(each.rows for each in step.effects if each.change is not Change.RESTRICT) + made


def _effects(steps: Sequence[Step]) -> Iterator[Block]:
    rows = [(step.number, *_effect_row(each)) for step in steps for each in step.effects]
    if rows:
        yield Title("What follows from the deletions")
        yield Grid(("step", "level", "through", "rows", "become"), rows)


def _staying(steps: Sequence[Step]) -> Iterator[Block]:
    """What stays and because of which reference, and where a number is not exact, why."""
    for step in steps:
        for each in step.held_by:
            to = "it, or to what goes with it" if each.holds == 1 else "them, or to what goes with them"
            noun = "refers" if each.rows == 1 else "refer"
            rows = f"{count(each.rows, 'row')} of {written(each.table)} that {noun} to {to}"
            how = f"{each.reference.label}, {each.reference.on_delete}"
            held = f"{count(each.holds, 'orphan')} {'stays' if each.holds == 1 else 'stay'}"
            who = held if each.holds else "orphans stay"
            yield Line(f"Step {step.number}: {who} because of {rows} ({how}).", "warning")
        if step.doubt is not None:
            yield Line(f"Step {step.number} says at most: {_DOUBTS[step.doubt]}.", "warning")


def _effect_row(effect: Effect) -> tuple[Any, ...]:
    words = {"delete": "deleted", "restrict": "in the way"}
    change = words.get(str(effect.change), str(effect.change))
    return effect.depth, effect.reference.label, effect.rows, change


def _warnings(plan: Plan, kept: Sequence[Step]) -> Iterator[Block]:
    met = {
        (name, each.table) for step in plan.orphan_changes for each in step.effects for name in each.triggers
    }
    met |= {(name, step.reference.table) for step in plan.orphan_changes for name in step.triggers}
    met |= {
        (name, each.table)
        for step in plan.orphan_changes
        for each in step.restorations
        for name in each.triggers
    }
    for name, table in sorted(met):
        yield Line(
            f"The trigger {name} of {written(table)} will fire: what it writes elsewhere is not journaled.",
            "warning",
        )
    for step in kept:
        yield Line(f"{count(step.rows, 'orphan')} of {step.reference.label} stay as they are.", "faint")
    for note in plan.notes:
        yield Line(note, "warning")


def _afterwards(steps: Sequence[Step]) -> Iterator[Block]:
    becoming = _becoming(steps)
    if becoming:
        yield Title("Once the foreign keys stand")
        for each in becoming:
            yield Line(consequence(each), depth=1)


def _becoming(steps: Sequence[Step]) -> list[Reference]:
    return [step.reference for step in steps if step.reference.declared is None]
