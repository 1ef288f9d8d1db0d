"""What applying or reversing would do, looked at whole; and doing just that in the background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from integrity import models, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, may, person
from integrity.admin.migrating import words
from integrity.admin.migrating.blocking import obstacles
from integrity.admin.migrating.meanings import looked_at_after, means, spoils_saving
from integrity.admin.migrating.words import ShownStatement
from integrity.admin.overview import addresses
from integrity.admin.serving import reverse
from integrity.admin.without_values import checked
from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import migrations_of
from integrity.operations.check import Verdict
from integrity.operations.executor import StepEvent
from integrity.operations.operation import CatalogOperation
from integrity.operations.runner import MigrateResult
from integrity.operations.schema_fix import locks as locks_of
from integrity.tasks.probing import looks
from integrity.tasks.window import read_window

LOOKING_SECONDS = 3.0
"""So long it is looked at most for what stands in the way, while somebody waits for the page."""
_WORST_FIRST = (Verdict.FAILED, Verdict.NOTED, Verdict.SKIPPED, Verdict.PASSED)


@dataclass(frozen=True)
class ShownStep:
    """One migration that would be applied or reversed."""

    step: StepEvent
    does: list[str]
    locks: list[str]
    means: list[str]
    statements: list[ShownStatement]
    guess: tasks.Guess
    checks: list[dict[str, Any]]
    spoils_saving: bool = False

    @property
    def takes(self) -> str:
        """How long it may take."""
        return words.guessed(self.guess)

    @property
    def known(self) -> bool:
        """Whether that is more than nothing."""
        return self.guess.basis is not tasks.Basis.UNKNOWN

    @property
    def basis(self) -> str:
        """What that rests on."""
        return words.resting_on(self.guess)

    @property
    def phase_title(self) -> str:
        """What its phase is called."""
        return words.phase_title(self.step.phase)

    @property
    def sql(self) -> str:
        """Its SQL, as a script has it."""
        return "\n".join(self.step.statements)

    @property
    def blocked(self) -> bool:
        """Whether it would not begin, as things are now."""
        return any(each["verdict"] == "failed" for each in self.checks)

    @property
    def passed(self) -> int:
        """How many looks found nothing in the way."""
        return sum(each["verdict"] == "passed" for each in self.checks)

    @property
    def noted(self) -> int:
        """How many found something that is not in the way, but good to know."""
        return sum(each["verdict"] == "noted" for each in self.checks)

    @property
    def orphans_stand(self) -> bool:
        """Whether orphans were seen that stay as they are."""
        return any(each["what"] == "orphans" and each["verdict"] == "noted" for each in self.checks)


def preview(
    admin: ReadOnlyAdmin, request: HttpRequest, target: models.Target, wanted: dict[str, Any]
) -> HttpResponse:
    """Shows the steps with all that they mean; a POST with just these steps asks for them."""
    here = HttpResponseRedirect(reverse("admin:integrity_target_migrations", args=[target.pk]))
    looked = looks.look([target.alias])[target.alias]
    if looked is None or not looked.reachable:
        messages.error(request, _("%(target)s does not answer. Nothing was done.") % {"target": target})
        return here
    posted = request.method == "POST"
    try:
        planned = tasks.plan_of_migrations(target.alias, **wanted, checks=not posted, seconds=LOOKING_SECONDS)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return here
    if not planned.steps:
        messages.info(request, _("There is nothing to do."))
        return here
    if posted:
        return _ask(admin, request, target, wanted, planned)
    title = _("Migrate %(target)s") % {"target": target}
    return admin.page(request, "migrate.html", title, **_context(request, target, wanted, planned))


def wanted_of(request: HttpRequest) -> dict[str, Any]:
    """Where to go: up to a phase, or to a migration; nowhere named: to the end."""
    data = request.POST if request.method == "POST" else request.GET
    if data.get("phase", "").isdecimal():
        return {"phase": int(data["phase"][:3])}
    return {"to": data["to"]} if data.get("to") else {}


def said(planned: MigrateResult) -> str:
    """The steps in a line, by which what is done is held against what was shown."""
    return ", ".join(f"{'-' if step.backwards else '+'}{step.name}" for step in planned.steps)


def _ask(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    target: models.Target,
    wanted: dict[str, Any],
    planned: MigrateResult,
) -> HttpResponse:
    here = reverse("admin:integrity_target_migrations", args=[target.pk])
    if request.POST.get("digest") != planned.digest:
        messages.error(request, _("The target changed since this was shown. Look again."))
        return HttpResponseRedirect(here)
    try:
        hours = _window(request)
    except ValueError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(here)
    try:
        _planned, job = tasks.ask_for_migrations(
            target.alias,
            **wanted,
            planned=planned,
            window=hours,
            accept_changes="accept_changes" in request.POST,
            actor=person(request),
        )
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(here)
    assert job is not None
    admin.log(request, [target], _("Asked for migrations: %(steps)s") % {"steps": said(planned)})
    return admin.started(request, job)


def _window(request: HttpRequest) -> str:
    """The hours that were asked for; both or none.

    Raises:
        ValueError: with what to write instead.
    """
    start, end = (request.POST.get(name, "").strip() for name in ("from", "until"))
    if not (start or end):
        return ""
    return str(read_window(f"{start[:5]}-{end[:5]}"))


def _context(
    request: HttpRequest, target: models.Target, wanted: dict[str, Any], planned: MigrateResult
) -> dict[str, Any]:
    steps = _steps(request, target, planned)
    checks = [check for each in steps for check in each.checks]
    whole = tasks.together(each.guess for each in steps)
    backwards = all(each.step.backwards for each in steps)
    return {
        "target": target,
        "planned": planned,
        "steps": steps,
        "said": said(planned),
        "backwards": backwards,
        "fields": wanted or {"run": "all"},
        "obstacles": obstacles(request, target, checks),
        "blocked": next((each for each in steps if each.blocked), None),
        "first_blocked": steps[0].blocked,
        "takes": words.guessed(whole) if whole.basis is not tasks.Basis.UNKNOWN else "",
        "unsaved_orphans": _unsaved_orphans(request, target, steps),
        "locked": [check for check in checks if check["what"] == "locks" and check["verdict"] == "failed"],
        "after": looked_at_after(target.alias, [each.step.name for each in steps]) if not backwards else [],
        "last_backup": models.Backup.objects.filter(target=target).first(),
        "may_audit": request.user.has_perm("integrity.audit_target"),
    }


def _unsaved_orphans(request: HttpRequest, target: models.Target, steps: list[ShownStep]) -> str:
    """Where to decide about orphans that could no longer be saved whole; empty where there are none."""
    if not any(each.spoils_saving and each.orphans_stand for each in steps):
        return ""
    if may(request, "view_orphanfinding"):
        return addresses.orphans(target)
    return addresses.page("target", target.pk)


def _steps(request: HttpRequest, target: models.Target, planned: MigrateResult) -> list[ShownStep]:
    engine = Target(target.alias).engine
    own = {each.name: each for each in migrations_of(target.alias)}
    locks = [engine.statement_locks(step.statements) for step in planned.steps]
    tables = sorted({table for each in locks for lock in each for table in lock.tables})
    pace = tasks.pace_of(target.alias, tables[:1_000])
    names = [step.name for step in planned.steps]
    backwards = planned.steps[0].backwards
    direction = models.Direction.BACKWARD if backwards else models.Direction.FORWARD
    elsewhere = tasks.took_elsewhere(target.alias, names, str(direction))
    return [
        _step(
            request, step, own.get(step.name), words.shown_statements(found, pace), elsewhere, engine.vendor
        )
        for step, found in zip(planned.steps, locks, strict=True)
    ]


def _step(
    request: HttpRequest,
    step: StepEvent,
    migration: Any,
    statements: list[ShownStatement],
    elsewhere: Mapping[str, tasks.Guess],
    vendor: str,
) -> ShownStep:
    operations = list(migration.operations) if migration is not None else []
    ours = [each for each in operations if isinstance(each, CatalogOperation)]
    return ShownStep(
        step,
        [each.describe() for each in operations],
        list(dict.fromkeys(locks_of(each, vendor) for each in ours)),
        [str(each) for each in means(ours, backwards=step.backwards, vendor=vendor)],
        statements,
        elsewhere.get(step.name) or words.all_of(statements),
        [
            checked(request, each.as_json()) | {"badge": _badge(str(each.verdict))}
            for each in sorted(step.checks, key=lambda check: _WORST_FIRST.index(check.verdict))
        ],
        spoils_saving=not step.backwards and spoils_saving(ours, vendor),
    )


def _badge(verdict: str) -> str:
    return cells.badge(verdict, words.verdict(verdict))
