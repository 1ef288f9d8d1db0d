"""Repairs and rollbacks, and taking a repair back."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.base import ReadOnlyAdmin, actor, demand, may
from integrity.admin.deciding import PERMISSIONS, permissions_for
from integrity.admin.quarantine import Chosen, browse, can_be_taken_back, download, put_back, restore
from integrity.database.session import Target
from integrity.exceptions import PlanMismatch, ReferentialIntegrityError
from integrity.repairs.searching import Search, find_rows

_MOST_REFUSALS_SHOWN = 100
_ROWS_A_PAGE = 100

_STOPPED = (
    models.RunState.PAUSED,
    models.RunState.FAILED,
    models.RunState.CANCELLED,
    models.RunState.INTERRUPTED,
)


@admin.register(models.RepairRun)
class RepairRunAdmin(ReadOnlyAdmin):
    """What was changed, mirrored from the targets' journals."""

    list_display = [
        "__str__",
        "kind",
        "state_badge",
        "changed",
        "refused_rows",
        "started_ago",
        "actor",
        "plan",
    ]
    hidden_when_empty = ("of", "refusals", "proof", "error")
    list_filter = ["target", "kind", "state", "started_at"]
    search_fields = ["plan_hash", "actor", "error"]
    list_select_related = ["target"]
    actions = ["roll_back"]
    permissions_of_actions = {"roll_back": "roll_back_repair"}
    change_form_template = "admin/integrity/repair_run.html"
    shown_as = {"refusals": "refusals_list", "proof": "proof_table"}
    fields = [
        "target", "kind", "state_badge", "of", "tables", "refusals", "proof", "plan", "error", "actor",
        "started_at", "finished_at",
    ]  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Shows what is stored as JSON as people read it."""
        return [self.shown_as.get(name, name) for name in super().get_fields(request, obj)]

    def get_urls(self) -> list[URLPattern]:
        """Adds the quarantine, the page that takes a run back, and the wish to go on with one."""
        view = self.admin_site.admin_view(self.roll_back_view)
        resume = require_POST(self.admin_site.admin_view(self.resume_view))
        quarantine = self.admin_site.admin_view(partial(browse, self))
        restoring = self.admin_site.admin_view(partial(restore, self))
        csv = self.admin_site.admin_view(partial(download, self))
        return [
            path("quarantine/", quarantine, name="integrity_quarantine"),
            path("quarantine/restore/", restoring, name="integrity_quarantine_restore"),
            path("quarantine/csv/", csv, name="integrity_quarantine_csv"),
            path("<int:pk>/roll-back/", view, name="integrity_repairrun_roll_back"),
            path("<int:pk>/resume/", resume, name="integrity_repairrun_resume"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Offers the rollback to whoever may."""
        run = models.RepairRun.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        offered = run is not None and may(request, "roll_back_repair") and can_be_taken_back(run)
        resumable = run is not None and can_go_on(run) and may(request, *permissions_of(run))
        context = {**(extra_context or {}), "run": run, "may_roll_back": offered, "may_resume": resumable}
        if run is not None and run.kind != models.RunKind.ROLLBACK:
            context |= changed_rows(run, request.GET.get("rows", ""))
        return super().change_view(request, object_id, form_url, context)

    @admin.action(description=gettext_lazy("Roll back…"))
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Takes one run back, after its page was seen."""
        runs = list(queryset[:2])
        if len(runs) != 1:
            messages.error(request, _("Choose one run: runs are taken back one by one, the newest first."))
            return None
        return HttpResponseRedirect(reverse("admin:integrity_repairrun_roll_back", args=[runs[0].pk]))

    def roll_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows what comes back; a POST takes it back."""
        demand(request, "roll_back_repair")
        run = get_object_or_404(models.RepairRun.objects.select_related("target"), pk=pk)
        return put_back(self, request, Chosen(run), confirmed=request.method == "POST")

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Goes on with a run that was stopped, by the plan that its journal holds."""
        run = get_object_or_404(models.RepairRun.objects.select_related("target"), pk=pk)
        demand(request, *permissions_of(run))
        if not can_go_on(run):
            messages.error(request, _("There is nothing to go on with: the run is over."))
            return HttpResponseRedirect(reverse("admin:integrity_repairrun_change", args=[pk]))
        arguments = {"resume": run.number}
        job = tasks.start_job(run.target.alias, models.JobKind.REPAIR, arguments, actor=actor(request))
        self.log(request, [run], _("Asked to go on"))
        return self.started(request, job)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, run: models.RepairRun) -> str:
        """Where it stands."""
        return cells.badge(run.state, run.get_state_display())

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started_ago(self, run: models.RepairRun) -> str:
        """How long ago it began."""
        return cells.ago(run.started_at)

    @admin.display(description=gettext_lazy("rows changed"), ordering="rows_changed")
    def changed(self, run: models.RepairRun) -> str:
        """All rows that it touched."""
        return cells.number(run.rows_changed)

    @admin.display(description=gettext_lazy("refused"), ordering="rows_refused")
    def refused_rows(self, run: models.RepairRun) -> str:
        """Rows that it left alone."""
        return cells.number(run.rows_refused)

    @admin.display(description=gettext_lazy("plan"))
    def plan(self, run: models.RepairRun) -> str:
        """The plan that it carried out."""
        if not run.plan_hash:
            return "–"
        url = reverse("admin:integrity_orphanfinding_plan", args=[run.target.alias, run.plan_hash])
        return format_html('<a href="{}"><code>{}</code></a>', url, run.plan_hash[:12])

    @admin.display(description=gettext_lazy("rows by table"))
    def tables(self, run: models.RepairRun) -> str:
        """What happened to how many rows, table by table."""
        pairs = [(table, ", ".join(_said(tally))) for table, tally in sorted(run.rows.items())]
        return cells.facts(pairs)

    @admin.display(description=gettext_lazy("refused"))
    def refusals_list(self, run: models.RepairRun) -> str:
        """The rows that it left alone, and why."""
        lines = [
            (
                each["table"],
                ", ".join(f"{name}={value}" for name, value in each["key"].items()),
                each["reason"],
            )
            for each in run.refusals[:_MOST_REFUSALS_SHOWN]
        ]
        listed = format_html_join("", "<li><code>{} {}</code> {}</li>", lines)
        return format_html('<ul class="integrity-list">{}</ul>', listed) if lines else _("none")

    @admin.display(description=gettext_lazy("proof"))
    def proof_table(self, run: models.RepairRun) -> str:
        """The comparison that a rollback makes with what was before."""
        if not run.proof:
            return "–"
        yes, no = cells.badge("finished", _("equal")), cells.badge("error", _("different"))
        pairs = [
            (_("restored rows"), yes if run.proof["rows_equal"] else no),
            (_("structure"), yes if run.proof["schema_equal"] else no),
        ]
        tables = sorted(run.proof.get("tables", {}).items())
        return cells.facts([*pairs, *((name, yes if each["table_equal"] else no) for name, each in tables)])


def changed_rows(run: models.RepairRun, page: str) -> dict[str, Any]:
    """The rows that a run changed, by table, reason and key: one page, from the target's journal."""
    number = int(page) if page.isdecimal() else 0
    search = Search(run=run.number)
    try:
        found = find_rows(Target(run.target.alias), search, most=_ROWS_A_PAGE + 1, skip=number * _ROWS_A_PAGE)
    except ReferentialIntegrityError as error:
        return {"changed_rows_error": str(error)}
    rows = [(each, ", ".join(map(str, each.key.values()))) for each in found[:_ROWS_A_PAGE]]
    more = number + 1 if len(found) > _ROWS_A_PAGE else None
    return {"changed_rows": rows, "rows_next": more, "rows_before": number - 1 if number else None}


def can_go_on(run: models.RepairRun) -> bool:
    """Whether a run stopped before its end."""
    return run.kind != models.RunKind.ROLLBACK and run.state in _STOPPED


def permissions_of(run: models.RepairRun) -> list[str]:
    """The permissions that going on with a run needs: those of its plan, all where that is not known."""
    try:
        return permissions_for(store.load_plan(run.target.alias, run.plan_hash))
    except PlanMismatch:
        return sorted(set(PERMISSIONS.values()))


def _said(tally: dict[str, int]) -> list[str]:
    words = {
        "deleted": _("deleted"),
        "updated": _("updated"),
        "inserted": _("inserted"),
        "restored": _("restored"),
        "refused": _("refused"),
    }
    return [f"{cells.grouped(tally[name])} {word}" for name, word in words.items() if tally.get(name)]
