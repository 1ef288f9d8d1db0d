"""The list of everything that audits found, the worst first."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin import cells
from integrity.admin.base import may
from integrity.admin.triage import filters, wording
from integrity.admin.triage.columns import FindingColumns
from integrity.admin.triage.kinds import kind_of
from integrity.admin.triage.lists import FindingList
from integrity.admin.triage.notes import address_of


class LeadingList(FindingList):
    """Findings about orphans have a page of their own."""

    def url_for_result(self, result: Any) -> str:
        """The page on which people decide, or the one of the finding."""
        return address_of(result)


class AllFindings(FindingColumns):
    """Findings of every kind; each page leads to what mends it."""

    listed_as = "integrity_finding_csv"
    list_display = ["what", "severity_badge", "of_target", "rows_now", "moved"]
    list_filter = [
        filters.StateFilter,
        filters.TargetFilter,
        filters.SeverityFilter,
        filters.CodeFilter,
        filters.TrendFilter,
        filters.TableFilter,
    ]
    ordering = ["badness", "-rows", "-id"]
    sortable_by = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """One that leads to where people decide, for those who may see it."""
        return LeadingList if may(request, "view_orphanfinding") else super().get_changelist(request)

    @admin.display(description=_("finding"))
    def what(self, finding: models.Finding) -> str:
        """What is wrong as the audit says it, and of what kind it is."""
        kind = kind_of(finding.code).name
        if finding.code == models.ORPHANED_ROWS:
            return cells.two_lines(wording.what_is_wrong(finding), kind)
        return cells.two_lines(format_html('<span translate="no">{}</span>', finding.message), kind)

    @admin.display(description=_("rows"), ordering="rows")
    def rows_now(self, finding: models.Finding) -> str:
        """How many rows it is about; none where it is about structure."""
        return cells.number(finding.rows or None)
