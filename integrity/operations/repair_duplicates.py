"""Resolves the duplicates of a unique inside a migration, by the same repair that commands run."""

from __future__ import annotations

from typing import Any

from integrity.database.identifiers import Path, TableName, parse_path
from integrity.database.session import Target
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.own_runs import OwnRuns, RepairOperation, principal
from integrity.plans import DuplicateRequest, Plan, make_deduplication_plan
from integrity.references import load_catalog
from integrity.references.django_models import others_of
from integrity.references.reference import written
from integrity.references.uniques import Duplicates


class RepairDuplicates(RepairOperation):
    """Repairs the duplicates of one unique, batch by batch and journaled; re-entrant, reversible.

    It works on connections of its own, each batch a transaction, so that a process that is killed goes
    on at the next ``migrate``. No duplicate is nothing to do. More rows than ``max_rows`` stop it before
    the first change; rows that are refused stop the migration at its end, the others stay repaired.
    The reverse takes back what the operation did here, from the journal of the target; the unique that
    forbids it is reversed before.

    Args:
        unique: the unique as commands name it: ``categories.store_id,slug``.
        action: ``rename`` or ``merge``.
        max_rows: the most rows that may be changed, those that follow included; None: any number.
        survivor: which row keeps the value: ``oldest``, ``newest``, ``most_referenced`` or a column.
        rename: the column that gets another value; empty: the catalog's, else the last one of text.
        fill: with ``merge``, whether a survivor gets what it lacks and others have.
    """

    def __init__(
        self,
        *,
        unique: str,
        action: str,
        max_rows: int | None = None,
        survivor: str = "",
        rename: str = "",
        fill: bool = False,
    ) -> None:
        path = parse_path(unique)
        self.unique = unique
        self.action = str(Duplicates(action))
        self.max_rows = max_rows
        self.survivor = survivor
        self.rename = rename
        self.fill = fill
        self.table = written(TableName(path.schema or "public", path.table))
        self.name = "_".join(["deduplicate", path.table, *path.columns])[:63]

    @property
    def path(self) -> Path:
        """The unique, read."""
        return parse_path(self.unique)

    def describe(self) -> str:
        """One line."""
        most = "" if self.max_rows is None else f", at most {self.max_rows:,} rows"
        return f"Duplicates of {self.unique}: {self.action}{most}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    def statements(self, vendor: str) -> list[str]:
        """What is done, as comments: as plain SQL it would leave nothing to take back."""
        limit = "" if self.max_rows is None else "; more rows than that stop it before the first change"
        return [
            f"-- {self.describe()}{limit}",
            "-- Done batch by batch on connections of its own, journaled, with all rows that "
            f"follow. By hand: manage.py integrity_deduplicate TARGET {self._options}",
        ]

    def reverse_statements(self, vendor: str) -> list[str]:
        """What is taken back."""
        return [f"-- Duplicates of {self.unique}: every row comes back as it was, from the journal"]

    @property
    def _options(self) -> str:
        named = f"--unique '{self.unique}' --action {self.action}"
        named += f" --survivor '{self.survivor}'" if self.survivor else ""
        return named + (" --fill" if self.fill else "")

    # -- carrying out ----------------------------------------------------------------------

    def own_runs(self, work: Alteration) -> OwnRuns:
        """Those whose plan speaks of what this does."""
        target = Target(principal(work.alias))
        table = work.look().resolve(self.path)
        columns = set(self.path.columns)

        def is_ours(step: dict[str, Any]) -> bool:
            rule = step.get("rule")
            if not rule or rule["table"] != vars(table):
                return False
            return set(rule["columns"]) == columns

        return OwnRuns(
            target=target,
            catalog=load_catalog(target.alias),
            migration=work.migration,
            is_ours=is_ours,
            about=self.action,
            command=f"manage.py integrity_deduplicate {target} {self._options}",
            max_rows=self.max_rows,
            others=tuple(others_of(target)),
        )

    def planned(self, own: OwnRuns) -> Plan:
        """What is to be done now."""
        request = DuplicateRequest(self.path, Duplicates(self.action), self.survivor, self.rename, self.fill)
        return make_deduplication_plan(own.target, own.catalog, [request], others=own.others)

    def too_many(self, plan: Plan, own: OwnRuns) -> SchemaFixRefused:
        """Names the rows and the commands."""
        return SchemaFixRefused(
            f"{plan.touched:,} rows would be touched to resolve the duplicates of {self.unique}: more than "
            f"max_rows={self.max_rows:,}",
            where=f"{own.target}, {own.migration}",
            hint=f"Nothing was changed. Look at them: {own.command} --dry-run. Then raise max_rows in the "
            f"migration, or resolve them before it: {own.command}.",
        )
