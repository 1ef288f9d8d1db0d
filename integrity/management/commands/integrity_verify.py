"""Verifies that every rule holds and is enforced."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.command import IntegrityCommand, exit_code
from integrity.management.options import actor, add_queries, add_references, add_target
from integrity.management.reports.verifications import verify_blocks
from integrity.tasks import verify_target


class Command(IntegrityCommand):
    """Changes nothing: trial rows and flows are rolled back."""

    help = "Verifies that every rule holds and is enforced, and lists every constraint; exit 1 if not."

    def add_arguments(self, parser: CommandParser) -> None:
        """What may pass, and what to leave out."""
        add_target(parser)
        add_references(parser)
        parser.add_argument(
            "--allow-kept", action="store_true", help="let orphans pass that are kept by decision"
        )
        parser.add_argument(
            "--no-flows", action="store_false", dest="flows", help="do not run the catalog's flows"
        )
        parser.add_argument(
            "--no-plans", action="store_false", dest="plans", help="do not look at the plans of queries"
        )
        add_queries(
            parser, "run the catalog's hot queries and measure them: slower than the baseline fails (opt-in)"
        )
        parser.add_argument(
            "--baseline",
            type=int,
            metavar="RUN",
            help="with --queries: the measurement to compare with (default: the last before the migrations)",
        )
        super().add_arguments(parser)

    def _measuring(self, options: dict[str, Any]) -> dict[str, Any] | None:
        if not options["queries"] and options["baseline"] is None:
            return None
        return {"seconds": options["query_seconds"], "baseline": options["baseline"], "actor": actor()}

    def work(self, options: dict[str, Any]) -> int:
        """Verifies."""
        with self.terminal.progress(f"verifying {options['target']}") as told:
            result = verify_target(
                options["target"],
                catalog_file=options["catalog"],
                only=options["reference"],
                allow_kept=options["allow_kept"],
                plans=options["plans"],
                flows=options["flows"],
                measuring=self._measuring(options),
                on_progress=told,
            )
        self.terminal.show(result.as_json(), list(verify_blocks(result)))
        failed = result.failed or self.fails([each.severity for each in result.problems], options)
        return exit_code(complete=result.coverage.complete, found=failed)
