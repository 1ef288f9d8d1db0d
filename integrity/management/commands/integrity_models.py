"""Writes a target's models."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.command import DONE, FOUND, IntegrityCommand
from integrity.management.options import add_target
from integrity.management.reports.models import models_blocks, models_json
from integrity.tasks import make_models


class Command(IntegrityCommand):
    """Writes files on this machine, nothing in the target."""

    help = "Writes unmanaged models of a target, every relation named on both sides."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and whether to write."""
        add_target(parser)
        parser.add_argument("--dry-run", action="store_true", help="show the files without writing them")
        parser.add_argument(
            "--check", action="store_true", help="write nothing; exit 1 when something would be written"
        )
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Writes them."""
        dry_run = options["dry_run"] or options["check"]
        made = make_models(options["target"], catalog_file=options["catalog"], dry_run=dry_run)
        data = models_json(options["target"], made, dry_run=dry_run)
        blocks = models_blocks(options["target"], made, dry_run=dry_run, texts=options["dry_run"])
        self.terminal.show(data, list(blocks))
        return FOUND if options["check"] and not made.written.up_to_date else DONE
