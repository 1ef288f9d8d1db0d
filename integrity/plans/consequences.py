"""What becomes of rows that refer to rows which are deleted, as far as it can be carried out.

A plan and the run of it ask here, so that what was promised is what happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session
from integrity.exceptions import PlanRefused
from integrity.plans.columns import columns_set_null
from integrity.plans.steps import Change, change_for
from integrity.references.reference import Reference

HOLD_ROWS = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)
"""The kinds of tables whose rows can be changed."""


@dataclass
class Consequences:
    """The references of a target with what each does when a row that it leads to is deleted."""

    session: Session
    schema: Schema
    references: Sequence[Reference]
    _known: dict[object, tuple[Change, str]] = field(default_factory=dict)

    @property
    def followed(self) -> list[Reference]:
        """The references whose rows can be changed: those of a view hold nothing themselves."""
        return [each for each in self.references if self.schema.table(each.table).kind in HOLD_ROWS]

    def of(self, reference: Reference) -> Change:
        """Returns what becomes of a row that refers to a deleted one; RESTRICT also where what the
        reference wants cannot be done: then nothing can go that the row refers to."""
        return self._looked_up(reference)[0]

    def why(self, reference: Reference) -> str:
        """Returns why a reference forbids a deletion."""
        return self._looked_up(reference)[1]

    def nulled(self, reference: Reference) -> tuple[str, ...]:
        """The columns that a deletion sets through a reference with SET NULL or SET DEFAULT."""
        if self.of(reference) is Change.SET_NULL:
            return columns_set_null(self.schema.table(reference.table), reference, self.references)
        return reference.columns

    def default_key(self, reference: Reference) -> Predicate | None:
        """The condition that a row ``c`` is what the defaults of a reference refer to; None for NULL."""
        here = self.schema.table(reference.table)
        there = self.schema.table(reference.referenced_table)
        parts = []
        for name, key in reference.pairs:
            child, default = here.column(name), here.column(name).default
            if default is None or default.strip().upper().partition("::")[0] == "NULL":
                return None
            sql = f"({default})".replace("%", "%%")
            parts.append(self.session.engine.equal(there.column(key), column(key, "c"), child, sql))
        return Predicate(" AND ".join(parts))

    def _looked_up(self, reference: Reference) -> tuple[Change, str]:
        key = (reference.sides, reference.on_delete)
        if key not in self._known:
            change = change_for(reference)
            why = f"{reference.label}, {reference.on_delete}" if change is Change.RESTRICT else ""
            if change in (Change.SET_NULL, Change.SET_DEFAULT):
                why = self._impossible(reference, change)
            self._known[key] = (Change.RESTRICT if why else change, why)
        return self._known[key]

    def _impossible(self, reference: Reference, change: Change) -> str:
        if change is Change.SET_NULL:
            try:
                columns_set_null(self.schema.table(reference.table), reference, self.references)
            except PlanRefused as error:
                return error.what
            return ""
        where = self.default_key(reference)
        if where is None:
            return "" if self._may_be_null(reference) else f"{reference.label} is NOT NULL and has no default"
        source = self.session.engine.parent_source(self.schema.table(reference.referenced_table))
        sql = f"SELECT EXISTS (SELECT 1 FROM {source} AS c WHERE {where.sql})"
        if self.session.value(sql, where.params):
            return ""
        return f"rows would be orphans with the default of {reference.label}, too"

    def _may_be_null(self, reference: Reference) -> bool:
        """Whether the columns that have no default may be NULL."""
        found = [self.schema.table(reference.table).column(name) for name in reference.columns]
        return all(each.nullable or each.default is not None for each in found)
