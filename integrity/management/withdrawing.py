"""What integrity_cleanup and integrity_deduplicate share: taking decisions back that people made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrity import models, store
from integrity.database.identifiers import Path, parse_path
from integrity.database.session import Target
from integrity.exceptions import PlanRefused
from integrity.management.blocks import Line
from integrity.management.command import DONE
from integrity.management.options import actor
from integrity.management.terminal import Terminal
from integrity.plans.steps import KeyTexts

_ELSEWHERE = ("action", "plan", "resume", "decided")


def withdrawn(
    terminal: Terminal,
    options: dict[str, Any],
    named: Sequence[Path],
    *,
    code: str,
    keys: Sequence[KeyTexts] = (),
    rows: Sequence[KeyTexts] = (),
) -> int:
    """Withdraws what stands decided about some references or uniques; returns the exit code.

    Raises:
        PlanRefused: nothing was named, or nothing stands decided about it.
    """
    alias = Target(options["target"]).alias
    odd = [name for name in _ELSEWHERE if options[name]]
    if odd or not named:
        what = f"--withdraw goes without --{odd[0]}" if odd else "Nothing says what is to be withdrawn"
        raise PlanRefused(what, where=alias, hint="Name what was decided: --reference, or --unique.")
    ended = {}
    for standing in store.standing_about(alias, code):
        if any(_means(path, standing.finding) for path in named):
            number = store.withdraw_decisions(
                standing.finding, keys=keys, rows=rows, actor=actor(), reason=options["withdraw"]
            )
            ended[standing.finding.label] = number
    if not any(ended.values()):
        raise PlanRefused(
            "Nothing stands decided about that",
            where=alias,
            hint="What does is on the finding's page in admin.",
        )
    shown = [Line(f"{label}: {number} withdrawn.", "good") for label, number in ended.items() if number]
    terminal.show({"target": alias, "withdrawn": ended}, shown)
    return DONE


def _means(path: Path, finding: models.Finding) -> bool:
    """Whether a name on the command line is that of a finding; without a schema, in any."""
    known = parse_path(finding.label)
    same = (path.table, frozenset(path.columns)) == (known.table, frozenset(known.columns))
    return same and path.schema in (None, known.schema, finding.schema_name)
