"""Migrations as jobs, with a log of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.exceptions import Interrupted
from integrity.operations.check import Verdict
from integrity.operations.executor import OnStep, StepEvent, StepState
from integrity.operations.timing import OnOperation, OperationEvent
from integrity.tasks.background.work import Outcome, Work
from integrity.tasks.migrating import longest_of, migrate_and_store
from integrity.tasks.window import read_window

_WISHES = ("to", "phase", "approved", "accept_changes")
_ENDED = (StepState.APPLIED, StepState.REVERSED, StepState.FAILED)
_ENDS = {
    StepState.APPLIED: gettext_lazy("%(migration)s was applied in %(seconds)s s."),
    StepState.REVERSED: gettext_lazy("%(migration)s was reversed in %(seconds)s s."),
    StepState.FAILED: gettext_lazy("%(migration)s failed after %(seconds)s s."),
}


def migrate(work: Work) -> Outcome:
    """``to``, ``phase``, ``approved``, ``accept_changes``: as
    :func:`~integrity.tasks.migrating.migrate_and_store` takes them; ``window``: the hours in which migrations
    may begin."""
    log = work.result.setdefault("log", [])
    said = steps_of(work, live=True)

    def told(step: StepEvent) -> None:
        if step.state in _ENDED:
            log.append(logged_step(step))
        said(step)

    wanted = {name: work.job.arguments[name] for name in _WISHES if name in work.job.arguments}
    result = migrate_and_store(
        work.alias,
        **wanted,
        on_step=told,
        admit=_admitting(work),
        actor=work.job.actor,
        on_operation=_operations_of(work),
    )
    if log:
        work.note(len(log), len(log), log[-1]["migration"], "migrations")
    work.count_again()
    return models.RunState.FINISHED, {"migrations": [step.name for step in result.steps]}


def steps_of(work: Work, *, live: bool = False) -> OnStep:
    """Returns what notes each migration of a job, and what came of it; ``live`` where each of its operations
    is noted while it goes on."""

    def told(step: StepEvent) -> None:
        ended = step.state in _ENDED
        work.note(step.number - (not ended), step.total, step.name, "migrations")
        for line in _lines(step, live=live) if ended else [_begun(step)]:
            work.say(line)

    return told


def _operations_of(work: Work) -> OnOperation:
    """Returns what notes each operation of a migration when it begins and when it ended."""

    def told(operation: str, event: OperationEvent | None) -> None:
        if event is None:
            work.say(_("%(what)s …") % {"what": operation})
        else:
            seconds = f"{event.seconds:.2f}"
            failed = _("%(what)s: failed after %(seconds)s s")
            done = _("%(what)s: %(seconds)s s")
            work.say((failed if event.error else done) % {"what": operation, "seconds": seconds})

    return told


def _begun(step: StepEvent) -> str:
    text = (
        _("%(migration)s, phase %(phase)s: reversing.")
        if step.backwards
        else _("%(migration)s, phase %(phase)s: applying.")
    )
    return text % {"migration": step.name, "phase": step.phase}


def _lines(step: StepEvent, *, live: bool) -> list[str]:
    """What a migration came to: its operations with their times, its checks that did not just pass, and the
    end. What a check found is with the migration's run: it may name rows."""
    seconds, operations = _("%(what)s: %(seconds)s s"), () if live else step.operations
    said = [seconds % {"what": each.operation, "seconds": f"{each.seconds:.2f}"} for each in operations]
    passed = sum(each.verdict is Verdict.PASSED for each in step.checks)
    if step.checks:
        said.append(_("%(passed)s of %(all)s checks passed.") % {"passed": passed, "all": len(step.checks)})
    other = [each for each in step.checks if each.verdict is not Verdict.PASSED]
    said += [f"{each.moment} {each.what} {each.subject}: {each.verdict}" for each in other]
    return [*said, _ENDS[step.state] % {"migration": step.name, "seconds": f"{step.seconds:.2f}"}]


def _admitting(work: Work) -> Callable[[StepEvent], None]:
    """Between two migrations a job can be stopped: what was done stands, and is taken up from there. Nor is
    one begun outside of the hours that were asked for."""
    text = work.job.arguments.get("window", "")
    hours = read_window(text) if text else None
    longest = longest_of(work.alias) if hours else {}

    def admit(step: StepEvent) -> None:
        if hours:
            hours.admit(step, work.alias, longest)
        if wished := work.stop():
            raise Interrupted(f"It was {wished}", where=work.alias, hint=f"{step.name} was not begun.")

    return admit


def logged_step(step: StepEvent) -> dict[str, Any]:
    """Returns one migration as the log of a job shows it."""
    return {
        "migration": step.name,
        "phase": step.phase,
        "direction": "backward" if step.backwards else "forward",
        "result": str(step.state),
        "duration_s": round(step.seconds, 3),
        "error": step.error,
    }
