"""Plans what becomes of duplicates: groups, who stays, and everything that is touched by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.db import DatabaseError

from integrity.database.identifiers import Path, shown
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session, Target
from integrity.exceptions import NotCheckable, TooManyRows
from integrity.plans.duplicate_measuring import measured, rows_for
from integrity.plans.duplicate_steps import DuplicateStep
from integrity.plans.duplicate_wishes import DuplicateWish
from integrity.plans.groups import find_groups, values_left
from integrity.plans.plan import NOT_LOOKED_AT, Plan
from integrity.plans.renaming import renamed_column
from integrity.plans.request import DuplicateRequest
from integrity.plans.row_reading import Rows
from integrity.plans.scope import literal
from integrity.plans.steps import KeyTexts
from integrity.references.catalog import Catalog
from integrity.references.masking import is_masked
from integrity.references.reference import Reference, Source, written
from integrity.references.resolve import known_references, known_uniques
from integrity.references.rights import refuse_unseen
from integrity.references.uniques import Duplicates, UniqueRule, duplicated_values

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
        for rule, request, spared in self._wanted(requests):
            on_step(rule.label)
            step = self._step(rule, request, spared, notes)
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

    def _wanted(
        self, requests: Sequence[DuplicateRequest]
    ) -> list[tuple[UniqueRule, DuplicateRequest, tuple[KeyTexts, ...]]]:
        """What was asked for each unique, with the shared values that it leaves to other requests."""
        with self.session.look():
            known = known_uniques(self.schema, self.catalog, self.session)
        found: dict[object, DuplicateWish] = {}
        for request in requests:
            for rule in [self._named(known, request.unique)] if request.unique else known:
                wish = found.setdefault((rule.table, rule.columns, rule.where), DuplicateWish(rule))
                wish.add(request)
        return [(wish.rule, *part) for wish in found.values() for part in wish.parts()]

    def _named(self, known: Sequence[UniqueRule], path: Path) -> UniqueRule:
        """The catalog's unique on these columns; else one that nobody wrote down yet."""
        table = self.schema.table(self.schema.resolve(path))
        columns = tuple(table.column(name).name for name in path.columns)
        for rule in known:
            if rule.table == table.name and set(rule.columns) == set(columns):
                return rule
        return UniqueRule(table.name, columns, source=Source.INFERRED)

    def _step(
        self, rule: UniqueRule, request: DuplicateRequest, spared: tuple[KeyTexts, ...], notes: list[str]
    ) -> DuplicateStep | None:
        try:
            self._refuse_unchangeable(rule)
            with self.session.look():
                return self._measured(rule, request, spared, notes)
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
        self, rule: UniqueRule, request: DuplicateRequest, spared: tuple[KeyTexts, ...], notes: list[str]
    ) -> DuplicateStep | None:
        action = request.action or rule.policy or Duplicates.KEEP
        step = DuplicateStep(
            number=0, rule=rule, action=action, groups=0, rows=0, predicate=self._query(rule),
            survivor=request.survivor or rule.survivor, fill=request.fill, values=request.values,
        )  # fmt: skip
        uniques = known_uniques(self.schema, self.catalog)
        rows = rows_for(self.session, self.schema, self.references, uniques, step)
        if spared:
            step = replace(step, values=values_left(find_groups(rows, rule), rule, spared))
            if not step.values:
                return None
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
                what = f"{step.label} is left for the next plan: {other.label} touches {named} as well."
                if other.label == step.label:
                    what = (
                        f"{step.groups:,} shared values of {step.label} go another way ({step.action}): "
                        "they are left for the next plan."
                    )
                notes.append(what)
                return False
        return True

    def _refuse_unchangeable(self, rule: UniqueRule) -> None:
        refuse_unseen(self.schema, rule.table, rule.columns, rule.label)
        table = self.schema.table(rule.table)
        if table.kind not in _ROW_KINDS:
            raise NotCheckable(
                f"The rows of {rule.table} cannot be changed: it is a {table.kind}", where=rule.label
            )
