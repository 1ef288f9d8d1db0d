"""Everything that audits found, and what of it schema fixes mend."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, link, may
from integrity.admin.deciding import DeduplicatingPages
from integrity.admin.migrating import choose


class FindingColumns(ReadOnlyAdmin):
    """What lists and pages of findings have in common."""

    list_select_related = ["target", "last_seen_run"]
    search_fields = ["label", "referenced_table", "message", "object"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """One query for the page."""
        return super().get_queryset(request).select_related("target", "first_seen_run", "last_seen_run")

    @admin.display(description=_("severity"), ordering="badness")
    def severity_badge(self, finding: models.Finding) -> str:
        """How bad it is."""
        return cells.badge(finding.severity, finding.get_severity_display())

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, finding: models.Finding) -> str:
        """What became of it."""
        return cells.badge(finding.state, finding.get_state_display())

    @admin.display(description=_("reference"), ordering="label")
    def reference(self, finding: models.Finding) -> str:
        """The referencing columns, as commands name them."""
        return cells.code(finding.label)

    @admin.display(description=_("reference"), ordering="label")
    def both_sides(self, finding: models.Finding) -> str:
        """What refers, and to what."""
        return cells.two_lines(self.reference(finding), format_html("→ {}", self.parent(finding)))

    @admin.display(description=_("refers to"), ordering="referenced_table")
    def parent(self, finding: models.Finding) -> str:
        """The referenced columns."""
        columns = ",".join(finding.referenced_columns)
        return cells.code(f"{finding.referenced_table}.{columns}" if columns else finding.referenced_table)

    @admin.display(description=_("rows"), ordering="rows")
    def rows_now(self, finding: models.Finding) -> str:
        """How many rows it is about."""
        return cells.number(finding.rows)

    @admin.display(description=_("missing keys"), ordering="missing_keys")
    def keys_missing(self, finding: models.Finding) -> str:
        """How many referenced values do not exist."""
        return cells.number(finding.missing_keys)

    @admin.display(description=_("trend"))
    def trend(self, finding: models.Finding) -> str:
        """How its number of rows moved since the look before."""
        return cells.trend(finding.rows, finding.previous_rows)

    @admin.display(description=_("first seen"))
    def first_seen(self, finding: models.Finding) -> str:
        """The audit that found it first."""
        return link(finding.first_seen_run)

    @admin.display(description=_("last seen"))
    def last_seen(self, finding: models.Finding) -> str:
        """The audit that found it last."""
        return link(finding.last_seen_run)


@admin.register(models.Finding)
class FindingAdmin(DeduplicatingPages, FindingColumns):
    """Every finding; those about structure lead to schema fixes."""

    list_display = ["message", "severity_badge", "state_badge", "target", "rows_now", "trend"]
    list_filter = ["state", "severity", "target", "code", "source"]
    ordering = ["badness", "-rows", "-id"]
    actions = ["schema_fixes"]
    permissions_of_actions = {"schema_fixes": "write_migrations"}
    fieldsets = [
        (None, {"fields": ["message", "suggestion", "severity_badge", "state_badge", "target"]}),
        (_("Where"), {"fields": ["reference", "parent", "object", "source", "code"]}),
        (_("How many"), {"fields": ["rows_now", "keys_missing", "trend"]}),
        (_("When"), {"fields": ["first_seen", "last_seen", "opened_at", "resolved_at", "fingerprint"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Duplicates with their values, for whoever may see rows of a target."""
        found = list(super().get_fieldsets(request, obj))
        duplicates = obj is not None and obj.code == "duplicate_rows" and obj.evidence.get("samples")
        if duplicates and may(request, "view_sample_rows"):
            found.insert(2, (_("Values that occur more than once"), {"fields": ["repeated"]}))
        return found

    @admin.display(description=_("values"))
    def repeated(self, finding: models.Finding) -> str:
        """The commonest values, each with its number of rows and the keys of the first of them."""
        key = ", ".join(finding.evidence.get("key", []))
        return cells.facts([(_value(each), _rows(each, key)) for each in finding.evidence["samples"]])

    @admin.action(description=_("Schema fixes for the selected findings…"))
    def schema_fixes(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Shows the changes of structure that mend the selected findings."""
        return choose(self, request, queryset)


def _value(sample: dict[str, Any]) -> str:
    return ", ".join("NULL" if part is None else str(part) for part in sample["value"])


def _rows(sample: dict[str, Any], key: str) -> str:
    keys = "; ".join(", ".join(map(str, each)) for each in sample["keys"])
    more = " …" if len(sample["keys"]) < sample["rows"] else ""
    rows = _("%(count)s rows") % {"count": cells.grouped(sample["rows"])}
    return f"{rows}, {key} {keys}{more}" if keys else str(rows)
