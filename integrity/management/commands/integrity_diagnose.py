"""Diagnoses references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from integrity.database.session import Target
from integrity.detectors import Severity
from integrity.diagnosis import DiagnosisResult, diagnose, script
from integrity.diagnosis.columns import diagnose_columns
from integrity.exceptions import PlanRefused
from integrity.management.blocks import Line
from integrity.management.command import IntegrityCommand, exit_code
from integrity.management.options import add_references, add_sources, add_target, positive, reference
from integrity.management.reports.columns import column_blocks
from integrity.management.reports.diagnoses import diagnosis_blocks
from integrity.operations.replacing import replace_files
from integrity.references import load_catalog
from integrity.tasks import others_of


class Command(IntegrityCommand):
    """Changes nothing; orphans make exit 1, as in an audit."""

    help = (
        "Diagnoses a reference in depth: numbers, types, age, amounts, what hangs on its orphans, structure."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which references."""
        add_target(parser)
        add_references(parser)
        parser.add_argument(
            "--sql",
            type=Path,
            metavar="FILE",
            help="write the questions as SQL that changes nothing, for a dashboard without a shell",
        )
        parser.add_argument(
            "--timeout",
            type=positive,
            metavar="SECONDS",
            help="how long one question may take (default: the setting)",
        )
        parser.add_argument(
            "--column",
            action="append",
            type=reference,
            default=[],
            metavar="TABLE.COLUMN",
            help="a column that is to go, instead of references: what it repeats, what uses it; repeatable",
        )
        add_sources(parser)
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Diagnoses, shows, and writes the questions."""
        if options["column"]:
            return self._columns(options)
        if options["source"]:
            raise PlanRefused("--source says where a --column is looked for", hint="Give it with --column.")
        target = Target(options["target"])
        catalog, others = load_catalog(target.alias, options["catalog"]), others_of(target)
        only, timeout = options["reference"], options["timeout"]
        with self.terminal.progress(f"diagnosing {target}") as told:
            result = diagnose(
                target,
                catalog,
                only=only,
                others=others,
                statement_timeout_ms=None if timeout is None else timeout * 1000,
                on_progress=told,
            )
        files = [options["sql"]] if options["sql"] else []
        for file in files:
            replace_files({file: script(target, catalog, only=only, others=others)})
        blocks = [
            *diagnosis_blocks(result, options["catalog"]),
            *(Line(f"Written: {file}", "good") for file in files),
        ]
        self.terminal.show(result.as_json() | {"files": [str(file) for file in files]}, blocks)
        return self._code(result, options)

    def _columns(self, options: dict[str, Any]) -> int:
        """A column's data that drifted is an error, what nobody acknowledged a warning."""
        target, timeout = Target(options["target"]), options["timeout"]
        with self.terminal.progress(f"diagnosing {target}"):
            found = diagnose_columns(
                target,
                load_catalog(target.alias, options["catalog"]),
                options["column"],
                sources=options["source"],
                others=others_of(target),
                statement_timeout_ms=None if timeout is None else timeout * 1000,
            )
        data = {"target": target.alias, "columns": [each.as_json() for each in found]}
        self.terminal.show(data, list(column_blocks(target.alias, found)))
        severities = [Severity.ERROR for each in found if each.mirror and each.mirror.drifted]
        severities += [Severity.ERROR for each in found if each.conversion and each.conversion.refused]
        severities += [Severity.WARNING for each in found if each.unacknowledged]
        complete = not any(each.gaps for each in found)
        return exit_code(complete=complete, found=self.fails(severities, options))

    def _code(self, result: DiagnosisResult, options: dict[str, Any]) -> int:
        complete = result.coverage.complete and not any(each.gaps for each in result.references)
        found = [Severity.ERROR for each in result.references if each.orphans]
        return exit_code(complete=complete, found=self.fails(found, options))
