"""What integrity_cleanup, _reassign and _deduplicate share: plan, show, ask, carry out, say what was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path as FilePath
from typing import Any

from django.utils import timezone

from integrity import store
from integrity.database.session import Target
from integrity.exceptions import BackupFailed, NotRecorded, ReferentialIntegrityError
from integrity.management.command import DONE, FOUND, NOT_DONE
from integrity.management.confirmation import confirm, refuse_without_terminal
from integrity.management.options import actor
from integrity.management.planning import planned
from integrity.management.reports.plans import plan_blocks, run_it
from integrity.management.reports.repairs import planned_json, repair_blocks
from integrity.management.stopping import Stopper
from integrity.management.terminal import Terminal
from integrity.plans import Plan
from integrity.repairs import Options, RepairResult, State, command_for, list_runs
from integrity.tasks import repair_and_store, resume_and_store

BACKUP_AGE = timedelta(days=1)
"""An older backup is no backup of what is about to be changed."""


def carried_out(terminal: Terminal, options: dict[str, Any], *, kind: str) -> int:
    """Plans, shows, asks, and carries out; returns the exit code."""
    Target(options["target"])

    def show(result: RepairResult) -> int:
        return _finished(terminal, result, options)

    if options["resume"] is not None:
        if options["input"]:
            confirm(terminal, f"Go on with run {options['resume']} of {options['target']}?")
        with Stopper(terminal.say) as stop, shown_all_the_same(show):
            return show(_resumed(terminal, options, stop))
    if options["input"] and not options["dry_run"]:
        refuse_without_terminal()
    plan = planned(terminal, options, kind)
    if options["dry_run"]:
        blocks = [
            *plan_blocks(plan, kind=kind),
            *([run_it(plan, options["catalog"])] if plan.changing_steps else []),
        ]
        terminal.show(planned_json(plan, kind), blocks)
        return DONE if plan.complete else NOT_DONE
    if not options["without_approval"]:
        store.demand_approved(plan)
    if options["input"] and plan.changing_steps:
        terminal.preview(list(plan_blocks(plan, kind=kind)))
        confirm(terminal, f"Carry this out on {plan.target}?", plan.touched)
    with Stopper(terminal.say) as stop, shown_all_the_same(show):
        code = show(_carried_out(terminal, plan, options, kind, stop))
    return code if plan.complete else _said_what_was_not_looked_at(terminal, plan)


@contextmanager
def shown_all_the_same(show: Callable[[Any], int]) -> Iterator[None]:
    """Shows what was done in a target also where the site could not be told of it."""
    try:
        yield
    except NotRecorded as error:
        show(error.result)
        raise


def _said_what_was_not_looked_at(terminal: Terminal, plan: Plan) -> int:
    """What was repaired stands; that it was all would be too much said."""
    for note in plan.notes:
        terminal.say(note, "warning")
    return NOT_DONE


def _carried_out(
    terminal: Terminal, plan: Plan, options: dict[str, Any], kind: str, stop: Stopper
) -> RepairResult:
    """What somebody saw is what runs: then one row more stops it before the first change."""
    approved = bool(options["plan"]) or bool(options["input"])
    with _running(terminal, options, stop, approved=approved) as wishes:
        return repair_and_store(
            plan.target,
            plan,
            catalog_file=options["catalog"],
            kind=kind,
            options=wishes,
            waiver=options["without_approval"],
        )


def _resumed(terminal: Terminal, options: dict[str, Any], stop: Stopper) -> RepairResult:
    alias, run = options["target"], options["resume"]
    with _running(terminal, options, stop, approved=False) as wishes:
        return resume_and_store(
            alias,
            run,
            catalog_file=options["catalog"],
            options=wishes,
            waiver=options["without_approval"],
        )


@contextmanager
def _running(
    terminal: Terminal, options: dict[str, Any], stop: Stopper, *, approved: bool
) -> Iterator[Options]:
    """Shows progress, heeds signals, and says of a run that failed what stands of it."""
    alias = options["target"]
    backup = _backup(alias, required=options["require_backup"])
    with terminal.progress(f"repairing {alias}") as told, stop.running():
        try:
            yield Options(
                actor=actor(),
                approved=approved,
                max_rows=options["max_rows"],
                digests=options["digests"],
                backup=backup,
                on_progress=told,
                stop=stop,
            )
        except Exception:
            _say_what_stands(terminal, alias)
            raise


def _backup(alias: str, *, required: bool) -> str:
    """The last backup's file, noted in the run.

    Raises:
        BackupFailed: when one is required, and none is there that is recent.
    """
    last = store.last_backup(alias)
    there = last is not None and FilePath(last.file).exists()
    if required and (last is None or not there or timezone.now() - last.taken_at > BACKUP_AGE):
        what = "No backup is recorded" if last is None else f"The last backup ({last.file}) is gone"
        if last is not None and there:
            what = f"The last backup is of {last.taken_at:%Y-%m-%d %H:%M}, more than a day old"
        raise BackupFailed(
            what, where=alias, hint=f"Nothing was changed. Take one: manage.py integrity_backup {alias}."
        )
    return last.file if last is not None and there else ""


def _say_what_stands(terminal: Terminal, alias: str) -> None:
    """After a failure: what was finished is kept, and how to go on or back."""
    try:
        last = next(iter(list_runs(Target(alias))), None)
    except ReferentialIntegrityError:
        return
    if last is not None and last.state in (State.FAILED, State.INTERRUPTED) and last.rows:
        terminal.say(
            f"Run {last.number} stopped; its finished batches are kept and journaled. Go on with: "
            f"manage.py {command_for(last.kind)} {alias} --resume {last.number}, or take them back with: "
            f"manage.py integrity_rollback {alias} {last.number}",
            "warning",
        )


def _finished(terminal: Terminal, result: RepairResult, options: dict[str, Any]) -> int:
    terminal.show(result.as_json(), list(repair_blocks(result, options["catalog"])))
    if result.state is not State.FINISHED:
        return NOT_DONE
    return FOUND if result.refused else DONE
