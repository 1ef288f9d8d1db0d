"""All targets on one page: phase by phase, what each has and what it has not."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from integrity import models, store, tasks
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.migrating import words
from integrity.references.catalog import catalog_file

TARGETS_ON_A_PAGE = 50


@dataclass(frozen=True)
class Line:
    """One target of the matrix."""

    target: models.Target
    stands: tasks.TargetMigrations
    cells: list[tuple[int, tasks.PhaseCount]]


def page(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """Shows every target that has a catalog; those that are down are said to be."""
    if not may(request, "view_target"):
        raise PermissionDenied
    store.know_targets()
    known = {each.alias: each for each in models.Target.objects.all()[:5_000]}
    cared_for = [alias for alias in sorted(known) if catalog_file(alias).parent.is_dir()]
    paginator = Paginator(cared_for, TARGETS_ON_A_PAGE)
    shown = paginator.get_page(request.GET.get("p"))
    found = tasks.migrations_of_all(only=list(shown)) if shown else []
    lines = [Line(known[each.alias], each, sorted(each.phases.items())) for each in found]
    context = {
        "lines": lines,
        "shown": shown,
        "titles": [words.phase_title(phase) for phase in words.PHASES],
        "others": [known[alias] for alias in sorted(known) if alias not in cared_for][:TARGETS_ON_A_PAGE],
        "may_apply": may(request, "apply_migrations"),
    }
    return admin.page(request, "all_migrations.html", _("Migrations"), **context)
