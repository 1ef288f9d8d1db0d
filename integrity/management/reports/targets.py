"""What is known of targets, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity import conf
from integrity.management.blocks import Block, Grid, Line
from integrity.models.target import server
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
        yield from _pooler(each, {other.target for other in states if other.pooled})
        if each.ledgers:
            tools = ", ".join(each.ledgers)
            yield Line(f"{each.target} is migrated by other tools as well: {tools}.", "faint")
        if each.error:
            yield Line(f"{each.target}: {each.error}", "error")


def _pooler(state: TargetState, pooled: set[str]) -> Iterator[Line]:
    """Whether something stands between, and what reaches the server past it."""
    if state.direct in pooled:
        yield Line(
            f"{state.target}: {state.direct}, its direct alias, stands behind a pooler too.", "warning"
        )
    elif state.direct:
        stands = "stands behind a pooler" if state.pooled else "has a direct alias"
        yield Line(f"{state.target} {stands}; {state.direct} reaches its server.", "faint")
    elif state.pooled and state.target not in {conf.direct_alias(each) for each in pooled - {state.target}}:
        yield Line(
            f"{state.target} stands behind a pooler, and no alias reaches its server directly: "
            f"INTEGRITY['DIRECT'] = {{'{state.target}': 'ALIAS'}}. Only some indexes need one.",
            "faint",
        )
