"""What came of a job, and where to go from there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.serving import reverse

PROBLEMS_SHOWN = 20


@dataclass(frozen=True)
class Way:
    """Where to go from here."""

    text: str
    url: str
    best: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a job: a sentence, what it consists of, and where to go next."""

    text: str = ""
    good: bool = True
    lines: tuple[str, ...] = ()
    more: int = 0
    ways: tuple[Way, ...] = ()


def outcome(job: models.Job) -> Outcome:
    """What came of it; nothing while it is under way."""
    if not job.is_over:
        return Outcome()
    return _OUTCOMES[models.JobKind(job.kind)](job)


def _of_nothing(job: models.Job) -> Outcome:
    """Nothing came of it: from the target's page people see what is known."""
    return Outcome(ways=(Way(_("The target"), _target(job)),))


def _audited(job: models.Job) -> Outcome:
    if "findings" not in job.result:
        return _of_nothing(job)
    found, target = int(job.result["findings"]), _of_target(job)
    orphans = int(job.result.get("orphans", 0))
    text = _found(found, orphans)
    if not job.result.get("complete", True):
        text = _("%(found)s Not everything could be looked at.") % {"found": text}
    ways = [Way(_("The target"), _target(job), best=not found)]
    if found:
        every = reverse("admin:integrity_finding_changelist") + target
        ways = [Way(_("Findings"), every, best=not orphans), *ways]
    if orphans:
        ways = [Way(_("Decide about orphans"), _orphans(job), best=True), *ways]
    run = reverse("admin:integrity_auditrun_change", args=[job.result["audit_run"]])
    return Outcome(text, not found, ways=(*ways, Way(_("What was looked at"), run)))


def _found(findings: int, orphans: int) -> str:
    if not findings:
        return _("Nothing wrong was found.")
    text = ngettext("%(n)s finding", "%(n)s findings", findings) % {"n": cells.grouped(findings)}
    if not orphans:
        return _("No orphans; %(findings)s.") % {"findings": text}
    number = ngettext("%(n)s orphan", "%(n)s orphans", orphans) % {"n": cells.grouped(orphans)}
    return _("%(orphans)s; %(findings)s in all.") % {"orphans": number, "findings": text}


def _backed_up(job: models.Job) -> Outcome:
    if "file" not in job.result:
        return _of_nothing(job)
    text = _("The backup is %(file)s.") % {"file": job.result["file"]}
    return Outcome(text, ways=(Way(_("The target"), _target(job), best=True),))


def _verified(job: models.Job) -> Outcome:
    if "passed" not in job.result:
        return _of_nothing(job)
    problems = tuple(job.result.get("problems", ()))
    more = len(problems[PROBLEMS_SHOWN:]) + int(job.result.get("more_problems", 0))
    if job.result["passed"]:
        text = _("Everything that should hold holds, and is enforced.")
    elif job.result.get("complete", True) or problems:
        text = _("Not everything holds, or is enforced.")
    else:
        text = _("Not everything could be looked at.")
    ways = [Way(_("The target"), _target(job), best=not problems)]
    if problems:
        fixes = reverse("admin:integrity_schema_fixes", args=[job.target.alias])
        ways = [Way(_("Fix the structure"), fixes, best=True), *ways]
    return Outcome(text, job.result["passed"], problems[:PROBLEMS_SHOWN], more, tuple(ways))


def _planned(job: models.Job) -> Outcome:
    if "plan" not in job.result:
        return Outcome(ways=(Way(_("Back to the orphans"), _orphans(job), best=True),))
    url = reverse("admin:integrity_orphanfinding_plan", args=[job.target.alias, job.result["plan"]])
    return Outcome(_("The plan is made."), ways=(Way(_("Look at the plan"), url, best=True),))


def _changed(job: models.Job) -> Outcome:
    number = job.result.get("run")
    run = models.RepairRun.objects.filter(target=job.target_id, number=number).first() if number else None
    if run is None:
        return Outcome()
    changed, refused = run.rows_changed, run.rows_refused
    text = ngettext("%(n)s row was changed.", "%(n)s rows were changed.", changed)
    if job.kind == models.JobKind.ROLLBACK:
        text = ngettext("%(n)s row was brought back.", "%(n)s rows were brought back.", changed)
    said = [text % {"n": cells.grouped(changed)}]
    if refused:
        text = ngettext(
            "%(n)s row was refused and left as it was.",
            "%(n)s rows were refused and left as they were.",
            refused,
        )
        said.append(text % {"n": cells.grouped(refused)})
    if run.proof:
        equal = run.proof.get("rows_equal")
        said.append(_("Each is exactly what it was.") if equal else _("Not each is what it was."))
    url = reverse("admin:integrity_repairrun_change", args=[run.pk])
    leads = (
        _("Look at the run") if job.kind == models.JobKind.ROLLBACK else _("Look at the run, or take it back")
    )
    left = Way(_("What is left"), _orphans(job))
    lines = tuple(f"{table}: {_tallied(tally)}" for table, tally in sorted(run.rows.items()))
    shown, more = lines[:PROBLEMS_SHOWN], len(lines[PROBLEMS_SHOWN:])
    return Outcome(" ".join(said), not refused, shown, more, (Way(leads, url, best=True), left))


def _tallied(tally: dict[str, int]) -> str:
    """What became of a table's rows."""
    said = [text % {"n": cells.grouped(tally[name])} for name, text in _TALLIED.items() if tally.get(name)]
    return ", ".join(said) or _("nothing changed")


_TALLIED = {
    "deleted": gettext_lazy("%(n)s deleted"),
    "updated": gettext_lazy("%(n)s updated"),
    "inserted": gettext_lazy("%(n)s inserted"),
    "restored": gettext_lazy("%(n)s restored"),
    "refused": gettext_lazy("%(n)s refused"),
}


def _migrated(job: models.Job) -> Outcome:
    url = reverse("admin:integrity_target_migrations", args=[job.target_id])
    log = job.result.get("log", ())
    lines = tuple(
        _MIGRATED.get(each["result"], _MIGRATED["failed"])
        % {"migration": each["migration"], "seconds": f"{each['duration_s']:.2f}"}
        for each in log
    )
    done = sum(each["result"] != "failed" for each in log)
    text = ngettext("%(n)s migration was done.", "%(n)s migrations were done.", done)
    said = text % {"n": cells.grouped(done)} if log else _("There was nothing to do.")
    failed = job.state == models.RunState.FAILED
    said = "" if failed and not done else said
    ways = [Way(_("Migrations of the target"), url, best=True)]
    if failed:
        ways.append(Way(_("The findings"), reverse("admin:integrity_finding_changelist") + _of_target(job)))
    return Outcome(said, not failed, lines, ways=tuple(ways))


_MIGRATED = {
    "applied": gettext_lazy("%(migration)s was applied in %(seconds)s s."),
    "reversed": gettext_lazy("%(migration)s was reversed in %(seconds)s s."),
    "failed": gettext_lazy("%(migration)s failed after %(seconds)s s."),
}

_OUTCOMES = {
    models.JobKind.AUDIT: _audited,
    models.JobKind.BACKUP: _backed_up,
    models.JobKind.VERIFY: _verified,
    models.JobKind.PLAN: _planned,
    models.JobKind.REPAIR: _changed,
    models.JobKind.ROLLBACK: _changed,
    models.JobKind.MIGRATE: _migrated,
}


def _target(job: models.Job) -> str:
    return reverse("admin:integrity_target_change", args=[job.target_id])


def _orphans(job: models.Job) -> str:
    return reverse("admin:integrity_orphanfinding_changelist") + _of_target(job)


def _of_target(job: models.Job) -> str:
    return f"?target__id__exact={job.target_id}"
