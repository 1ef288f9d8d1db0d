"""The addresses on which people decide, and the actions of the list that lead there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integrity import models
from integrity.admin.base import ReadOnlyAdmin, demand
from integrity.admin.deciding import choosing, showing, withdrawing
from integrity.admin.deciding.choice import choice_of
from integrity.admin.deciding.rights import ASKING, DECIDE, PERMISSIONS, SEE
from integrity.admin.serving import reverse
from integrity.exceptions import PlanRefused


class DecidingPages(ReadOnlyAdmin):
    """What an admin of findings about orphans needs, so that people can decide."""

    def get_urls(self) -> list[URLPattern]:
        """Adds the pages of decisions and of plans."""
        view = self.admin_site.admin_view
        again = require_POST(view(self.again_view))
        withdraw = require_POST(view(self.withdraw_view))
        plan = "plan/<str:alias>/<str:plan_hash>/"
        return [
            path("decide/<str:decision>/", view(self.decide_view), name="integrity_orphanfinding_decide"),
            path(plan, view(self.plan_view), name="integrity_orphanfinding_plan"),
            path(f"{plan}again/", again, name="integrity_orphanfinding_plan_again"),
            path("withdraw/<int:pk>/", withdraw, name="integrity_orphanfinding_withdraw"),
            *super().get_urls(),
        ]

    def decide_view(self, request: HttpRequest, decision: str) -> HttpResponse:
        """Asks what a decision needs to know, and leads to what it would do."""
        return choosing.decide(self, request, decision)

    def plan_view(self, request: HttpRequest, alias: str, plan_hash: str) -> HttpResponse:
        """Shows a stored plan, and runs it when that is posted."""
        return showing.plan_page(self, request, alias, plan_hash)

    def again_view(self, request: HttpRequest, alias: str, plan_hash: str) -> HttpResponse:
        """Makes a plan anew, of the target as it is now."""
        return showing.plan_again(self, request, alias, plan_hash)

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Takes a decision back, so that its finding waits for one again."""
        return withdrawing.withdraw(self, request, pk)

    @admin.action(description=gettext_lazy("Delete to quarantine…"))
    def delete(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Takes the orphans out, whole, into the journal."""
        return self._chosen(request, queryset, models.Decision.DELETE)

    @admin.action(description=gettext_lazy("Set NULL…"))
    def set_null(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ends the references of the orphans."""
        return self._chosen(request, queryset, models.Decision.SET_NULL)

    @admin.action(description=gettext_lazy("Reassign…"))
    def reassign(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Points the orphans at a row that exists."""
        return self._chosen(request, queryset, models.Decision.REASSIGN)

    @admin.action(description=gettext_lazy("Relink…"))
    def relink(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Points the orphans at the rows that they mean."""
        return self._chosen(request, queryset, models.Decision.RELINK)

    @admin.action(description=gettext_lazy("Restore the parent…"))
    def restore_parent(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Makes the rows again that the orphans refer to."""
        return self._chosen(request, queryset, models.Decision.RESTORE_PARENT)

    @admin.action(description=gettext_lazy("Keep…"))
    def keep(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Leaves the orphans as they are, for a reason."""
        return self._chosen(request, queryset, models.Decision.KEEP)

    @admin.action(description=gettext_lazy("Each as suggested…"))
    def as_suggested(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Resolves each finding by what is suggested for it."""
        return self._chosen(request, queryset, choosing.SUGGESTED)

    def _chosen(self, request: HttpRequest, queryset: QuerySet[Any], decision: str) -> HttpResponse | None:
        demand(request, SEE, PERMISSIONS_OF_ACTIONS.get(decision, DECIDE))
        try:
            choice = choice_of(queryset)
        except PlanRefused as error:
            self.refused(request, error)
            return None
        if decision not in ASKING:
            return choosing.decide_about(self, request, choice, decision)
        url = reverse("admin:integrity_orphanfinding_decide", args=[decision])
        return HttpResponseRedirect(f"{url}?{choice.query}")


class DeduplicatingPages(ReadOnlyAdmin):
    """What an admin of findings needs, so that people can decide about duplicates."""

    def get_urls(self) -> list[URLPattern]:
        """Adds the page of that decision."""
        view = self.admin_site.admin_view(self.deduplicate_view)
        return [path("deduplicate/", view, name="integrity_finding_deduplicate"), *super().get_urls()]

    def deduplicate_view(self, request: HttpRequest) -> HttpResponse:
        """Asks which row stays and what becomes of the others, and leads to what that would do."""
        return choosing.deduplicate(self, request)


ACTIONS = ["as_suggested", "delete", "set_null", "reassign", "relink", "restore_parent", "keep"]
"""The actions of a list of findings about orphans."""
PERMISSIONS_OF_ACTIONS = {**PERMISSIONS, "as_suggested": DECIDE}
"""The permission that each of them needs."""
