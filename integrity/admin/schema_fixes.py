"""From findings about structure to migrations: what is written is what was shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from integrity import conf, models, tasks
from integrity.admin.base import ReadOnlyAdmin, demand
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.fixes import FixKind, SchemaFix
from integrity.operations.writer import WrittenFile, write_migrations

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
)
"""The codes of findings that a change of structure mends, or keeps from coming back."""

_WHOLE = (FixKind.TABLE, FixKind.RECREATION)
_OF_TABLES = ("missing_table", "missing_column", "column_differs")
"""What making a whole table mends, whichever of its columns a finding names."""


@dataclass(frozen=True)
class ShownFix:
    """A schema fix as a page shows it."""

    fix: SchemaFix
    sql: list[str]
    locks: str

    @property
    def key(self) -> str:
        """What a form posts for it."""
        return "|".join(self.fix.key)


def show(admin: ReadOnlyAdmin, request: HttpRequest, findings: QuerySet[Any]) -> HttpResponse | None:
    """Shows the schema fixes for findings of one target, by phase, with their SQL and locks."""
    demand(request, "write_migrations")
    chosen = list(findings.filter(code__in=MENDED).select_related("target"))
    aliases = {finding.target.alias for finding in chosen}
    if len(aliases) != 1:
        messages.error(request, _("Choose findings about structure, all of one target."))
        return None
    alias = aliases.pop()
    try:
        fixes, vendor = tasks.fixes_for(alias)
        mine = [each for each in fixes if any(_mends(each, finding) for finding in chosen)]
        files = write_migrations(alias, mine, dry_run=True)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return None
    if not mine:
        messages.info(request, _("The target's migrations mend these findings already: apply them."))
        return HttpResponseRedirect(reverse("admin:integrity_target_migrations", args=[chosen[0].target_id]))
    return _page(admin, request, alias, mine, vendor, files)


def write(admin: ReadOnlyAdmin, request: HttpRequest, alias: str) -> HttpResponse:
    """Writes the fixes that were shown, where the setting permits it, or gives them as a download."""
    demand(request, "write_migrations")
    target = models.Target.objects.filter(alias=alias).first()
    back = HttpResponseRedirect(reverse("admin:integrity_finding_changelist"))
    if request.method != "POST" or target is None:
        return back
    keys = set(request.POST.getlist("fix"))
    try:
        fixes, _vendor = tasks.fixes_for(alias)
        mine = [each for each in fixes if "|".join(each.key) in keys]
        files = write_migrations(alias, mine, dry_run=True)
        if digest(files) != request.POST.get("digest"):
            messages.error(request, _("The target or its catalog changed since this was shown. Look again."))
            return back
        if "download" in request.POST:
            return _download(alias, files)
        if not conf.writes_migrations():
            raise PermissionDenied
        write_migrations(alias, mine)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return back
    names = ", ".join(file.path.name for file in files if file.path.parent.name == "migrations" and file.text)
    admin.log(request, [target], _("Wrote migrations: %(names)s") % {"names": names})
    messages.success(
        request, format_html(_("Written: {}. Look at them, and apply them phase by phase."), names)
    )
    return HttpResponseRedirect(reverse("admin:integrity_target_migrations", args=[target.pk]))


def digest(files: Iterable[WrittenFile]) -> str:
    """What tells whether what would be written is what was shown."""
    return hashlib.sha256("\x1f".join(f"{each.path}\x1f{each.text}" for each in files).encode()).hexdigest()


def _page(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    alias: str,
    fixes: Sequence[SchemaFix],
    vendor: str,
    files: Sequence[WrittenFile],
) -> HttpResponse:
    shown = [ShownFix(each, each.statements(vendor), each.locks(vendor)) for each in fixes]
    phases = [(phase, list(group)) for phase, group in groupby(shown, key=lambda each: each.fix.phase)]
    title = _("Schema fixes of %(target)s") % {"target": alias}
    context = {
        "alias": alias,
        "phases": phases,
        "files": [file for file in files if file.text],
        "digest": digest(files),
        "may_write": conf.writes_migrations(),
    }
    return admin.page(request, "schema_fixes.html", title, **context)


def _mends(fix: SchemaFix, finding: models.Finding) -> bool:
    same = (finding.schema_name, finding.table_name) == (fix.table.schema, fix.table.name)
    if fix.kind in _WHOLE:
        return same and finding.code in _OF_TABLES
    if fix.kind is FixKind.ROUTINE:
        triggers = [f"Drop trigger {each}" for each in finding.evidence.get("triggers", [])]
        return "routine" in finding.code and (same or fix.describe() in triggers)
    return same and set(fix.columns) == set(finding.columns)


def _download(alias: str, files: Sequence[WrittenFile]) -> HttpResponse:
    """All files in one text, each under its path within the catalog."""
    root = conf.catalog_root()
    parts = [f"# {_relative(file, root)}\n\n{file.text}" for file in files if file.text]
    response = HttpResponse("\n\n".join(parts), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{alias}_schema_fixes.txt"'
    return response


def _relative(file: WrittenFile, root: Any) -> str:
    return str(file.path.relative_to(root)) if file.path.is_relative_to(root) else file.path.name
