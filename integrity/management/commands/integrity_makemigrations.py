"""Writes the schema fixes of a target as migrations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.database.session import Target
from integrity.management.blocks import Line
from integrity.management.command import DONE, FOUND, IntegrityCommand
from integrity.management.options import add_references, add_sources, add_target
from integrity.management.reports.migrations import adoption_blocks, files_json, fix_json, fixes_blocks
from integrity.operations.fixes import SchemaFix
from integrity.tasks import adopt_scripts, make_migrations


class Command(IntegrityCommand):
    """Writes files on this machine, nothing in the target."""

    help = "Writes what a target needs so that every rule is enforced, as migrations in three phases."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which fixes."""
        add_target(parser)
        add_references(parser)
        parser.add_argument("--phase", type=int, choices=(1, 2, 3), help="only the fixes of this phase")
        parser.add_argument("--dry-run", action="store_true", help="show the files without writing them")
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 when something would be written"
        )
        parser.add_argument(
            "--with-repairs",
            action="store_true",
            help="resolve orphans by the catalog's policies in a migration, before what binds all rows",
        )
        parser.add_argument(
            "--drop-redundant",
            action="store_true",
            help="drop the indexes that others make redundant, in a migration of their own",
        )
        parser.add_argument(
            "--everything",
            action="store_true",
            help="write also what this target has already, for other copies of the same database; where it "
            "stands, it is adopted",
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="write the scripts of the catalog's [ledger] as migrations, instead of schema fixes",
        )
        parser.add_argument(
            "--again",
            action="append",
            default=[],
            metavar="SCRIPT",
            help="with --adopt: a script that is run again although its ledger says that it was; repeatable",
        )
        add_sources(parser)
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Writes them."""
        dry_run = options["dry_run"] or options["check"]
        target = Target(options["target"])
        if options["adopt"]:
            return self._adopt(target, options, dry_run=dry_run)
        made = make_migrations(
            target.alias,
            catalog_file=options["catalog"],
            wanted=lambda fix: _wanted(fix, options),
            dry_run=dry_run,
            with_repairs=options["with_repairs"],
            drop_redundant=options["drop_redundant"],
            everything=options["everything"],
            sources=options["source"],
        )
        data = {
            "target": target.alias,
            "dry_run": dry_run,
            "fixes": [fix_json(fix, target.vendor) for fix in made.fixes],
            "files": files_json(made.files),
            "left_out": made.left_out,
            "unacknowledged": made.unacknowledged,
        }
        blocks = list(fixes_blocks(target.alias, made.fixes, made.files, target.vendor, dry_run=dry_run))
        blocks += [
            Line(f"{label} is not validated: its orphans are kept by decision.", "warning")
            for label in made.left_out
        ]
        blocks += [
            Line(f"{column} will not be removed before it is acknowledged: {', '.join(labels)}.", "warning")
            for column, labels in made.unacknowledged.items()
        ]
        self.terminal.show(data, blocks)
        return FOUND if options["check"] and made.fixes else DONE

    def _adopt(self, target: Target, options: dict[str, Any], *, dry_run: bool) -> int:
        """Exit 1 where a script was refused, or with --check where one would be written."""
        adoption = adopt_scripts(
            target.alias, catalog_file=options["catalog"], again=options["again"], dry_run=dry_run
        )
        data = {
            "target": target.alias,
            "dry_run": dry_run,
            "ledger": adoption.ledger,
            "scripts": [each.as_json() for each in adoption.scripts],
            "files": files_json(adoption.files),
        }
        self.terminal.show(data, list(adoption_blocks(target.alias, adoption, dry_run=dry_run)))
        return FOUND if adoption.refused or (options["check"] and adoption.files) else DONE


def _wanted(fix: SchemaFix, options: dict[str, Any]) -> bool:
    if options["phase"] is not None and fix.phase != options["phase"]:
        return False
    named = [(path.table, set(path.columns)) for path in options["reference"]]
    return not named or (fix.table.name, set(fix.columns)) in named
