"""Reassigns orphans."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.command import IntegrityCommand
from integrity.management.options import add_decision, add_limits, add_references, add_run, add_target
from integrity.management.repairing import carried_out


class Command(IntegrityCommand):
    """A cleanup whose only resolution is another parent."""

    help = "Points orphans at a real row: the system row of the target catalog, or the one given with --to."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which orphans, and where to."""
        add_target(parser)
        add_references(parser)
        add_decision(parser, actions=False)
        add_limits(parser)
        add_run(parser)
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Plans, asks, and carries out."""
        return carried_out(self.terminal, options | {"action": "reassign"}, kind="reassign")
