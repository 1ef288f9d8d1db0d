"""Plans a repair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from integrity.management.blocks import Line
from integrity.management.command import DONE, NOT_DONE, IntegrityCommand
from integrity.management.options import actor, add_decision, add_limits, add_references, add_target
from integrity.management.planning import planned, scripts_of
from integrity.management.reports.plans import plan_blocks, plan_json, run_it
from integrity.operations.replacing import replace_files
from integrity.plans import Plan
from integrity.plans.script import statements
from integrity.tasks import ask_for_approval


class Command(IntegrityCommand):
    """Changes nothing; what it shows is what ``integrity_cleanup --plan HASH`` carries out."""

    help = (
        "Shows what would be done about orphans: steps, order, every row touched, SQL, and the plan's hash."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to plan."""
        add_target(parser)
        add_references(parser)
        add_decision(parser)
        add_limits(parser)
        parser.add_argument("--plan", metavar="HASH", help="show this stored plan instead of making one")
        parser.add_argument(
            "--sql",
            type=Path,
            metavar="FILE",
            help="write FILE and FILE with .rollback before its suffix: scripts for psql or sqlite3",
        )
        parser.add_argument(
            "--ask-approval", action="store_true", help="ask a second person to approve the plan"
        )
        super().add_arguments(parser)

    def work(self, options: dict[str, Any]) -> int:
        """Plans, shows, and writes the scripts."""
        plan = planned(self.terminal, options)
        sql = statements(plan)
        files = self._written(plan, options) if options["sql"] and plan.changing_steps else []
        blocks = list(plan_blocks(plan, [] if files else sql))
        blocks += [Line(f"Written: {file}", "good") for file in files]
        if plan.changing_steps:
            blocks.append(run_it(plan, options["catalog"]))
        if options["ask_approval"] and plan.changing_steps:
            asked = ask_for_approval(plan.target, plan.hash, actor=actor())
            blocks.append(Line(f"Plan {plan.hash[:12]}: {asked.get_state_display()}.", "good"))
        self.terminal.show(plan_json(plan, sql) | {"files": [str(file) for file in files]}, blocks)
        return DONE if plan.complete else NOT_DONE

    def _written(self, plan: Plan, options: dict[str, Any]) -> list[Path]:
        scripts, file = scripts_of(plan, options["catalog"]), options["sql"]
        back = file.with_suffix(f".rollback{file.suffix}")
        replace_files({file: scripts.forward, back: scripts.rollback})
        return [file, back]
