"""The triage list: what is to become of the orphans."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models
from integrity.admin import cells, deciding
from integrity.admin.base import TabularInline, may
from integrity.admin.filters import DecisionFilter, SizeFilter, TrendFilter
from integrity.admin.findings import FindingColumns
from integrity.admin.rows import RowPages


class ResolutionInline(TabularInline):
    """The decisions that were made, the latest first."""

    model = models.Resolution
    extra = 0
    can_delete = False
    fields = ["decided_at", "decision", "to_key", "reason", "until", "decided_by"]
    readonly_fields = ["decided_at", "decision", "to_key", "reason", "until", "decided_by"]
    verbose_name_plural = gettext_lazy("decisions")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions are made on pages that show what follows from them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Decisions are never rewritten."""
        return False


@admin.register(models.OrphanFinding)
class OrphanFindingAdmin(RowPages, deciding.DecidingPages, FindingColumns):
    """One line a reference, however many rows break it."""

    list_display = ["both_sides", "rows_and_keys", "trend", "state_and_decision", "target"]
    list_filter = [
        "state",
        "target",
        DecisionFilter,
        SizeFilter,
        TrendFilter,
        "severity",
        "source",
        "table_name",
    ]
    ordering = ["-rows", "-id"]
    actions = deciding.ACTIONS
    permissions_of_actions = deciding.PERMISSIONS_OF_ACTIONS
    inlines = [ResolutionInline]
    change_form_template = "admin/integrity/orphan_finding.html"
    fieldsets = [
        (None, {"fields": ["state_badge", "severity_badge", "target", "suggested", "suggestion"]}),
        (gettext_lazy("How many"), {"fields": ["rows_now", "keys_missing", "nulls", "trend", "top_missing"]}),
        (gettext_lazy("Why"), {"fields": ["causes", "created"]}),
        (
            gettext_lazy("Reference"),
            {"fields": ["reference", "parent", "on_delete", "enforced", "source", "rationale"]},
        ),
        (
            gettext_lazy("When"),
            {"fields": ["first_seen", "last_seen", "opened_at", "resolved_at", "fingerprint"]},
        ),
    ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Shows decisions where there are any."""
        return self.inlines if obj and obj.resolutions.exists() else []

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Offers what this user may decide."""
        allowed = [
            (decision, label)
            for decision, label in models.Decision.choices
            if decision in deciding.PERMISSIONS and may(request, deciding.PERMISSIONS[decision])
        ]
        finding = models.OrphanFinding.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        sentence = {"title": finding.message, "subtitle": None} if finding else {}
        context = {**(extra_context or {}), **sentence, "decisions": allowed}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=gettext_lazy("suggested"))
    def suggested(self, finding: models.Finding) -> str:
        """What the catalog or the delete action suggests."""
        known = dict(models.Decision.choices)
        return str(
            known.get(finding.evidence.get("suggested_resolution", ""), _("nothing, somebody decides"))
        )

    @admin.display(description=gettext_lazy("orphans"), ordering="rows")
    def rows_and_keys(self, finding: models.Finding) -> str:
        """How many rows, and how many values they miss."""
        keys = ngettext("%(keys)s missing key", "%(keys)s missing keys", finding.missing_keys)
        return cells.two_lines(self.rows_now(finding), keys % {"keys": cells.grouped(finding.missing_keys)})

    @admin.display(description=gettext_lazy("decision"), ordering="state")
    def state_and_decision(self, finding: Any) -> str:
        """Where it stands, and what was decided last or is suggested."""
        if finding.decided:
            said = _("decided: %(decision)s") % {
                "decision": dict(models.Decision.choices).get(finding.decided, finding.decided)
            }
        else:
            said = _("suggested: %(decision)s") % {"decision": self.suggested(finding)}
        return cells.two_lines(self.state_badge(finding), said)

    @admin.display(description=gettext_lazy("NULL"))
    def nulls(self, finding: models.Finding) -> str:
        """Rows that refer to nothing, which is no damage."""
        return cells.number(finding.evidence.get("nulls"))

    @admin.display(description=gettext_lazy("commonest missing keys"))
    def top_missing(self, finding: models.Finding) -> str:
        """The missing keys that most orphans share."""
        top = finding.evidence.get("top_missing_keys", [])
        pairs = [(", ".join(map(str, each["key"])), cells.grouped(each["rows"])) for each in top]
        return cells.facts(pairs)

    @admin.display(description=gettext_lazy("causes"))
    def causes(self, finding: models.Finding) -> str:
        """What explains the orphans, and how far that can be relied on."""
        found = finding.evidence.get("causes", [])
        return cells.lines([cells.two_lines(each["sentence"], each["confidence"]) for each in found])

    @admin.display(description=gettext_lazy("created"))
    def created(self, finding: models.Finding) -> str:
        """When the orphans were created (UTC), and whether more come."""
        when = finding.evidence.get("created")
        if not when:
            return "–"
        said = _("%(first)s to %(last)s") % when
        months = ", ".join(f"{each['month']}: {cells.grouped(each['rows'])}" for each in when["months"])
        return cells.two_lines(
            f"{said}, {_('still growing')}" if when["still_growing"] else said,
            _("most in %(months)s") % {"months": months},
        )

    @admin.display(description=gettext_lazy("on delete"))
    def on_delete(self, finding: models.Finding) -> str:
        """What shall happen when a referenced row is deleted."""
        return cells.code(finding.evidence.get("on_delete", ""))

    @admin.display(description=gettext_lazy("foreign key"))
    def enforced(self, finding: models.Finding) -> str:
        """Whether a constraint keeps more orphans from coming."""
        if finding.evidence.get("enforced"):
            return cells.badge("finished", _("declared and enforced"))
        declared = finding.evidence.get("declared")
        return cells.badge("warning", _("declared, not enforced") if declared else _("none"))

    @admin.display(description=gettext_lazy("rationale"))
    def rationale(self, finding: models.Finding) -> str:
        """Why the reference should hold."""
        return finding.evidence.get("rationale") or "–"
