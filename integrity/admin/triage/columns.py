"""What lists of findings have in common: columns, search, filters, a summary, a file of what is listed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.triage import download, notes, page, summary, wording
from integrity.admin.triage.lists import SEARCHED, BoundedPaginator, FindingList, search


class FindingColumns(ReadOnlyAdmin):
    """Lists and pages of findings. ``listed_as`` is the name of the address of the CSV of a list."""

    change_list_template = "admin/integrity/findings.html"
    paginator = BoundedPaginator
    search_fields = ["label"]
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ["target"]
    list_max_show_all = 0
    listed_as = ""

    class Media:
        css = {
            "all": [
                "integrity/admin.css",
                "integrity/charts.css",
                "integrity/rows.css",
                "integrity/triage.css",
            ]
        }

    # -- the list --------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """One that counts to a bound."""
        return FindingList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The findings that a term names, each by its index."""
        return search(queryset, search_term), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Says above the list how much there is, and offers it as a file to those who may."""
        orphans = self.model is models.OrphanFinding
        more = {
            "summary": summary.summary(request, orphans=orphans),
            "audited": summary.audited(request),
            "places": (places := summary.places(request)),
            "open": places[0].here,
            "searched": cells.grouped(SEARCHED),
            "plain": next(place.plain for place in places if place.here),
            "narrowed": bool(set(request.GET) - {"state__exact", "o", "p"}),
            "csv": f"admin:{self.listed_as}" if may(request, "download_csv") else "",
        }
        return super().changelist_view(request, more | (extra_context or {}))

    def get_urls(self) -> list[URLPattern]:
        """Adds the file of what is listed."""
        view = self.admin_site.admin_view(self.csv_view)
        return [path("csv/", view, name=self.listed_as), *super().get_urls()]

    def csv_view(self, request: HttpRequest) -> HttpResponseBase:
        """The list as a file, with its filters and in its order."""
        return download.download(self, request)

    def get_queryset(self, request: HttpRequest) -> Any:
        """One query for the page."""
        return super().get_queryset(request).select_related("target", "first_seen_run", "last_seen_run")

    # -- a page ----------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What is wrong, why, and what can become of it."""
        return page.show(self, request, object_id)

    def note_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Adds what somebody wrote."""
        return notes.add(self, request, pk)

    # -- columns ---------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("severity"), ordering="badness")
    def severity_badge(self, finding: models.Finding) -> str:
        """How bad it is."""
        return cells.badge(finding.severity, finding.get_severity_display())

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, finding: models.Finding) -> str:
        """What became of it."""
        return cells.badge(finding.state, finding.get_state_display())

    @admin.display(description=gettext_lazy("reference"), ordering="label")
    def both_sides(self, finding: models.Finding) -> str:
        """What refers, and to what."""
        parent = format_html("→ {}", cells.code(page.parent(finding)))
        return cells.two_lines(cells.code(finding.label), parent)

    @admin.display(description=gettext_lazy("target"))
    def of_target(self, finding: models.Finding) -> str:
        """The target, which is no word of ours."""
        return format_html('<span translate="no">{}</span>', finding.target)

    @admin.display(description=gettext_lazy("rows"), ordering="rows")
    def rows_now(self, finding: models.Finding) -> str:
        """How many rows it is about."""
        return cells.number(finding.rows)

    @admin.display(description=gettext_lazy("orphans"), ordering="rows")
    def rows_and_keys(self, finding: models.Finding) -> str:
        """How many rows, and how many values they miss."""
        keys = ngettext("%(keys)s missing key", "%(keys)s missing keys", finding.missing_keys)
        return cells.two_lines(self.rows_now(finding), keys % {"keys": cells.grouped(finding.missing_keys)})

    @admin.display(description=gettext_lazy("since the last audit"))
    def moved(self, finding: models.Finding) -> str:
        """How its number of rows moved since the look before."""
        return cells.trend(finding.rows, finding.previous_rows)

    @admin.display(description=gettext_lazy("cause"))
    def probable_cause(self, finding: models.Finding) -> str:
        """What explains most of the rows."""
        return capfirst(wording.cause(finding.cause)) or "–"

    @admin.display(description=gettext_lazy("decision"))
    def decision_or_suggestion(self, finding: models.Finding) -> str:
        """What was decided, else what is suggested, else that somebody has to decide."""
        names = {each: capfirst(str(name)) for each, name in models.Decision.choices}
        if finding.decided:
            state = finding.state if finding.state != models.FindingState.OPEN else "finished"
            return cells.badge(state, names.get(finding.decided, finding.decided))
        if not finding.suggested:
            return format_html('<span class="quiet">{}</span>', _("Somebody decides"))
        return cells.two_lines(names.get(finding.suggested, finding.suggested), _("suggested"))
