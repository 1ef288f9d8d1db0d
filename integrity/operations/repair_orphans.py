"""Resolves the orphans of a reference inside a migration, by the same repair that commands run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from integrity.database import clauses
from integrity.database.identifiers import Path, TableName, parse_path
from integrity.database.schema import Action, Schema
from integrity.database.session import Target, engine_for
from integrity.exceptions import SchemaFixRefused, UnknownTable
from integrity.operations.alteration import Alteration
from integrity.operations.own_runs import OwnRuns, RepairOperation, principal
from integrity.plans import Plan, Request, make_plan
from integrity.references import load_catalog
from integrity.references.django_models import others_of
from integrity.references.reference import Reference, Resolution, written
from integrity.references.resolve import default_name


class RepairOrphans(RepairOperation):
    """Repairs the orphans of one reference, batch by batch and journaled; re-entrant, reversible.

    It works on connections of its own, each batch a transaction, so that a process that is killed goes
    on at the next ``migrate``. No orphan is nothing to do. More rows than ``max_rows`` stop it before
    the first change; rows that are refused stop the migration at its end, the others stay repaired.
    The reverse takes back what the operation did here, from the journal of the target, and lets the
    rows come back under a key that stands: on PostgreSQL that one is NOT VALID again.

    Args:
        reference: the reference as it is written in catalogs: ``orders.user_id``.
        action: ``delete``, ``set_null``, ``reassign`` or another resolution that is carried out.
        max_rows: the most rows that may be changed, those that follow included; None: any number.
        to: the referenced columns, ``profiles.id``, where neither catalog nor target says so.
        on_delete: what deleting a referenced row does, together with ``to``.
        key: the key that ``reassign`` points the orphans at; empty: the catalog's system row.
    """

    def __init__(
        self,
        *,
        reference: str,
        action: str,
        max_rows: int | None = None,
        to: str = "",
        on_delete: str = "NO ACTION",
        key: tuple[str, ...] = (),
    ) -> None:
        path = parse_path(reference)
        self.reference = reference
        self.action = str(Resolution(action))
        self.max_rows = max_rows
        self.to = to
        self.on_delete = on_delete
        self.key = tuple(key)
        self.table = written(TableName(path.schema or "public", path.table))
        self.name = "_".join(["repair", path.table, *path.columns])[:63]

    @property
    def path(self) -> Path:
        """The reference, read."""
        return parse_path(self.reference)

    def describe(self) -> str:
        """One line."""
        most = "" if self.max_rows is None else f", at most {self.max_rows:,} rows"
        return f"Orphans of {self.reference}: {self.action}{most}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    def statements(self, vendor: str) -> list[str]:
        """What is done, as comments: as plain SQL it would leave nothing to take back."""
        limit = "" if self.max_rows is None else "; more rows than that stop it before the first change"
        said = [
            f"{self.describe()}{limit}",
            "Done batch by batch on connections of its own, journaled, with all rows that follow. By hand: "
            f"manage.py integrity_cleanup TARGET --reference '{self.reference}' --action {self.action}",
        ]
        if self.to:
            said.append(f"The rows: SELECT * FROM {self._orphans(vendor)}")
        return [f"-- {line}" for line in said]

    def reverse_statements(self, vendor: str) -> list[str]:
        """What is taken back."""
        return [f"-- Orphans of {self.reference}: every row comes back as it was, from the journal"]

    def _orphans(self, vendor: str) -> str:
        to = parse_path(self.to)
        schema = engine_for(vendor).default_schema
        parent = clauses.table(TableName(to.schema or schema, to.table))
        pairs = list(zip(self.path.columns, to.columns, strict=True))
        given = " AND ".join(f"c.{clauses.name(name)} IS NOT NULL" for name, _ in pairs)
        same = " AND ".join(f"p.{clauses.name(key)} = c.{clauses.name(name)}" for name, key in pairs)
        child = clauses.table(self.written_table(vendor))
        return f"{child} c WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {same})"

    # -- carrying out ----------------------------------------------------------------------

    def own_runs(self, work: Alteration) -> OwnRuns:
        """Those whose plan speaks of what this does."""
        target = Target(principal(work.alias))
        schema = work.look()
        table, columns = schema.resolve(self.path), set(self.path.columns)

        def is_ours(step: dict[str, Any]) -> bool:
            reference = step.get("reference")
            if not reference or reference["table"] != vars(table):
                return False
            return set(reference["columns"]) == columns

        return OwnRuns(
            target=target,
            catalog=load_catalog(target.alias),
            migration=work.migration,
            is_ours=is_ours,
            about=self.action,
            command=f"manage.py integrity_cleanup {target} --reference '{self.reference}' --action …",
            max_rows=self.max_rows,
            others=(*_literal(self, schema), *others_of(target)),
        )

    def planned(self, own: OwnRuns) -> Plan:
        """What is to be done now."""
        request = Request(self.path, Resolution(self.action), to=self.key or None)
        return make_plan(own.target, own.catalog, [request], others=own.others)

    def too_many(self, plan: Plan, own: OwnRuns) -> SchemaFixRefused:
        """Names the rows and the commands."""
        follow = plan.touched - plan.rows
        more = f", and {follow:,} rows follow from them" if follow else ""
        named = f"{own.target} --reference '{self.reference}' --action {self.action}"
        return SchemaFixRefused(
            f"{plan.rows:,} {'row breaks' if plan.rows == 1 else 'rows break'} "
            f"{plan.orphan_changes[0].reference}{more}: more than max_rows={self.max_rows:,}",
            where=f"{own.target}, {own.migration}",
            hint=f"Nothing was changed. Look at them: manage.py integrity_plan {named}. Then raise max_rows "
            f"in the migration, or resolve them before it: manage.py integrity_cleanup {named}.",
        )


def _literal(operation: RepairOrphans, schema: Schema) -> Iterator[Reference]:
    """The reference as the migration writes it, for a target in which nothing else says it."""
    if operation.to:
        to = parse_path(operation.to)
        with suppress(UnknownTable):
            yield Reference(
                table=schema.resolve(operation.path),
                columns=operation.path.columns,
                referenced_table=schema.resolve(to),
                referenced_columns=to.columns,
                name=default_name(operation.path),
                on_delete=Action(operation.on_delete),
            )
