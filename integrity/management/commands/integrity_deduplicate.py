"""Resolves duplicates."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.command import IntegrityCommand
from integrity.management.deduplicating import add_uniques
from integrity.management.options import add_limits, add_run, add_target, add_withdrawal
from integrity.management.repairing import carried_out
from integrity.management.withdrawing import withdrawn
from integrity.models import DUPLICATE_ROWS
from integrity.repairs import DEDUPLICATION


class Command(IntegrityCommand):
    """Every row that it touches is journaled first; ``integrity_rollback`` takes the run back."""

    help = (
        "Resolves duplicates that stand in the way of a unique: one row keeps the value, the others are "
        "renamed or merged into it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, and its limits."""
        add_target(parser)
        add_uniques(parser)
        add_limits(parser)
        add_run(parser)
        add_withdrawal(parser)
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Plans, asks, and carries out."""
        if options["withdraw"]:
            named, keys = options["unique"], options["value"]
            return withdrawn(self.terminal, options, named, code=DUPLICATE_ROWS, keys=keys)
        return carried_out(self.terminal, options, kind=DEDUPLICATION)
