"""Repairs and rollbacks as jobs: begun once, and gone on with where they stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from integrity import models, store
from integrity.database.session import Target
from integrity.exceptions import PlanMismatch
from integrity.plans import Plan, Tally
from integrity.repairs import RepairResult, RollbackResult, RunRecord, Selection, State, list_runs
from integrity.tasks.background.structure import steps_of
from integrity.tasks.background.work import Outcome, Work
from integrity.tasks.repairing import repair_and_store, resume_and_store, roll_back_and_store
from integrity.tasks.reversing import (
    Reversal,
    reverse_since,
    roll_back_unvalidated,
    roll_back_with_migrations,
)

CLOCKS_DIFFER = timedelta(seconds=1)
"""The journal writes thousandths of seconds."""


def repair(work: Work) -> Outcome:
    """``plan``: a stored plan's hash, ``kind``; or ``resume``: the number of a run that was stopped."""
    arguments, plan = work.job.arguments, _plan_of(work)
    begun = _begun_before(work, plan)
    if begun is not None and begun.state is State.FINISHED:
        work.mirror()
        done = RepairResult(work.alias, begun.kind, begun.plan_hash, begun.state, begun.number)
        return _looked_again(work, done, plan)
    number = begun.number if begun is not None else arguments.get("resume")
    if number is not None:
        gone_on = resume_and_store(work.alias, number, options=work.options(approved=True))
        return _looked_again(work, gone_on, plan)
    if plan is None:
        plan = store.load_plan(work.alias, arguments["plan"])
    options, kind = work.options(approved=True), arguments.get("kind", "cleanup")
    return _looked_again(work, repair_and_store(work.alias, plan, kind=kind, options=options), plan)


def roll_back(work: Work) -> Outcome:
    """``how``: empty for the rows alone, ``unvalidate``, or ``with_migrations``; ``selection``: some rows."""
    run, how = work.job.arguments["run"], work.job.arguments.get("how")
    wishes: dict[str, Any] = {"options": work.options()}
    if chosen := work.job.arguments.get("selection"):
        wishes["selection"] = Selection.from_json(chosen)
    done = _rolled_back_before(work, run)
    if done is not None:
        work.mirror()
        migrations = reverse_since(work.alias, run, actor=work.job.actor) if how == "with_migrations" else ()
        brought = RollbackResult(work.alias, done.kind, done.plan_hash, done.state, done.number, of=run)
        reversal = Reversal(brought, migrations)
    elif how == "with_migrations":
        reversal = roll_back_with_migrations(work.alias, run, on_step=steps_of(work), **wishes)
    elif how == "unvalidate":
        reversal = roll_back_unvalidated(work.alias, run, **wishes)
    else:
        reversal = Reversal(roll_back_and_store(work.alias, run, **wishes))
    state, result = _looked_again(work, reversal.result)
    return state, result | {"migrations": list(reversal.migrations), "of": run}


def _plan_of(work: Work) -> Plan | None:
    """The plan of a repair, None where it is not stored any more: its run's journal has it as well."""
    try:
        return store.load_plan(work.alias, work.job.arguments.get("plan", ""))
    except PlanMismatch:
        return None


def _begun_before(work: Work, plan: Plan | None) -> RunRecord | None:
    """The run that this job began before: the one that it noted, or, where its process was killed before it
    could, the one of its plan that nobody else began since."""
    if not work.again:
        return None
    records = [each for each in list_runs(Target(work.alias)) if each.kind != models.RunKind.ROLLBACK]
    if noted := work.result.get("run"):
        return next((each for each in records if each.number == noted), None)
    mine = [
        each for each in records if plan is not None and each.plan_hash == plan.hash and _since(work, each)
    ]
    return next((each for each in mine if not store.is_run_of_another(work.job, each.number)), None)


def _rolled_back_before(work: Work, run: int) -> RunRecord | None:
    """The rollback that this job came to the end of before its process was killed."""
    if not work.again:
        return None
    mine = [each for each in list_runs(Target(work.alias)) if each.of == run and _since(work, each)]
    return next((each for each in mine if each.state is State.FINISHED), None)


def _since(work: Work, record: RunRecord) -> bool:
    """Whether a run was begun since the job was."""
    began = work.job.started_at
    return began is not None and datetime.fromisoformat(record.started_at) >= began - CLOCKS_DIFFER


def _looked_again(work: Work, result: RepairResult, plan: Plan | None = None) -> Outcome:
    """The findings that a repair was about are counted again, so that people see what it changed."""
    state = models.RunState(str(result.state))
    for table, tally in sorted(result.rows.items()):
        work.say(f"{table}: {_tallied(tally)}")
    if state != models.RunState.PAUSED:
        labels = {step.label for step in plan.orphan_steps} if plan else set()
        work.count_again(sorted(labels))
    refused = result.refused
    return state, {"run": result.run, "refused": refused}


def _tallied(tally: Tally) -> str:
    words = {
        "deleted": _("%(n)s deleted"),
        "updated": _("%(n)s updated"),
        "inserted": _("%(n)s inserted"),
        "restored": _("%(n)s restored"),
        "refused": _("%(n)s refused"),
    }
    said = [text % {"n": f"{getattr(tally, name):,}"} for name, text in words.items() if getattr(tally, name)]
    return ", ".join(said) or _("nothing changed")
