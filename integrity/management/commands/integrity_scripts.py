"""Audits SQL scripts, and SQL inside source files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from integrity.audit import Progress
from integrity.management.blocks import markdown
from integrity.management.command import IntegrityCommand, exit_code
from integrity.management.options import add_everywhere
from integrity.management.reports.sarif import sarif
from integrity.management.reports.scripts import pull_request_blocks, script_blocks
from integrity.tasks import audit_scripts

FORMATS = ("text", "json", "markdown", "sarif")
DIALECTS = ("postgresql", "sqlite", "shared")


class Command(IntegrityCommand):
    """Changes nothing and needs no database; a file or statement that cannot be read makes exit 2."""

    help = "Audits SQL scripts and the SQL inside of TypeScript, JavaScript and Python."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which files, what they are meant for, and what is known of their database."""
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder with all in it"
        )
        parser.add_argument(
            "--target", metavar="ALIAS", help="compare definitions with this database and its catalog"
        )
        parser.add_argument(
            "--catalog", type=Path, metavar="FILE", help="a catalog.toml that decides, lent for this run"
        )
        parser.add_argument(
            "--dialect",
            choices=DIALECTS,
            help="what all files are meant for (default: each by its comment, name, folder, or what it has)",
        )
        parser.add_argument(
            "--ignore-file",
            type=Path,
            metavar="FILE",
            help="findings to ignore (default: the .integrity-scripts nearest above the first path)",
        )
        add_everywhere(parser, formats=FORMATS)

    def work(self, options: dict[str, Any]) -> int:
        """Audits."""
        with self.terminal.progress("reading scripts") as told:
            audit = audit_scripts(
                options["paths"],
                target=options["target"] or "",
                catalog_file=options["catalog"],
                dialect=options["dialect"] or "",
                ignore_file=options["ignore_file"],
                on_read=lambda done, total, file: told(Progress(done, total, file)),
            )
        if options["format"] == "sarif":
            self.terminal.show(sarif(audit), [])
        elif options["format"] == "markdown":
            self.stdout.write(markdown(list(pull_request_blocks(audit))))
        else:
            self.terminal.show(audit.as_json(), list(script_blocks(audit)))
        bad = self.fails([each.severity for each in audit.findings], options)
        return exit_code(complete=audit.coverage.complete, found=bad)
