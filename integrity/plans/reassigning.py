"""Reassigning: to a row that exists, or to the system row that the catalog describes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db import DataError

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName, column, quote_columns, quote_table
from integrity.database.schema import Key
from integrity.exceptions import CatalogError, PlanRefused
from integrity.plans.columns import refuse_computed
from integrity.plans.known import Known
from integrity.plans.request import Request
from integrity.plans.scope import in_scope
from integrity.plans.steps import Step, SystemRow
from integrity.references.reference import Reference, written


@dataclass(frozen=True)
class Reassigning:
    """Finds the row that orphans are pointed at."""

    known: Known

    def reassigned(self, step: Step, request: Request) -> Step:
        """Returns the step with the values that referencing columns become.

        Raises:
            PlanRefused: there is no such row, or a unique would be broken.
        """
        reference = step.reference
        refuse_computed(self.known.schema.table(reference.table), reference)
        row = None if request.to else self.system_row(reference)
        if row is None:
            key = self._given(reference, request.to or ())
        else:
            key = tuple(dict(row.key)[name] for name in reference.referenced_columns)
        values = tuple(zip(reference.columns, key, strict=True))
        self._refuse_collisions(step, values)
        return replace(step, values=values, system_row=row)

    def _given(self, reference: Reference, to: tuple[str, ...]) -> tuple[Any, ...]:
        """The key of a row that exists, as the row itself has it."""
        if len(to) != len(reference.columns):
            raise PlanRefused(
                f"--to gives {len(to)} values for the {len(reference.columns)} columns of {reference.label}",
                hint="Give one for each column, separated by commas.",
            )
        table, columns = reference.referenced_table, reference.referenced_columns
        where = " AND ".join(f"{column(name)} = %s" for name in columns)
        sql = f"SELECT {quote_columns(columns)} FROM {quote_table(table)} WHERE {where}"
        try:
            found = self.known.session.rows(sql, to)
        except DataError:
            found = []
        if not found:
            raise PlanRefused(
                f"{written(table)} has no row {', '.join(map(str, to))}",
                where=reference.label,
                hint="Give the key of a row that exists, or leave --to out for the system row.",
            )
        return found[0]

    # -- system rows -----------------------------------------------------------------------

    def system_row(self, reference: Reference) -> SystemRow:
        """Returns the row of the referenced table that the catalog allows reassignment to."""
        parent = self.known.schema.table(reference.referenced_table).name
        written_down = self.known.described(self.known.catalog.system_rows, "system_row")
        if parent not in written_down:
            raise PlanRefused(
                f"There is no system row for {written(parent)}, to which orphans could be reassigned",
                where=self.known.origin,
                hint=f"Describe it as [system_row.{written(parent)}] in the catalog, "
                "or give a key with --to.",
            )
        return self._described(parent, reference.referenced_columns, written_down, ())

    def _described(
        self,
        table: TableName,
        columns: tuple[str, ...],
        written_down: dict[TableName, dict[str, Any]],
        above: tuple[TableName, ...],
    ) -> SystemRow:
        values = written_down[table]
        where = f"{self.known.catalog.file}, [system_row.{written(table)}]"
        missing = [name for name in columns if name not in values]
        if missing:
            raise CatalogError(
                f"The system row of {written(table)} gives no {', '.join(missing)}",
                where=where,
                hint="Orphans are pointed at that value: write it down.",
            )
        key = tuple((name, values[name]) for name in columns)
        exists = self.known.exists(table, key)
        if not exists:
            self.known.refuse_incomplete(table, tuple(values), where)
        needs = () if exists else self._needs(table, values, written_down, (*above, table))
        return SystemRow(table, key, tuple(values.items()), exists, needs)

    def _needs(
        self,
        table: TableName,
        values: dict[str, Any],
        written_down: dict[TableName, dict[str, Any]],
        above: tuple[TableName, ...],
    ) -> tuple[SystemRow, ...]:
        """A system row that is an orphan itself would only move the damage: what it refers to is there,
        or is a system row too, and made first."""
        needed = []
        for reference in self.known.references:
            given = [values.get(name) for name in reference.columns]
            if reference.table != table or any(value is None for value in given):
                continue
            there, key = (
                reference.referenced_table,
                tuple(zip(reference.referenced_columns, given, strict=True)),
            )
            itself = there == table and all(values.get(name) == value for name, value in key)
            if itself or self.known.exists(there, key):
                continue
            other = written_down.get(there, {})
            if there in above or any(other.get(name) != value for name, value in key):
                raise self._dangling(table, reference)
            needed.append(self._described(there, reference.referenced_columns, written_down, above))
        return tuple(needed)

    def _dangling(self, table: TableName, reference: Reference) -> PlanRefused:
        there = written(reference.referenced_table)
        return PlanRefused(
            f"The system row of {written(table)} would be an orphan of {reference}",
            where=f"{self.known.catalog.file}, [system_row.{written(table)}]",
            hint=f"Give it a referenced row that exists, or describe that one as [system_row.{there}].",
        )

    # -- uniques ---------------------------------------------------------------------------

    def _refuse_collisions(self, step: Step, values: tuple[tuple[str, Any], ...]) -> None:
        """A unique over the referencing columns lets at most one row point at the same parent."""
        table, new = self.known.schema.table(step.reference.table), dict(values)
        for key in table.keys:
            if key.expressions or not set(key.columns) & set(new):
                continue
            alike = self._collisions(step, key, new)
            if alike:
                raise PlanRefused(
                    f"Reassigning {step.reference.label} would break {key.name or 'the primary key'} "
                    f"({', '.join(key.columns)}): {alike:,} rows would be alike",
                    where=self.known.session.target.alias,
                    hint="Choose delete or set_null, or reassign them to different rows.",
                )

    def _collisions(self, step: Step, key: Key, new: dict[str, Any]) -> int:
        """How many rows would be alike: orphans, and those that hold the new values already."""
        source = self.known.session.engine.source(self.known.schema.table(step.reference.table))
        orphan = in_scope(self.known.engine, self.known.schema, step)
        held = [name for name in key.columns if name in new]
        rest = [name for name in key.columns if name not in new]
        same = " AND ".join(f"{column(name, 'c')} = %s" for name in held)
        where = orphan | Predicate(same, tuple(new[name] for name in held))
        if key.nulls_distinct:
            where = where & Predicate(
                " AND ".join(["1 = 1", *(f"{column(n, 'c')} IS NOT NULL" for n in rest)])
            )
        if key.where:
            where = where & Predicate(key.where.replace("%", "%%"))
        names = [f"k{place}" for place in range(len(rest))]
        listed = ", ".join(f"{column(name, 'c')} AS {k}" for name, k in zip(rest, names, strict=True))
        rows = f"SELECT {listed or '0 AS k0'} FROM {source} c WHERE {where.sql}"
        groups = f"SELECT count(*) AS n FROM ({rows}) k GROUP BY {', '.join(names) or 'k0'}"
        sql = f"SELECT coalesce(sum(n), 0) FROM ({groups} HAVING count(*) > 1) g"
        return int(self.known.session.value(sql, where.params))
