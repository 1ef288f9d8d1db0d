"""Makes a target catalog."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.blocks import Line
from integrity.management.command import DONE, IntegrityCommand
from integrity.management.options import add_target
from integrity.management.reports.migrations import files_blocks, files_json
from integrity.tasks import make_catalog


class Command(IntegrityCommand):
    """Writes files on this machine, nothing in the target."""

    help = "Makes a new target catalog of what the target declares, or of the one lent with --catalog."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        add_target(parser)
        parser.add_argument("--dry-run", action="store_true", help="show the files without writing them")
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Writes it."""
        files = make_catalog(options["target"], catalog_file=options["catalog"], dry_run=options["dry_run"])
        blocks = list(files_blocks(files, dry_run=options["dry_run"]))
        follow = f"Complete catalog.toml, then: manage.py integrity_makemigrations {options['target']}"
        data = {"target": options["target"], "dry_run": options["dry_run"], "files": files_json(files)}
        self.terminal.show(data, [*blocks, Line(follow)])
        return DONE
