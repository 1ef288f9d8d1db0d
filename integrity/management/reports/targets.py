"""What is known of targets, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity.management.blocks import Block, Grid, Line
from integrity.management.reports.audits import server
from integrity.tasks import TargetState


def target_blocks(states: Sequence[TargetState]) -> Iterator[Block]:
    """Yields one row a target, and why those that cannot be opened cannot."""
    rows = [
        (
            each.target,
            server(each.vendor, each.server_version),
            each.tables if each.reachable else "unreachable",
            each.rights,
            bool(each.catalog),
            f"{each.last_audit:%Y-%m-%d}" if each.last_audit else "never",
            f"{each.last_backup:%Y-%m-%d}" if each.last_backup else "never",
        )
        for each in states
    ]
    yield Grid(
        ("target", "server", "tables", "rights", "catalog", "last audit", "last backup"),
        rows,
        ["" if each.reachable else "error" for each in states],
    )
    for each in states:
        if each.direct:
            yield Line(f"{each.target} stands behind a pooler; {each.direct} reaches its server.", "faint")
        if each.error:
            yield Line(f"{each.target}: {each.error}", "error")
