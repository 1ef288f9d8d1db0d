"""The triage list of orphans, and the page of each: one line a reference, however many rows break it."""

from __future__ import annotations

from django.urls import URLPattern, path

from integrity.admin.triage import filters
from integrity.admin.triage.columns import FindingColumns


class OrphanTriage(FindingColumns):
    """What is to become of orphans: the largest first, those that are open unless others are asked for."""

    listed_as = "integrity_orphanfinding_csv"
    list_display = [
        "both_sides",
        "of_target",
        "rows_and_keys",
        "moved",
        "probable_cause",
        "decision_or_suggestion",
    ]
    list_filter = [
        filters.StateFilter,
        filters.TargetFilter,
        filters.DecisionFilter,
        filters.CauseFilter,
        filters.TrendFilter,
        filters.SizeFilter,
        filters.SeverityFilter,
        filters.TableFilter,
    ]
    ordering = ["-rows", "-id"]

    def get_urls(self) -> list[URLPattern]:
        """Adds the notes."""
        note = self.admin_site.admin_view(self.note_view)
        return [path("<int:pk>/note/", note, name="integrity_orphanfinding_note"), *super().get_urls()]
