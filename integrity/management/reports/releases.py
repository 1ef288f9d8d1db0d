"""What a deployment did to its targets, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from integrity.management.blocks import Block, Grid, Title
from integrity.management.command import error_json
from integrity.management.reports.migrations import migrate_json
from integrity.tasks import ReleaseStep, TargetRelease
from integrity.tasks.releasing import ReleaseState

_STYLES = {ReleaseState.RELEASED: "good", ReleaseState.NOTHING: "faint", ReleaseState.FAILED: "error"}


def release_line(alias: str, step: ReleaseStep) -> tuple[str, str]:
    """Returns one step as a line of a log, and its style."""
    took = f" ({step.seconds:,.2f} s)" if step.seconds >= 0.005 else ""
    return f"{alias}: {step.what}: {step.message}{took}", "error" if step.failed else "good"


def release_blocks(done: Sequence[TargetRelease]) -> Iterator[Block]:
    """Yields one row a target."""
    yield Title("Release")
    rows = [
        (
            each.target,
            str(each.state),
            len(each.migrated.steps) if each.migrated else None,
            sum(step.seconds for step in each.steps),
        )
        for each in done
    ]
    yield Grid(("target", "state", "migrations", "seconds"), rows, [_STYLES[each.state] for each in done])


def release_json(done: Sequence[TargetRelease]) -> dict[str, Any]:
    """Returns the same as plain values."""
    return {"release": [_target_json(each) for each in done]}


def _target_json(each: TargetRelease) -> dict[str, Any]:
    return {
        "target": each.target,
        "state": str(each.state),
        "steps": [step.as_json() for step in each.steps],
        "migrations": migrate_json(each.migrated)["migrations"] if each.migrated else [],
        "error": error_json(each.error) if each.error else None,
    }
