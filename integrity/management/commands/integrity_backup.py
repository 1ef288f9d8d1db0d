"""Takes a backup of a target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from integrity.management.blocks import Line
from integrity.management.command import DONE, IntegrityCommand
from integrity.management.options import actor, add_target
from integrity.tasks import backup_and_store


class Command(IntegrityCommand):
    """SQLite's online backup, or ``pg_dump``."""

    help = "Takes a backup of a target and records it, so that repairs can require one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        add_target(parser)
        parser.add_argument("--folder", type=Path, help="where to put it (default: the setting BACKUP_ROOT)")
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Takes it."""
        with self.terminal.progress(f"backing up {options['target']}"):
            backup = backup_and_store(options["target"], folder=options["folder"], actor=actor())
        data = {
            "target": options["target"],
            "file": backup.file,
            "size": backup.size,
            "taken_at": backup.taken_at.isoformat(),
        }
        self.terminal.show(data, [Line(f"{backup.file} ({backup.size:,} bytes)", "good")])
        return DONE
