"""What each kind of job does."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.translation import gettext as _

from integrity import models, store
from integrity.audit import Progress
from integrity.database.identifiers import parse_path
from integrity.exceptions import Interrupted
from integrity.plans import DuplicateRequest, Request
from integrity.tasks.background.changing import repair, roll_back
from integrity.tasks.background.structure import logged_step as logged_step
from integrity.tasks.background.structure import migrate
from integrity.tasks.background.work import Outcome, Work
from integrity.tasks.deduplicating import plan_deduplication_and_store
from integrity.tasks.reading import audit_and_store, backup_and_store, plan_and_store
from integrity.tasks.verifying import verify_target

MOST_PROBLEMS = 200


def _audit(work: Work) -> Outcome:
    only = [parse_path(text) for text in work.job.arguments.get("only", [])]
    result = audit_and_store(work.alias, only=only, on_progress=_checks(work), actor=work.job.actor)
    work.mirror()
    work.say(_("%(n)s findings.") % {"n": len(result.findings)})
    if gaps := len(result.coverage.skipped) + len(result.coverage.timed_out):
        work.say(_("%(n)s checks could not be made.") % {"n": gaps})
    return models.RunState.FINISHED, {
        "audit_run": result.run,
        "findings": len(result.findings),
        "orphans": sum(each.rows for each in result.with_code(models.ORPHANED_ROWS)),
        "complete": result.coverage.complete,
    }


def _checks(work: Work) -> Callable[[Progress], None]:
    """Progress in checks, between two of which it can be stopped; each is in the log."""
    work.pulse.note(unit="checks")
    said: set[str] = set()

    def moved(progress: Progress) -> None:
        if progress.at and progress.at not in said:
            said.add(progress.at)
            work.say(progress.at)
        work.moved(progress)

    return moved


def _backup(work: Work) -> Outcome:
    work.note(0, None, _("writing the file"))
    backup = backup_and_store(work.alias, actor=work.job.actor)
    return models.RunState.FINISHED, {"backup": backup.pk, "file": backup.file, "size": backup.size}


def _verify(work: Work) -> Outcome:
    wishes = {name: work.job.arguments[name] for name in ("allow_kept",) if name in work.job.arguments}
    result = verify_target(work.alias, on_progress=_checks(work), **wishes)
    problems = [f"{each.message}." for each in result.problems]
    work.say(_("Passed.") if result.ok else _("%(n)s problems.") % {"n": len(problems)})
    return models.RunState.FINISHED, {
        "passed": result.ok,
        "constraints": len(result.constraints),
        "problems": problems[:MOST_PROBLEMS],
        "more_problems": max(0, len(problems) - MOST_PROBLEMS),
        "complete": result.coverage.complete,
    }


def _plan(work: Work) -> Outcome:
    """``requests`` or ``duplicates``, as their classes write them."""
    actor, done = store.asked_for_by(work.job), 0

    def counted(label: str) -> None:
        nonlocal done
        work.note(done, None, label, "references")
        done += 1
        if wished := work.stop():
            raise Interrupted(f"It was {wished}", where=work.alias)

    duplicates = [DuplicateRequest.from_json(each) for each in work.job.arguments.get("duplicates", [])]
    if "duplicates" in work.job.arguments:
        plan = plan_deduplication_and_store(work.alias, duplicates, on_step=counted, actor=actor)
    else:
        requests = [Request.from_json(each) for each in work.job.arguments.get("requests", [])]
        plan = plan_and_store(work.alias, requests, on_step=counted, actor=actor)
    return models.RunState.FINISHED, {"plan": plan.hash, "touched": plan.touched}


KINDS: dict[models.JobKind, Callable[[Work], Outcome]] = {
    models.JobKind.AUDIT: _audit,
    models.JobKind.BACKUP: _backup,
    models.JobKind.VERIFY: _verify,
    models.JobKind.PLAN: _plan,
    models.JobKind.REPAIR: repair,
    models.JobKind.ROLLBACK: roll_back,
    models.JobKind.MIGRATE: migrate,
}
