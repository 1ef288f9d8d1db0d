"""What was changed in a target, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from integrity.management.blocks import Block, Code, Grid, Line, Title, count
from integrity.operations.migration_log import LoggedStep
from integrity.repairs import RunRecord
from integrity.repairs.history import Changed
from integrity.repairs.searching import ChangedRow

_TOTALS = ("deleted", "updated", "restored")
REFUSALS_SHOWN = 20


def log_blocks(alias: str, records: Sequence[RunRecord], migrations: Sequence[Any]) -> Iterator[Block]:
    """Yields the runs of a target, and its migrations."""
    yield Title(f"Runs of {alias}")
    if not records:
        yield Line("Nothing was changed by this product yet.")
    else:
        yield Grid(
            ("run", "kind", "state", "started", *_TOTALS),
            [_run_row(each) for each in records],
        )
        yield Line(f"What one of them changed: manage.py integrity_log {alias} --run N", "faint")
    if migrations:
        yield Title("Migrations")
        rows = [
            (
                f"{each.started_at:%Y-%m-%d %H:%M}",
                each.migration,
                each.direction,
                each.state,
                each.seconds,
                each.actor,
            )
            for each in migrations
        ]
        yield Grid(("started", "migration", "direction", "state", "seconds", "by"), rows)


def _run_row(record: RunRecord) -> tuple[Any, ...]:
    totals = [sum(tally.get(word, 0) for tally in record.rows.values()) for word in _TOTALS]
    kind = f"{record.kind} of {record.of}" if record.of else record.kind
    state = str(record.state).replace("_", " ")
    return record.number, kind, state, _when(record.started_at), *totals


def _when(moment: str) -> str:
    return moment[:16].replace("T", " ")


def run_blocks(record: RunRecord, changes: Sequence[Changed]) -> Iterator[Block]:
    """Yields what one run changed, by table and reason, with some keys."""
    yield Title(f"Run {record.number}: {record.kind}, {str(record.state).replace('_', ' ')}")
    until = f" to {_when(record.finished_at)}" if record.finished_at else ""
    yield Line(f"From {_when(record.started_at)}{until} UTC, by {record.actor or 'nobody known'}.")
    yield Line(f"Plan {record.plan_hash}.")
    if record.backup:
        yield Line(f"Backup taken before: {record.backup}.")
    if record.error:
        yield Line(record.error, "error")
    if changes:
        rows = [(each.table, each.reason, each.action, each.rows, each.taken_back) for each in changes]
        yield Grid(("table", "because of", "action", "rows", "taken back"), rows)
    for each in changes:
        if each.keys:
            keys = "; ".join(", ".join(str(value) for value in key.values()) for key in each.keys)
            more = f"; {each.rows - len(each.keys):,} more" if each.rows > len(each.keys) else ""
            yield Line(f"{each.table} ({each.reason}, {each.action}): {keys}{more}", "faint", 1)
    if record.refusals:
        yield Line(f"{count(len(record.refusals), 'row')} refused:", "warning")
    for refusal in record.refusals[:REFUSALS_SHOWN]:
        yield Line(f"{refusal['table']} {refusal['key']}: {refusal['reason']}", "warning", 1)


def rows_blocks(alias: str, rows: Sequence[ChangedRow], most: int) -> Iterator[Block]:
    """Yields changed rows one by one, those of the newest run first."""
    yield Title(f"Changed rows of {alias}")
    if not rows:
        yield Line("The journal has no such row.")
        return
    listed = [
        (
            each.run,
            each.table,
            ", ".join(map(str, each.key.values())),
            each.reason,
            each.action,
            _when(each.at),
            f"by run {each.taken_back}" if each.taken_back else "",
        )
        for each in rows
    ]
    yield Grid(("run", "table", "key", "because of", "action", "at", "taken back"), listed)
    if len(rows) == most:
        yield Line("There may be more: raise --keys.", "faint")


def logged_blocks(alias: str, name: str, steps: Sequence[LoggedStep]) -> Iterator[Block]:
    """Yields each time that one migration was applied or reversed, the newest first."""
    yield Title(f"{name} of {alias}")
    if not steps:
        yield Line("The target's journal has nothing of it: it was never applied or reversed from here.")
    for step in steps:
        style = "error" if step.error else "good"
        when, took = _when(step.started_at.isoformat()), f"{step.seconds:,.2f} s"
        yield Line(
            f"{when} UTC: {step.direction}, {step.state}, {took}, by {step.actor or 'nobody known'}", style
        )
        for each in step.operations:
            sign = "✗" if each["error"] else "✓"
            yield Line(
                f"{sign} {each['operation']}, {each['seconds']:,.2f} s", "error" if each["error"] else "", 1
            )
            if each["statement"]:
                yield Code(each["statement"])
            for line in each["error"].splitlines():
                yield Line(line, "error", 2)
        if step.error and not any(each["error"] for each in step.operations):
            yield Line(step.error, "error", 1)


def logged_json(step: LoggedStep) -> dict[str, Any]:
    """Returns such an entry as plain values."""
    return asdict(step) | {
        "started_at": step.started_at.isoformat(),
        "finished_at": step.finished_at.isoformat(),
    }


def record_json(record: RunRecord) -> dict[str, Any]:
    """Returns a run as plain values."""
    return {
        "run": record.number,
        "kind": record.kind,
        "state": str(record.state),
        "plan": record.plan_hash,
        "of": record.of,
        "actor": record.actor,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "rows": record.rows,
        "refusals": record.refusals,
        "error": record.error,
        "backup": record.backup,
    }


def migration_json(run: Any) -> dict[str, Any]:
    """Returns a migration that was applied or reversed as plain values."""
    return {
        "migration": run.migration,
        "direction": run.direction,
        "state": run.state,
        "phase": run.phase,
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "seconds": run.seconds,
        "actor": run.actor,
        "error": run.error,
    }
