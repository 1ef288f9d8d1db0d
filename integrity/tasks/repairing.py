"""What changes the rows of a target, mirrored for people as it goes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from integrity import conf, models, signals, store
from integrity.database.session import Target
from integrity.exceptions import NotRecorded, ReferentialIntegrityError
from integrity.operations.catalog_migrations import foreign_keys_made_by, uniques_made_by
from integrity.plans import Plan
from integrity.references import load_catalog
from integrity.repairs import (
    Options,
    RepairResult,
    RollbackResult,
    RunRecord,
    find_run,
    list_runs,
    resume_repair,
    roll_back,
    run_repair,
)
from integrity.tasks.admitting import refuse_unapproved
from integrity.tasks.reading import others_of

logger = logging.getLogger(__name__)


def repair_and_store(
    alias: str,
    plan: Plan,
    *,
    catalog_file: FilePath | None = None,
    kind: str = "cleanup",
    options: Options | None = None,
    waiver: str = "",
) -> RepairResult:
    """Runs a plan on a target and stores what came of it.

    Args:
        alias: the target.
        plan: what was approved.
        catalog_file: a catalog lent for this run.
        kind: ``cleanup``, ``reassign`` or ``deduplicate``.
        options: who asks, limits, progress; the references of the site's models are added.
        waiver: why it is run without the approval of a second person; noted, and for this run alone.

    Raises:
        ApprovalNeeded: a second person has to approve the plan first.
        RepairRunning, PlanMismatch, TooManyRows, …: see :func:`integrity.repairs.run_repair`.
        NotRecorded: it is done, and only the site does not know; the error has the result.
    """
    target, catalog = Target(alias), load_catalog(alias, catalog_file)
    options = _complete(target, options)
    refuse_unapproved(plan, maker=options.actor, waiver=waiver, actor=options.actor)
    with _mirrored_if_it_fails(target):
        result = run_repair(target, plan, catalog=catalog, kind=kind, options=options)
    return _stored(result, plan, options.actor)


def resume_and_store(
    alias: str,
    run: int,
    *,
    catalog_file: FilePath | None = None,
    options: Options | None = None,
    waiver: str = "",
) -> RepairResult:
    """Goes on with a repair that was stopped.

    The approval with which it was begun still counts; where it was begun without, it needs one by now.

    Args:
        alias: the target.
        run: the number of the run in the target's journal.
        catalog_file: a catalog lent for this run.
        options: who asks, limits, progress.
        waiver: as :func:`repair_and_store` takes it.

    Raises:
        ApprovalNeeded: a second person has to approve its plan first.
        UnknownRun, RepairRunning: see :func:`integrity.repairs.resume_repair`.
    """
    target, catalog = Target(alias), load_catalog(alias, catalog_file)
    options = _complete(target, options)
    if conf.approvals() is not None:
        _refuse_begun_without(find_run(target, run), waiver=waiver, actor=options.actor)
    with _mirrored_if_it_fails(target):
        result = resume_repair(target, run, catalog=catalog, options=options)
    return _stored(result)


def _refuse_begun_without(record: RunRecord, *, waiver: str, actor: str) -> None:
    """Raises ApprovalNeeded where the plan of a run needs a second person whose word it never had."""
    if record.kind != models.RunKind.ROLLBACK:
        plan = Plan.from_json(record.plan)
        refuse_unapproved(plan, maker=record.actor, begun=True, waiver=waiver, actor=actor)


def roll_back_and_store(
    alias: str,
    run: int,
    *,
    catalog_file: FilePath | None = None,
    options: Options | None = None,
    **wishes: Any,
) -> RollbackResult:
    """Takes a repair back and stores the proof.

    Args:
        alias: the target.
        run: the number of the run in the target's journal.
        catalog_file: a catalog lent for this run.
        options: who asks, progress.
        wishes: ``unvalidate``, ``selection`` and the rest of :func:`integrity.repairs.roll_back`; which
            migration made which foreign key or unique is found here.

    Raises:
        UnknownRun, RollbackRefused, …: see :func:`integrity.repairs.roll_back`.
    """
    target, catalog = Target(alias), load_catalog(alias, catalog_file)
    wishes = {"made_by": foreign_keys_made_by(alias) | uniques_made_by(alias)} | wishes
    with _mirrored_if_it_fails(target):
        result = roll_back(target, run, catalog=catalog, options=_complete(target, options), **wishes)
    _stored(result)
    return result


def mirror(alias: str) -> int:
    """Reads a target's journal and stores what it says of its runs; returns how many there are."""
    return store.mirror_runs(alias, list_runs(Target(alias)))


def _complete(target: Target, options: Options | None) -> Options:
    """Where plans need approval, no run touches more rows than its plan says, whoever begins it."""
    options = options or Options()
    options = replace(options, approved=options.approved or conf.approvals() is not None)
    return options if options.others else replace(options, others=tuple(others_of(target)))


@contextmanager
def _mirrored_if_it_fails(target: Target) -> Iterator[None]:
    """Whatever happens, the site knows of it: a failure of its own never hides that of the target."""
    try:
        yield
    except BaseException:
        try:
            mirror(target.alias)
        except ReferentialIntegrityError:
            logger.warning("The runs of %s could not be mirrored", target, exc_info=True)
        raise


def _stored(result: RepairResult, plan: Plan | None = None, actor: str = "") -> RepairResult:
    """Tells the site what was done; nothing of that is undone where it cannot be told."""
    try:
        mirror(result.target)
        if plan is not None and not result.dry_run:
            store.store_kept(plan, actor=actor)
        store.store_repair(result)
    except ReferentialIntegrityError as error:
        raise _not_recorded(result, error) from error
    if not result.dry_run:
        signals.repair_finished.send_robust(models.RepairRun, target=result.target, result=result)
    return result


def _not_recorded(result: RepairResult, error: ReferentialIntegrityError) -> NotRecorded:
    hint = error.hint
    if result.run is not None:
        hint += f" Run {result.run} of {result.target} is {result.state} all the same, as its journal says: "
        hint += f"manage.py integrity_log {result.target} shows it, and records it here."
    found = NotRecorded(error.what, where=error.where, hint=hint.strip())
    found.result = result
    return found
