"""What to do next for a target: one sentence, and one button for who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin.cells import grouped
from integrity.admin.overview import addresses, states
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import migrations_of, phase_of
from integrity.store.standings import Standing

OLD = timedelta(days=7)
"""An audit that is older says little about today."""


@dataclass(frozen=True)
class Step:
    """What to do next: a sentence, and a button.

    It leads somewhere or, where it ``posts``, starts something; ``permission`` is what it needs, and
    ``otherwise`` is for who lacks it.
    """

    sentence: str
    label: str = ""
    url: str = ""
    permission: str = ""
    posts: bool = False
    otherwise: Step | None = None

    def for_whom(self, may: Callable[[str], bool]) -> Step:
        """The step as it is for somebody: the button that they may press, or none."""
        if may(self.permission):
            return self
        return self.otherwise.for_whom(may) if self.otherwise else replace(self, label="")


def next_step(standing: Standing) -> Step:
    """Returns the one thing to do next."""
    for look in _LOOKS:
        if step := look(standing):
            return step
    return next(_calm(standing))


def _gone(standing: Standing) -> Step | None:
    if states.is_configured(standing.target):
        return None
    return Step(_("It is not in DATABASES any more. What is remembered of it stays here."))


def _unreachable(standing: Standing) -> Step | None:
    if standing.target.reachable is not False or standing.job:
        return None
    text = _("It could not be opened. Start it or correct its entry in DATABASES, then look again.")
    return _audit(standing, text, _("Audit again"))


def _under_way(standing: Standing) -> Step | None:
    if standing.job:
        job = standing.job
        what = {
            models.JobKind.AUDIT: _("An audit is under way."),
            models.JobKind.BACKUP: _("A backup is being taken."),
            models.JobKind.REPAIR: _("A repair is under way."),
            models.JobKind.ROLLBACK: _("A repair is being rolled back."),
            models.JobKind.MIGRATE: _("Migrations are under way."),
            models.JobKind.PLAN: _("A plan is being made."),
            models.JobKind.VERIFY: _("A verification is under way."),
        }
        sentence = (
            _("It is paused.") if job.state == models.RunState.PAUSED else what[models.JobKind(job.kind)]
        )
        return Step(sentence, _("Watch it"), addresses.page("job", job.pk), "view_job")
    return Step(_("An audit is under way.")) if standing.auditing else None


def _stopped(standing: Standing) -> Step | None:
    if standing.run is None:
        return None
    run = standing.run
    going = run.state == models.RunState.RUNNING
    text = (
        _("Run %(n)s is under way.") if going else _("Run %(n)s stopped in the middle. Nothing is half done.")
    )
    return Step(
        text % {"n": run.number}, _("See the run"), addresses.page("repairrun", run.pk), "view_repairrun"
    )


def _never(standing: Standing) -> Step | None:
    if standing.last_run is None:
        return _audit(standing, _("Nobody has looked at it yet."), _("Audit now"))
    if standing.last_run.state == models.RunState.FAILED:
        return _audit(standing, _("The last audit failed."), _("Audit again"))
    return None


def _failed(standing: Standing) -> Step | None:
    if not standing.failed:
        return None
    text = _("Migration %(name)s failed.") % {"name": standing.failed}
    return Step(text, _("See why"), addresses.migrations(standing.target), "view_target")


def _changed(standing: Standing) -> Step | None:
    """What is known is older than the target: whoever may not look goes on with what is known."""
    if not standing.changed:
        return None
    step = _audit(standing, _("It was changed since the last audit."), _("Audit again"))
    known = _approval(standing) or _decide(standing) or _apply(standing)
    return replace(step, otherwise=known)


def _approval(standing: Standing) -> Step | None:
    if not standing.asked:
        return None
    url = addresses.plan(standing.target, standing.asked)
    return Step(_("A plan waits for somebody's approval."), _("See the plan"), url, "view_orphanfinding")


def _decide(standing: Standing) -> Step | None:
    target = standing.target
    if target.undecided:
        text = ngettext(
            "%(n)s finding waits for a decision.", "%(n)s findings wait for a decision.", target.undecided
        )
        url = addresses.orphans(target, decision="none")
        return Step(text % {"n": grouped(target.undecided)}, _("Decide…"), url, "view_orphanfinding")
    if target.decided:
        text = ngettext(
            "What was decided about %(n)s finding is not carried out.",
            "What was decided about %(n)s findings is not carried out.",
            target.decided,
        )
        url = addresses.start(target, "plan")
        return Step(text % {"n": grouped(target.decided)}, _("See the plan"), url, "run_repair", posts=True)
    return None


def _apply(standing: Standing) -> Step | None:
    phases = _pending_phases(standing)
    if not phases:
        return None
    phase = min(phases)
    number = phases.count(phase)
    text = ngettext(
        "%(n)s migration of phase %(phase)s is written, but not applied.",
        "%(n)s migrations of phase %(phase)s are written, but not applied.",
        number,
    )
    url = f"{addresses.migrations(standing.target)}?phase={phase}"
    label = _("Apply phase %(phase)s…") % {"phase": phase}
    return Step(text % {"n": number, "phase": phase}, label, url, "apply_migrations")


def _pending_phases(standing: Standing) -> list[int]:
    """The phase of each migration that is not applied; none where a file cannot be read, as its page says."""
    if not standing.pending:
        return []
    try:
        written = migrations_of(standing.target.alias)
    except ReferentialIntegrityError:
        return []
    return [phase_of(each) for each in written if each.name in standing.pending]


_LOOKS: tuple[Callable[[Standing], Step | None], ...] = (
    _gone, _unreachable, _under_way, _stopped, _never, _failed, _changed, _approval, _decide, _apply,
)  # fmt: skip
"""From what cannot wait to what can; the first that has something to say says it."""


def _calm(standing: Standing) -> Iterator[Step]:
    """When no orphan waits and nothing is under way."""
    target, last = standing.target, standing.last_whole
    others = target.errors_open + target.warnings_open
    if last is not None and not last.complete:
        text = _("Not everything could be looked at.")
        yield Step(text, _("See what is missing"), addresses.page("auditrun", last.pk), "view_auditrun")
    if others:
        look = Step(_open(others, standing), _("Look closer"), addresses.findings(target), "view_finding")
        if standing.mendable:
            url = addresses.schema_fixes(target)
            label = _("Choose schema fixes…")
            yield Step(look.sentence, label, url, "write_migrations", otherwise=look)
        yield look
    if last is not None and last.finished_at and now() - last.finished_at > OLD:
        yield _audit(standing, _("All was well, but that is a while ago."), _("Audit again"))
    url = addresses.start(target, "verify")
    yield Step(_("Nothing to do: all that is known holds."), _("Verify"), url, "audit_target", posts=True)


def _open(number: int, standing: Standing) -> str:
    if standing.mendable:
        text = ngettext(
            "%(n)s finding is open: a missing constraint, index or the like.",
            "%(n)s findings are open: missing constraints, indexes and the like.",
            number,
        )
    else:
        text = ngettext("%(n)s finding is open.", "%(n)s findings are open.", number)
    return text % {"n": grouped(number)}


def _audit(standing: Standing, sentence: str, label: str) -> Step:
    return Step(sentence, label, addresses.start(standing.target, "audit"), "audit_target", posts=True)
