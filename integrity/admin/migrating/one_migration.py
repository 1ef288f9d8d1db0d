"""One migration of a target: what it does, its file, its SQL both ways, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from integrity import models, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.migrating import words
from integrity.admin.migrating.meanings import means
from integrity.admin.migrating.words import ShownStatement
from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.catalog_migrations import catalog_package, migrations_of, phase_of
from integrity.operations.operation import CatalogOperation
from integrity.operations.schema_fix import locks
from integrity.tasks.guessing import Pace

_RUNS_SHOWN = 20
LONGEST_FILE = 200_000


@dataclass(frozen=True)
class ShownOperation:
    """One operation of a migration, both ways."""

    describes: str
    locks: str
    forwards: list[ShownStatement]
    backwards: list[str]


def page(admin: ReadOnlyAdmin, request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Shows a migration without opening its target; one whose file is gone by what is remembered of it."""
    if not may(request, "view_target"):
        raise PermissionDenied
    target = get_object_or_404(models.Target, pk=pk)
    runs = models.MigrationRun.objects.filter(
        target__alias__in=tasks.same_catalog(target.alias), migration=name
    )
    shown = list(runs.select_related("target").defer("sql", "checks")[:_RUNS_SHOWN])
    context = {"target": target, "name": name, "runs": [_run(each) for each in shown]}
    title = _("Migration %(name)s") % {"name": name}
    context["may_apply"] = may(request, "apply_migrations")
    try:
        found = {each.name: each for each in migrations_of(target.alias)}.get(name)
    except ReferentialIntegrityError as error:
        return admin.page(request, "migration.html", title, problem=error, **context)
    if found is None:
        if not shown:
            raise Http404(_("There is no such migration."))
        remembered = [each["operation"] for each in shown[0].operations]
        return admin.page(request, "migration.html", title, gone=True, remembered=remembered, **context)
    ours = [each for each in found.operations if isinstance(each, CatalogOperation)]
    try:
        operations = [_operation(target.alias, each) for each in found.operations]
    except ReferentialIntegrityError as error:
        return admin.page(request, "migration.html", title, problem=error, **context)
    context |= {
        "phase": words.phase_title(phase_of(found)),
        "operations": operations,
        "file": _file(target.alias, name),
        "reversed_means": list(means(ours, backwards=True)),
    }
    return admin.page(request, "migration.html", title, **context)


def _run(run: models.MigrationRun) -> tuple[models.MigrationRun, str, str]:
    return run, cells.badge(run.state, run.get_state_display()), words.took(run.seconds)


def _operation(alias: str, operation: object) -> ShownOperation:
    """What a script would have: a look at the target is not needed for that."""
    if not isinstance(operation, CatalogOperation):
        sql = str(getattr(operation, "sql", ""))
        describe = getattr(operation, "describe", lambda: "")
        statements = Target(alias).engine.statement_locks([sql]) if sql else []
        return ShownOperation(describe(), "", words.shown_statements(statements, Pace(alias)), [])
    engine = Target(alias).engine
    statements = engine.statement_locks(operation.statements(engine.vendor))
    return ShownOperation(
        operation.describe(),
        locks(operation, engine.vendor),
        words.shown_statements(statements, Pace(alias)),
        operation.reverse_statements(engine.vendor),
    )


def _file(alias: str, name: str) -> str:
    path = catalog_package(alias).folder / "migrations" / f"{name}.py"
    try:
        return path.read_text(encoding="utf-8")[:LONGEST_FILE]
    except (OSError, UnicodeDecodeError):
        return ""
