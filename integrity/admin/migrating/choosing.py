"""From findings about structure to files: what is chosen is shown, and what is shown is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from integrity import models, tasks
from integrity.admin.base import ReadOnlyAdmin, demand
from integrity.admin.migrating import words, writing
from integrity.admin.migrating.choice import Choice, key_of
from integrity.admin.migrating.standing import BOUNDS
from integrity.admin.migrating.words import ShownStatement
from integrity.admin.serving import reverse
from integrity.database.identifiers import TableName
from integrity.database.session import engine_for
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import operations_of
from integrity.operations.fixes import FixKey, FixKind, SchemaFix
from integrity.operations.needed_fixes import with_needed
from integrity.references.reference import written

MENDED = (
    "missing_foreign_key",
    "missing_index",
    "missing_unique",
    "unvalidated_foreign_key",
    "orphaned_rows",
    "duplicate_rows",
    "missing_table",
    "missing_column",
    "column_differs",
    "broken_routine",
    "missing_routine",
    "routine_differs",
    "redundant_index",
)
"""The codes of findings that a change of structure mends, or keeps from coming back."""

_WHOLE = (FixKind.TABLE, FixKind.RECREATION)
_OF_TABLES = ("missing_table", "missing_column", "column_differs")
"""What making a whole table mends, whichever of its columns a finding names."""


@dataclass(frozen=True)
class ShownFix:
    """A schema fix as a page shows it; ``needed_by`` says why it was chosen along with another."""

    fix: SchemaFix
    statements: list[ShownStatement]
    locks: str
    chosen: bool
    needed_by: SchemaFix | None = None
    kept: bool = False

    @property
    def key(self) -> str:
        """What a form posts for it."""
        return key_of(self.fix)

    @property
    def guess(self) -> str:
        """How long it may take."""
        return words.guessed(words.all_of(self.statements))

    @property
    def basis(self) -> str:
        """What that rests on."""
        return words.resting_on(words.all_of(self.statements))


@dataclass(frozen=True)
class ShownPhase:
    """The fixes of a phase."""

    number: int
    fixes: list[ShownFix]

    @property
    def title(self) -> str:
        """What it is called."""
        return words.phase_title(self.number)

    @property
    def meaning(self) -> object:
        """What it does to whoever uses the target."""
        return words.PHASE_MEANINGS.get(self.number, "")


def choose(admin: ReadOnlyAdmin, request: HttpRequest, findings: QuerySet[Any]) -> HttpResponse | None:
    """Leads from findings of one target to what mends them; None, with a message, from others."""
    demand(request, "write_migrations")
    chosen = list(findings.filter(code__in=MENDED).values_list("pk", "target__alias")[:1_000])
    aliases = {alias for _pk, alias in chosen}
    if len(aliases) != 1:
        messages.error(request, _("Choose findings about structure, all of one target."))
        return None
    url = reverse("admin:integrity_schema_fixes", args=[aliases.pop()])
    return HttpResponseRedirect(f"{url}?{urlencode([('finding', pk) for pk, _alias in chosen])}")


def page(admin: ReadOnlyAdmin, request: HttpRequest, alias: str) -> HttpResponse:
    """Shows what a target needs and what a choice becomes; a POST writes just that, or gives it away."""
    demand(request, "write_migrations")
    target = get_object_or_404(models.Target, alias=alias)
    data = request.POST if request.method == "POST" else request.GET
    title = _("Schema fixes of %(target)s") % {"target": target}
    try:
        choice = _choice(target, data)
    except ReferentialIntegrityError as error:
        return admin.page(request, "schema_fixes.html", title, target=target, problem=error)
    if request.method == "POST":
        return writing.take(admin, request, choice)
    findings = _findings(target, data)
    if findings and not any(mends(fix, each) for fix in choice.offered.fixes for each in findings):
        return _nothing_for(request, target, findings)
    if not choice.offered.fixes:
        return admin.page(request, "schema_fixes.html", title, target=target, nothing=True)
    return admin.page(request, "schema_fixes.html", title, target=target, **_context(choice))


def _nothing_for(
    request: HttpRequest, target: models.Target, findings: Sequence[models.Finding]
) -> HttpResponseRedirect:
    """Nothing is left to be written for these findings: it is, or the catalog does not ask for it."""
    if _are_written(target, findings):
        messages.info(request, _("The target's migrations mend these findings already: apply them."))
    else:
        said = _("No change of structure mends these findings: say in the catalog what should hold.")
        messages.warning(request, said)
    return HttpResponseRedirect(reverse("admin:integrity_target_migrations", args=[target.pk]))


def _are_written(target: models.Target, findings: Sequence[models.Finding]) -> bool:
    """Whether a migration is about the same table, and the same columns where it names any."""
    places = {
        (operation.table, frozenset(getattr(operation, "columns", ())))
        for _migration, operation in operations_of(target.alias)
    }
    wanted = [
        (written(TableName(each.schema_name, each.table_name)), frozenset(each.columns)) for each in findings
    ]
    return any((table, found) in places for table, columns in wanted for found in (columns, frozenset()))


def _choice(target: models.Target, data: Any) -> Choice:
    offered = tasks.offered_fixes(target.alias, **BOUNDS)
    keys = _chosen(target, offered, data)
    choice = Choice(
        target, offered, with_needed(keys, [each for each in offered.fixes if not offered.is_kept(each)])
    )
    if choice.fixes:
        try:
            choice.designed = tasks.design(
                target.alias, choice.fixes, dry_run=True, statement_timeout_ms=BOUNDS["statement_timeout_ms"]
            )
            choice.files = choice.designed.files
        except ReferentialIntegrityError as error:
            choice.problem = error
    return choice


def _chosen(target: models.Target, offered: tasks.Offered, data: Any) -> set[FixKey]:
    """What the form says; else what mends the findings; else everything that is needed."""
    free = [fix for fix in offered.fixes if not offered.is_kept(fix)]
    if "fix" in data or "chosen" in data:
        wanted = set(data.getlist("fix"))
        return {fix.key for fix in free if key_of(fix) in wanted}
    if findings := _findings(target, data):
        return {fix.key for fix in free if any(mends(fix, finding) for finding in findings)}
    return {fix.key for fix in free if fix.kind is not FixKind.REDUNDANT}


def _findings(target: models.Target, data: Any) -> list[models.Finding]:
    """The findings that the address names."""
    numbers = [pk for pk in data.getlist("finding") if pk.isdecimal() and len(pk) < 19]
    found = models.Finding.objects.filter(target=target, pk__in=numbers[:1_000])
    fields = ("code", "schema_name", "table_name", "columns", "object", "evidence")
    return list(found.only(*fields)) if numbers else []


def mends(fix: SchemaFix, finding: models.Finding) -> bool:
    """Whether a fix is about what a finding found."""
    same = (finding.schema_name, finding.table_name) == (fix.table.schema, fix.table.name)
    if fix.kind in _WHOLE:
        return same and finding.code in _OF_TABLES
    if fix.kind is FixKind.ROUTINE:
        triggers = [f"Drop trigger {each}" for each in finding.evidence.get("triggers", [])]
        return "routine" in finding.code and (same or fix.describe() in triggers)
    if FixKind.REDUNDANT is fix.kind or finding.code == "redundant_index":
        return same and fix.kind is FixKind.REDUNDANT and finding.object == fix.name
    return same and set(fix.columns) == set(finding.columns)


def _context(choice: Choice) -> dict[str, Any]:
    shown = _shown(choice)
    phases = [
        ShownPhase(phase, list(group)) for phase, group in groupby(shown, key=lambda each: each.fix.phase)
    ]
    chosen = [each for each in shown if each.chosen]
    return {
        "phases": phases,
        "number": len(chosen),
        "choice": choice,
        "files": [writing.shown(file) for file in choice.files],
        "digest": writing.digest(choice.files),
        "chosen": chosen,
        "unacknowledged": choice.designed.unacknowledged if choice.designed else {},
        "refused": writing.why_not(),
        "redundant_unchosen": any(e.fix.kind is FixKind.REDUNDANT for e in shown),
    }


def _shown(choice: Choice) -> list[ShownFix]:
    offered = choice.offered
    engine = engine_for(offered.vendor, choice.target.alias)
    locks = {fix.key: engine.statement_locks(fix.statements(offered.vendor)) for fix in offered.fixes}
    tables = {table for each in locks.values() for lock in each for table in lock.tables}
    pace = tasks.pace_of(choice.target.alias, _bounded(tables))
    return [
        ShownFix(
            fix,
            words.shown_statements(locks[fix.key], pace, fix.operation.kind),
            fix.locks(offered.vendor),
            chosen=fix.key in choice.chosen,
            needed_by=choice.chosen.get(fix.key),
            kept=offered.is_kept(fix),
        )
        for fix in sorted(offered.fixes, key=lambda each: each.phase)
    ]


def _bounded(tables: Collection[Any]) -> list[Any]:
    return sorted(tables)[:1_000]
