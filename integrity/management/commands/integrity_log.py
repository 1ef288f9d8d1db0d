"""What was changed in a target."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.database.session import Target
from integrity.management.command import DONE, IntegrityCommand
from integrity.management.options import add_references, add_target, day, positive
from integrity.management.reports.history import (
    log_blocks,
    logged_blocks,
    logged_json,
    migration_json,
    record_json,
    rows_blocks,
    run_blocks,
)
from integrity.management.reversing import selection_of
from integrity.operations.migration_states import steps_of
from integrity.repairs import list_runs
from integrity.repairs.history import Changed, changes_of
from integrity.repairs.searching import Search, find_rows
from integrity.store.runs import migration_runs
from integrity.tasks import mirror


class Command(IntegrityCommand):
    """Reads the target's own journal, which is the truth, and mirrors it in the site's database."""

    help = "Lists what was changed in a target: runs and migrations; with --run, by table, reason and key."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which run."""
        add_target(parser)
        add_references(parser)
        parser.add_argument("--run", type=int, metavar="RUN", help="what this run changed")
        parser.add_argument("--table", action="append", default=[], help="only rows of this table")
        parser.add_argument(
            "--key", action="append", default=[], help="only the row of this primary key (parts by commas)"
        )
        parser.add_argument("--since", type=day, help="only what was changed from this day on")
        parser.add_argument(
            "--keys",
            type=positive,
            default=10,
            metavar="N",
            help="name so many keys of each kind, or show so many rows",
        )
        parser.add_argument(
            "--migration",
            metavar="NAME",
            help="each time that this migration was applied or reversed: its operations, their time, and the "
            "whole error; from the target's own journal",
        )
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Lists."""
        target = Target(options["target"])
        if options["migration"]:
            steps = steps_of(target, options["migration"])
            data = {"target": target.alias, "migrations": [logged_json(each) for each in steps]}
            self.terminal.show(data, list(logged_blocks(target.alias, options["migration"], steps)))
            return DONE
        if options["key"] or options["since"]:
            return self._rows(target, options)
        if options["run"] is not None:
            return self._run(target, options)
        return self._rows(target, options) if options["table"] or options["reference"] else self._all(target)

    def _rows(self, target: Target, options: dict[str, Any]) -> int:
        chosen = selection_of(target, options)
        search = Search(options["run"], chosen.tables, chosen.references, chosen.keys, options["since"] or "")
        rows = find_rows(target, search, most=options["keys"])
        data = {"target": target.alias, "rows": [each.as_json() for each in rows]}
        self.terminal.show(data, list(rows_blocks(target.alias, rows, options["keys"])))
        return DONE

    def _all(self, target: Target) -> int:
        records = list_runs(target)
        mirror(target.alias)
        migrations = migration_runs(target.alias)
        data = {
            "target": target.alias,
            "runs": [record_json(each) for each in records],
            "migrations": [migration_json(each) for each in migrations],
        }
        self.terminal.show(data, list(log_blocks(target.alias, records, migrations)))
        return DONE

    def _run(self, target: Target, options: dict[str, Any]) -> int:
        record, changes = changes_of(target, options["run"], keys=options["keys"])
        selection = selection_of(target, options)
        tables = {str(table) for table in selection.tables}
        chosen = [each for each in changes if _wanted(each, tables, set(selection.references))]
        data = {"target": target.alias, **record_json(record), "changes": [each.as_json() for each in chosen]}
        self.terminal.show(data, list(run_blocks(record, chosen)))
        return DONE


def _wanted(change: Changed, tables: set[str], labels: set[str]) -> bool:
    return (not tables or change.table in tables) and (not labels or change.reason in labels)
