"""Lists the databases under care."""

from __future__ import annotations

from typing import Any

from integrity.management.command import DONE, NOT_DONE, IntegrityCommand
from integrity.management.reports.targets import target_blocks
from integrity.tasks import look_at_targets


class Command(IntegrityCommand):
    """Opens each target; exit 2 when one cannot be opened."""

    help = "Lists the targets and what is known of each: reachable, version, rights, last audit and backup."

    def work(self, options: dict[str, Any]) -> int:
        """Looks, and lists."""
        states = look_at_targets()
        self.terminal.show([each.as_json() for each in states], list(target_blocks(states)))
        return DONE if all(each.reachable for each in states) else NOT_DONE
