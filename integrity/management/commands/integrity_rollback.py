"""Takes a repair back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from integrity.management.command import IntegrityCommand
from integrity.management.options import add_limits, add_references, add_target
from integrity.management.reversing import taken_back


class Command(IntegrityCommand):
    """Exact, and proves it: the digests of every touched table and the structure are compared."""

    help = "Takes a repair back: every row as it was; refuses, row by row, what somebody changed since."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which run, which rows, and what to do about foreign keys in the way."""
        add_target(parser)
        parser.add_argument("run", type=int, metavar="RUN", help="its number, see integrity_log")
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument(
            "--with-migrations",
            action="store_true",
            help="reverse the migrations too that stand in the way or came after it",
        )
        ways.add_argument(
            "--unvalidate",
            action="store_true",
            help="let rows come back under foreign keys, which bind new rows only afterwards",
        )
        add_references(parser)
        parser.add_argument(
            "--table", action="append", default=[], help="only rows of this table, repeatable"
        )
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="VALUE[,VALUE]",
            help="only the row with this primary key, repeatable",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would come back, change nothing"
        )
        add_limits(parser)
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Shows, asks, and takes back."""
        return taken_back(self.terminal, options)
