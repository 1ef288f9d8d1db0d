"""What integrity_rollback does: show, ask, take back, and print the comparison."""

from __future__ import annotations

from typing import Any

from integrity.database.identifiers import Path, TableName, parse_table
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.exceptions import TooManyRows
from integrity.management.blocks import Line, Title
from integrity.management.command import DONE, FOUND, NOT_DONE
from integrity.management.confirmation import confirm, refuse_without_terminal
from integrity.management.options import actor
from integrity.management.repairing import shown_all_the_same
from integrity.management.reports.migrations import step_line
from integrity.management.reports.repairs import planned_blocks, rollback_blocks
from integrity.management.stopping import Stopper
from integrity.management.terminal import Terminal
from integrity.operations.executor import StepEvent
from integrity.references.reference import written
from integrity.repairs import Options, RollbackResult, RunRecord, Selection, State, find_run
from integrity.tasks import (
    Reversal,
    migrated_since,
    roll_back_and_store,
    roll_back_unvalidated,
    roll_back_with_migrations,
)


def taken_back(terminal: Terminal, options: dict[str, Any]) -> int:
    """Shows what would come back, asks, and takes it back; returns the exit code."""
    target = Target(options["target"])
    if options["input"] and not options["dry_run"]:
        refuse_without_terminal()
    record = find_run(target, options["run"])
    migrations = migrated_since(target, record) if options["with_migrations"] else []
    rows = _touched(record)
    _refuse_more(target, rows, options["max_rows"])
    preview = [
        Title(f"Run {record.number} of {target}: {record.kind}, {record.state}"),
        *planned_blocks(record.rows, migrations[::-1]),
    ]
    if options["dry_run"]:
        terminal.show(_planned_json(target, record, migrations), preview)
        return DONE
    if options["input"]:
        terminal.preview(preview)
        confirm(terminal, f"Take it back on {target}?", rows)

    def show(result: RollbackResult) -> int:
        return _finished(terminal, Reversal(result))

    with Stopper(terminal.say) as stop, shown_all_the_same(show):
        return _finished(terminal, _taken_back(terminal, target, options, stop))


def _taken_back(terminal: Terminal, target: Target, options: dict[str, Any], stop: Stopper) -> Reversal:
    def told(step: StepEvent) -> None:
        terminal.say(*step_line(step))

    wishes: dict[str, Any] = {"catalog_file": options["catalog"], "selection": selection_of(target, options)}
    with terminal.progress(f"restoring {target}") as progress, stop.running():
        wishes["options"] = Options(actor=actor(), on_progress=progress, stop=stop)
        if options["with_migrations"]:
            return roll_back_with_migrations(target.alias, options["run"], on_step=told, **wishes)
        if options["unvalidate"]:
            return roll_back_unvalidated(target.alias, options["run"], **wishes)
        return Reversal(roll_back_and_store(target.alias, options["run"], **wishes))


def selection_of(target: Target, options: dict[str, Any]) -> Selection:
    """Returns which rows of a run are meant; empty for all of them."""
    tables, references, keys = options["table"], options["reference"], options.get("key") or []
    if not (tables or references or keys):
        return Selection()
    with target.reading() as session:
        schema = session.schema()
    return Selection(
        tables=tuple(schema.resolve(parse_table(text)) for text in tables),
        references=tuple(_label(schema, path) for path in references),
        keys=tuple(tuple(part.strip() for part in text.split(",")) for text in keys),
    )


def _label(schema: Schema, path: Path) -> str:
    """A reference as the journal names it."""
    table: TableName = schema.resolve(path)
    return written(table, path.columns)


def _touched(record: RunRecord) -> int:
    words = ("deleted", "updated", "inserted")
    return sum(tally.get(word, 0) for tally in record.rows.values() for word in words)


def _refuse_more(target: Target, rows: int, limit: int | None) -> None:
    if limit is not None and rows > limit:
        raise TooManyRows(
            f"The run changed {rows:,} rows, more than --max-rows {limit:,}",
            where=target.alias,
            hint="Nothing was changed. Raise the limit, or select rows.",
        )


def _planned_json(target: Target, record: RunRecord, migrations: list[str]) -> dict[str, Any]:
    return {
        "target": target.alias,
        "run": None,
        "kind": "rollback",
        "state": str(State.PLANNED),
        "plan": record.plan_hash,
        "dry_run": True,
        "rows": {
            table: {"deleted": 0, "updated": 0, "restored": _of(tally), "inserted": 0, "refused": 0}
            for table, tally in record.rows.items()
        },
        "refusals": [],
        "duration_s": 0.0,
        "of": record.number,
        "migrations": migrations[::-1],
    }


def _of(tally: dict[str, int]) -> int:
    return tally.get("deleted", 0) + tally.get("updated", 0)


def _finished(terminal: Terminal, done: Reversal) -> int:
    result = done.result
    blocks = list(rollback_blocks(result))
    if done.migrations:
        blocks.append(Line(f"Migrations taken back: {', '.join(done.migrations)}."))
    terminal.show(result.as_json() | {"migrations": list(done.migrations)}, blocks)
    if result.state is not State.FINISHED:
        return NOT_DONE
    return FOUND if result.refused or not result.proof.rows_equal else DONE
