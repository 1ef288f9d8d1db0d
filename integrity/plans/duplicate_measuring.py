"""What a step that merges or renames duplicates comes to now: its rows, samples, and all that follows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import PlanRefused
from integrity.plans.duplicate_steps import Blocked, DuplicateEffect, DuplicateStep, Sample
from integrity.plans.groups import Group, find_groups, of_values, value_of
from integrity.plans.merging import Merging, Part
from integrity.plans.renaming import Renaming
from integrity.plans.row_reading import Row, Rows
from integrity.plans.steps import Change
from integrity.plans.survey import triggers_met
from integrity.references.masking import MASKED
from integrity.references.reference import Reference, written
from integrity.references.uniques import Duplicates, UniqueRule

_SAMPLES, _OTHERS_SHOWN = 10, 5


def rows_for(
    session: Session,
    schema: Schema,
    references: Sequence[Reference],
    uniques: Sequence[UniqueRule],
    step: DuplicateStep,
    *,
    locking: bool = False,
) -> Rows:
    """Returns a reader of the rows that a step is about; ``uniques`` are those of the catalog."""
    rows = Rows(session, schema, references, (step.rule, *uniques), step.survivor, step.fill, locking)
    rows.begin_with(step.table)
    return rows


def parts_of(rows: Rows, step: DuplicateStep, groups: Sequence[Group]) -> list[Part]:
    """Returns what a step does with some groups, and everything that follows.

    Raises:
        PlanRefused: it is not possible at all.
        RowsMoved: rows changed meanwhile, where they are locked.
    """
    if step.action is Duplicates.RENAME:
        return Renaming(rows, step.rule, step.rename).parts(groups)
    return Merging(rows).spread(step.rule, groups)


def measured(
    rows: Rows, step: DuplicateStep, hidden: Callable[[TableName, str], bool], *, strict: bool = True
) -> DuplicateStep:
    """Returns a step with what it comes to now, counted and digested.

    Args:
        rows: a reader for the step.
        step: what shall be done.
        hidden: whether a column's values must not be shown.
        strict: whether a value that nobody shares is an error.

    Raises:
        PlanRefused: for such a value, or what is not possible at all.
    """
    groups = of_values(step.rule, find_groups(rows, step.rule), step.values)
    if strict:
        _refuse_unknown(step, groups)
    samples = tuple(_sample(rows, step, group, hidden) for group in groups[:_SAMPLES])
    others = sum(len(group.others) for group in groups)
    step = replace(step, groups=len(groups), rows=others, samples=samples)
    if step.change is None or not groups:
        return step
    parts = parts_of(rows, step, groups)
    if step.action is Duplicates.RENAME:
        samples = tuple(_sample(rows, step, group, hidden) for group in groups[:_SAMPLES])
    possible = [part for part in parts if not part.problem]
    own = sum(len(group.others) for part in possible for group in part.groups)
    return replace(
        step,
        rows=own,
        samples=samples,
        effects=_effects(rows, step, possible),
        blocked_by=_blocked(parts),
        triggers=triggers_met(rows.schema, step.table, _event(step.change)),
        digest=_digest(possible),
    )


def _refuse_unknown(step: DuplicateStep, groups: Sequence[Group]) -> None:
    """A value that nobody shares was given in error."""
    if not step.values:
        return
    found = {value_of(step.rule, row) for group in groups for row in group.rows}
    folded = {tuple(each.lower() for each in value) for value in found} if step.rule.ignores_case else found
    for value in step.values:
        wanted = tuple(each.lower() for each in value) if step.rule.ignores_case else value
        if wanted not in folded:
            raise PlanRefused(
                f"No two rows of {written(step.table)} share {', '.join(value)} ({step.label})",
                hint="Give a value as integrity_deduplicate --dry-run shows it, one part for each column, "
                "with commas between.",
            )


def _event(change: Change | None) -> Change:
    return Change.DELETE if change is Change.DELETE else Change.SET_NULL


def _effects(rows: Rows, step: DuplicateStep, parts: Sequence[Part]) -> tuple[DuplicateEffect, ...]:
    """Everything but the step's own rows, table by table and reason by reason."""
    counts: Counter[tuple[TableName, str, Change]] = Counter()
    for part in parts:
        own = {row.place for group in part.groups for row in group.others}
        for row in part.lost:
            if row.place not in own:
                counts[(rows.table_of(row), row.reason, Change.DELETE)] += 1
        for row in part.changed:
            if step.action is not Duplicates.RENAME:
                counts[(rows.table_of(row), row.reason or step.label, _way(row))] += 1
    return tuple(
        DuplicateEffect(table, through, change, number, triggers_met(rows.schema, table, _event(change)))
        for (table, through, change), number in sorted(counts.items())
    )


def _way(row: Row) -> Change:
    return Change.FILL if row.filled and not row.parents else Change.REPOINT


def _blocked(parts: Sequence[Part]) -> tuple[Blocked, ...]:
    rows: Counter[str] = Counter()
    for part in parts:
        if part.problem:
            rows[part.problem] += sum(len(group.others) for group in part.groups)
    return tuple(Blocked(reason, number) for reason, number in sorted(rows.items()))


def _digest(parts: Sequence[Part]) -> str:
    """A digest of every row with what becomes of it."""
    lines = [f"{_identity(row)} goes" for part in parts for row in part.lost]
    lines += [f"{_identity(row)} {sorted(row.new.items())!r}" for part in parts for row in part.changed]
    lines += [f"{_identity(group.survivor)} stays" for part in parts for group in part.groups]
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _identity(row: Row) -> str:
    key = row.leaf.primary_key.columns if row.leaf.primary_key else ()
    known = [row.values[name] for name in key if name in row.values]
    return (
        f"{row.leaf.name} {known!r}"
        if key and len(known) == len(key)
        else f"{row.leaf.name} {row.place[1]!r}"
    )


def _name_of(row: Row, hidden: Callable[[TableName, str], bool]) -> str:
    """What people call a row: its primary key, or where it stands."""
    key = row.leaf.primary_key.columns if row.leaf.primary_key else ()
    return (
        ", ".join(MASKED if hidden(row.leaf.name, name) else str(row.values.get(name)) for name in key)
        or f"row {row.place[1]}"
    )


def _sample(
    rows: Rows, step: DuplicateStep, group: Group, hidden: Callable[[TableName, str], bool]
) -> Sample:
    def value(name: str, of: Any) -> str:
        return MASKED if hidden(step.table, name) else "NULL" if of is None else str(of)

    others = []
    for row in group.others[:_OTHERS_SHOWN]:
        new = "".join(f" → {value(name, to)}" for name, to in row.new.items() if step.rename == name)
        others.append(_name_of(row, hidden) + new)
    shared = tuple(value(name, group.survivor.values[name]) for name in step.rule.columns)
    return Sample(
        shared, _name_of(group.survivor, hidden), tuple(others), max(0, len(group.others) - _OTHERS_SHOWN)
    )
