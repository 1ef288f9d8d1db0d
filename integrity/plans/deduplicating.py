"""Plans what becomes of duplicates: groups, who stays, and everything that is touched by it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db import DatabaseError

from integrity.database.identifiers import Path, TableName, shown
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session, Target
from integrity.exceptions import NotCheckable, PlanRefused, TooManyRows
from integrity.plans.duplicate_steps import Blocked, DuplicateEffect, DuplicateStep, Sample
from integrity.plans.groups import Group, find_groups, of_values, value_of
from integrity.plans.merging import Merging, Part
from integrity.plans.plan import NOT_LOOKED_AT, Plan
from integrity.plans.renaming import Renaming, renamed_column
from integrity.plans.request import DuplicateRequest
from integrity.plans.row_reading import Row, Rows
from integrity.plans.scope import literal
from integrity.plans.steps import Change
from integrity.plans.survey import triggers_met
from integrity.references.catalog import Catalog
from integrity.references.masking import MASKED, is_masked
from integrity.references.reference import Reference, Source, written
from integrity.references.resolve import known_references, known_uniques
from integrity.references.rights import refuse_unseen
from integrity.references.uniques import Duplicates, UniqueRule, duplicated_values

_SAMPLES, _OTHERS_SHOWN = 10, 5
_ROW_KINDS = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)


def make_deduplication_plan(
    target: Target,
    catalog: Catalog,
    requests: Sequence[DuplicateRequest] = (),
    *,
    max_rows: int | None = None,
    others: Sequence[Reference] = (),
    on_step: Callable[[str], None] | None = None,
) -> Plan:
    """Plans the deduplication of a target as it is at this moment; changes nothing.

    Args:
        target: whose duplicates.
        catalog: what should hold there.
        requests: what somebody decided; without any, every unique of the catalog by its policy.
        max_rows: refuse a plan that touches more rows than this.
        others: references known from elsewhere.
        on_step: told the unique that is being looked at.

    Raises:
        PlanRefused: an action is not possible, with the reason.
        TooManyRows: more rows would be touched than ``max_rows``.
        UnknownTable, CatalogError: something named does not exist.
        NotCheckable: a unique that was named cannot be looked at.
    """
    with target.reading() as session:
        schema = session.schema()
        planner = _Planner(session, schema, catalog, tuple(known_references(schema, catalog, others)))
        plan = planner.plan(requests or [DuplicateRequest()], max_rows, on_step or (lambda label: None))
    if max_rows is not None and plan.touched > max_rows:
        raise TooManyRows(
            f"The plan touches {plan.touched:,} rows, more than --max-rows {max_rows:,}",
            where=target.alias,
            hint="Nothing was changed. Look at the plan, then raise the limit or name fewer uniques.",
        )
    return plan


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


@dataclass(frozen=True)
class _Planner:
    session: Session
    schema: Schema
    catalog: Catalog
    references: tuple[Reference, ...]

    def plan(
        self, requests: Sequence[DuplicateRequest], max_rows: int | None, on_step: Callable[[str], None]
    ) -> Plan:
        notes: list[str] = []
        steps: list[DuplicateStep] = []
        for rule, request in self._wanted(requests):
            on_step(rule.label)
            step = self._step(rule, request, notes)
            if step is not None and self._stands_alone(step, steps, notes):
                steps.append(replace(step, number=len(steps) + 1))
        return Plan(
            target=self.session.target.alias,
            vendor=self.schema.vendor,
            schema_fingerprint=self.schema.fingerprint(),
            steps=tuple(steps),
            max_rows=max_rows,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _wanted(self, requests: Sequence[DuplicateRequest]) -> list[tuple[UniqueRule, DuplicateRequest]]:
        """What was asked for each unique; the later request counts."""
        with self.session.look():
            known = known_uniques(self.schema, self.catalog, self.session)
        found: dict[object, tuple[UniqueRule, DuplicateRequest]] = {}
        for request in requests:
            for rule in [self._named(known, request.unique)] if request.unique else known:
                found[(rule.table, rule.columns, rule.where)] = (rule, request)
        return list(found.values())

    def _named(self, known: Sequence[UniqueRule], path: Path) -> UniqueRule:
        """The catalog's unique on these columns; else one that nobody wrote down yet."""
        table = self.schema.table(self.schema.resolve(path))
        columns = tuple(table.column(name).name for name in path.columns)
        for rule in known:
            if rule.table == table.name and set(rule.columns) == set(columns):
                return rule
        return UniqueRule(table.name, columns, source=Source.INFERRED)

    def _step(self, rule: UniqueRule, request: DuplicateRequest, notes: list[str]) -> DuplicateStep | None:
        try:
            self._refuse_unchangeable(rule)
            with self.session.look():
                return self._measured(rule, request, notes)
        except NotCheckable as error:
            if request.unique is not None:
                raise
            notes.append(f"{rule.label} {NOT_LOOKED_AT}: {error}")
        except DatabaseError as error:
            if request.unique is not None or not self.session.connection.is_usable():
                raise NotCheckable(f"{rule.label} cannot be looked at: {error}") from error
            notes.append(f"{rule.label} {NOT_LOOKED_AT}: {error}")
        return None

    def _measured(
        self, rule: UniqueRule, request: DuplicateRequest, notes: list[str]
    ) -> DuplicateStep | None:
        action = request.action or rule.policy or Duplicates.KEEP
        step = DuplicateStep(
            number=0, rule=rule, action=action, groups=0, rows=0, predicate=self._query(rule),
            survivor=request.survivor or rule.survivor, fill=request.fill, values=request.values,
        )  # fmt: skip
        uniques = known_uniques(self.schema, self.catalog)
        rows = rows_for(self.session, self.schema, self.references, uniques, step)
        follows = tuple(sorted(map(str, rows.reached(rule.table).values())))
        step = replace(step, ordered=rows.order(self.schema.table(rule.table)).words, follows=follows)
        if action is Duplicates.RENAME and self._any(rule):
            step = replace(step, rename=renamed_column(rows, rule, request.rename or rule.rename))
            notes += self._staying(rows, step)
        hidden, strict = partial(is_masked, self.catalog), not request.standing
        step = measured(rows, step, hidden, strict=strict)
        return step if step.groups else None

    def _any(self, rule: UniqueRule) -> bool:
        found = duplicated_values(self.session.engine, self.schema, rule)
        return bool(self.session.rows(f"SELECT 1 FROM ({found.sql} LIMIT 1) AS d", found.params))

    def _query(self, rule: UniqueRule) -> str:
        found = duplicated_values(self.session.engine, self.schema, rule)
        values = iter(found.params)
        return shown(found.sql if not found.params else found.sql % tuple(literal(each) for each in values))

    def _staying(self, rows: Rows, step: DuplicateStep) -> Iterable[str]:
        """What a renaming means for whoever refers to the renamed column."""
        for _, reference in rows.referring(self.schema.table(step.table)):
            if step.rename in reference.referenced_columns:
                yield (
                    f"{reference.label} refers to {step.rename}: rows that refer to a shared value "
                    "refer to the survivor alone afterwards."
                )

    def _stands_alone(self, step: DuplicateStep, before: Sequence[DuplicateStep], notes: list[str]) -> bool:
        """Steps that touch one table would have to be looked at after one another."""
        mine = {table for table, _, _ in step.touches()}
        for other in before:
            shared = sorted(mine & {table for table, _, _ in other.touches()})
            if shared:
                named = ", ".join(map(written, shared))
                notes.append(
                    f"{step.label} is left for the next plan: {other.label} touches {named} as well."
                )
                return False
        return True

    def _refuse_unchangeable(self, rule: UniqueRule) -> None:
        refuse_unseen(self.schema, rule.table, rule.columns, rule.label)
        table = self.schema.table(rule.table)
        if table.kind not in _ROW_KINDS:
            raise NotCheckable(
                f"The rows of {rule.table} cannot be changed: it is a {table.kind}", where=rule.label
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


# -- what it comes to ----------------------------------------------------------------------


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
