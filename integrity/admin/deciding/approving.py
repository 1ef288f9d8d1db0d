"""A second person looks at a plan before it is run, and says yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, demand, may, person
from integrity.admin.deciding.forms import WordForm
from integrity.admin.deciding.planning import address
from integrity.admin.deciding.rights import APPROVE, SEE, resolving
from integrity.admin.deciding.running import About, log_steps
from integrity.exceptions import ReferentialIntegrityError
from integrity.plans import Plan


@dataclass(frozen=True)
class Word:
    """Where a plan stands with its second person; ``mine`` is whether this user may say something."""

    needed: bool
    said: models.Approval | None
    mine: bool
    may_ask: bool

    @property
    def missing(self) -> bool:
        """Whether the plan may not be run for want of it."""
        return self.needed and not self.approved

    @property
    def approved(self) -> bool:
        """Whether somebody said yes."""
        return self.said is not None and self.said.state == models.ApprovalState.APPROVED

    @property
    def waits(self) -> bool:
        """Whether somebody is asked, and has said nothing yet."""
        return self.said is not None and self.said.state == models.ApprovalState.ASKED


def word_on(request: HttpRequest, plan: Plan) -> Word:
    """Where a plan stands with its second person, and what this user can do about it."""
    needed, said = store.needs_approval(plan), store.approval_of(plan.target, plan.hash)
    waits = said is not None and said.state == models.ApprovalState.ASKED
    own = said is not None and store.is_of(said, person(request))
    may_ask = needed and may(request, *resolving(plan)) and (said is None or not (waits or _approved(said)))
    return Word(needed, said, waits and not own and may(request, APPROVE), may_ask)


def ask(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About) -> HttpResponse:
    """Asks for a second person."""
    demand(request, *resolving(plan))
    try:
        tasks.ask_for_approval(plan.target, plan.hash, actor=person(request))
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
    else:
        log_steps(admin, request, plan, about, _("%(what)s, asked for approval of plan %(hash)s"))
        messages.success(request, _("Asked. Somebody else has to look at this plan before it can be run."))
    return HttpResponseRedirect(address(plan.target, plan.hash))


def give(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About) -> WordForm | HttpResponse:
    """Approves or refuses; the form, where something is missing in it."""
    demand(request, APPROVE)
    said = store.approval_of(plan.target, plan.hash)
    if said is None:
        raise PermissionDenied
    approves = "approve" in request.POST
    form = WordForm(request.POST, refuses=not approves)
    if not form.is_valid():
        return form
    reason = form.cleaned_data["reason"]
    decide = tasks.approve_plan if approves else tasks.refuse_plan
    try:
        decide(said.pk, actor=person(request), reason=reason)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return HttpResponseRedirect(address(plan.target, plan.hash))
    text = _("%(what)s, plan %(hash)s approved") if approves else _("%(what)s, plan %(hash)s refused")
    log_steps(admin, request, plan, about, text)
    messages.success(request, _("The plan is approved.") if approves else _("The plan is refused."))
    return HttpResponseRedirect(address(plan.target, plan.hash))


def _approved(said: models.Approval) -> bool:
    return said.state == models.ApprovalState.APPROVED


class WaitingFilter(admin.SimpleListFilter):
    """What waits for somebody's word, unless all is asked for."""

    title = gettext_lazy("state")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices beside what waits."""
        return [("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        """Calls the default by what it shows."""
        for number, choice in enumerate(super().choices(changelist)):
            yield choice | {"display": _("Waiting")} if number == 0 else choice

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrows the list."""
        if self.value() == "all":
            return queryset
        return queryset.filter(pk__in=store.waiting_approvals().order_by().values("pk"))


@admin.register(models.Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Plans for which somebody asked a second person; each leads to the page of its plan."""

    list_display = ["shown_plan", "target", "asked_by", "asked", "state_badge", "decided_by", "reason"]
    list_display_links = None
    list_filter = [WaitingFilter]
    list_select_related = ["plan__target"]
    ordering = ["-id"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may approve sees what waits."""
        return may(request, SEE) and (may(request, APPROVE) or super().has_view_permission(request, obj))

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leaves out the plans themselves, which are long."""
        return super().get_queryset(request).defer("plan__plan", "plan__notes")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What was said of a plan stands on the page of the plan."""
        found = self.get_object(request, object_id)
        if found is None or not self.has_view_permission(request, found):
            return super().change_view(request, object_id, form_url, extra_context)
        return HttpResponseRedirect(address(found.plan.target.alias, found.plan.hash))

    @admin.display(description=gettext_lazy("plan"))
    def shown_plan(self, approval: models.Approval) -> str:
        """Leads to what it is about."""
        url = address(approval.plan.target.alias, approval.plan.hash)
        return format_html('<a href="{}"><code>{}</code></a>', url, approval.plan.hash[:12])

    @admin.display(description=gettext_lazy("target"), ordering="plan__target__alias")
    def target(self, approval: models.Approval) -> str:
        """Whose rows the plan changes."""
        return approval.plan.target.alias

    @admin.display(description=gettext_lazy("asked"), ordering="asked_at")
    def asked(self, approval: models.Approval) -> str:
        """How long ago somebody asked."""
        return cells.ago(approval.asked_at)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, approval: models.Approval) -> str:
        """What was said."""
        marks = {
            models.ApprovalState.ASKED: "pending",
            models.ApprovalState.APPROVED: "passed",
            models.ApprovalState.REFUSED: "failed",
        }
        kind = marks.get(models.ApprovalState(approval.state), "noted")
        return cells.badge(kind, approval.get_state_display())
