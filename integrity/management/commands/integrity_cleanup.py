"""Resolves orphans."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.command import IntegrityCommand
from integrity.management.options import (
    add_decision,
    add_limits,
    add_references,
    add_run,
    add_target,
    add_withdrawal,
)
from integrity.management.repairing import carried_out
from integrity.management.withdrawing import withdrawn
from integrity.models import ORPHANED_ROWS


class Command(IntegrityCommand):
    """Every row that it touches is journaled first; ``integrity_rollback`` takes the run back."""

    help = "Resolves orphans: deletes them to quarantine, sets them null, reassigns or keeps them."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and its limits."""
        add_target(parser)
        add_references(parser)
        add_decision(parser)
        add_limits(parser)
        add_run(parser)
        add_withdrawal(parser)
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Plans, asks, and carries out."""
        if options["withdraw"]:
            named, code = options["reference"], ORPHANED_ROWS
            keys, rows = options["missing"], options["row"]
            return withdrawn(self.terminal, options, named, code=code, keys=keys, rows=rows)
        return carried_out(self.terminal, options, kind="cleanup")
