"""The page of a plan: everything that it will do, and who may let it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from integrity import conf, models, store
from integrity.admin.base import ReadOnlyAdmin, demand, may
from integrity.admin.deciding import preview
from integrity.admin.deciding.aftermath import afterwards
from integrity.admin.deciding.approving import ask, give, word_on
from integrity.admin.deciding.choosing import back
from integrity.admin.deciding.forms import TypedRowsForm, WordForm
from integrity.admin.deciding.planning import address
from integrity.admin.deciding.rights import (
    BACK_UP,
    DECIDE,
    SEE,
    TITLES,
    decision_of,
    is_decided_keep,
    permissions_for,
    resolving,
)
from integrity.admin.deciding.running import About, anew, back_up, findings_of, remember, run, was_stopped
from integrity.admin.deciding.sentences import said_of
from integrity.admin.serving import reverse
from integrity.exceptions import ApprovalNeeded, PlanMismatch, ReferentialIntegrityError
from integrity.plans import Plan
from integrity.references import Catalog, load_catalog


def plan_page(admin: ReadOnlyAdmin, request: HttpRequest, alias: str, plan_hash: str) -> HttpResponse:
    """Shows a stored plan; a POST runs it, remembers its decisions, or takes a backup first."""
    if (plan := _known(admin, request, alias, plan_hash)) is None:
        return back()
    about = findings_of(plan)
    if request.method == "POST":
        return _posted(admin, request, plan, about)
    return _page(admin, request, plan, about)


def plan_again(admin: ReadOnlyAdmin, request: HttpRequest, alias: str, plan_hash: str) -> HttpResponse:
    """Makes a plan anew, of the target as it is now, and shows what is different."""
    if (plan := _known(admin, request, alias, plan_hash)) is None:
        return back()
    demand(request, *resolving(plan))
    return anew(admin, request, plan)


def _known(admin: ReadOnlyAdmin, request: HttpRequest, alias: str, plan_hash: str) -> Plan | None:
    """A stored plan for whoever may see plans; what is wrong with it becomes a message."""
    demand(request, SEE)
    try:
        return store.load_plan(alias, plan_hash)
    except PlanMismatch as error:
        admin.refused(request, error)
        return None


def _posted(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About) -> HttpResponse:
    """Does what the button says that was pressed."""
    if "run" in request.POST:
        return _run(admin, request, plan, about)
    if "decide" in request.POST:
        return remember(admin, request, plan, about, _leave(about))
    if "ask" in request.POST:
        return ask(admin, request, plan, about)
    if "approve" in request.POST or "refuse" in request.POST:
        said = give(admin, request, plan, about)
        return _page(admin, request, plan, about, said_form=said) if isinstance(said, WordForm) else said
    if "backup" in request.POST:
        return back_up(admin, request, plan)
    raise BadRequest("No button of this page was pressed.")


def _run(admin: ReadOnlyAdmin, request: HttpRequest, plan: Plan, about: About) -> HttpResponse:
    """Runs a plan, after somebody typed how many rows it touches and a second person approved it."""
    demand(request, *permissions_for(plan))
    typed = TypedRowsForm(plan.touched, request.POST) if must_type(plan) else None
    if typed is not None and not typed.is_valid():
        typed.fields["rows"].widget.attrs["autofocus"] = True
        return _page(admin, request, plan, about, typed=typed)
    try:
        store.demand_approved(plan)
    except ApprovalNeeded as error:
        admin.refused(request, error)
        return HttpResponseRedirect(address(plan.target, plan.hash))
    return run(admin, request, plan, about)


def must_type(plan: Plan) -> bool:
    """Whether a plan touches so many rows that their number has to be typed."""
    return plan.touched > conf.typed_rows()


def _page(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    plan: Plan,
    about: About,
    *,
    typed: TypedRowsForm | None = None,
    said_form: WordForm | None = None,
) -> HttpResponse:
    stored = models.StoredPlan.objects.select_related("job", "target").defer("plan", "notes")
    stored_plan = stored.get(target__alias=plan.target, hash=plan.hash)
    decision, single = decision_of(plan), _single(about)
    context = {
        "stored": stored_plan,
        "decision": decision,
        "single": single,
        "was": _was(request, plan),
        "stopped": was_stopped(stored_plan.job),
        "under_way": stored_plan.job is not None and not stored_plan.job.is_over,
        "busy": _busy(stored_plan),
        "here": address(plan.target, plan.hash),
        "leave": _leave(about),
        "last_backup": store.last_backup(plan.target),
        "word": word_on(request, plan),
        "typed": (typed or TypedRowsForm(plan.touched)) if must_type(plan) else None,
        "said_form": said_form or WordForm(),
        **_facts(request, plan, about),
        **_rights(request, plan),
    }
    what = single.label if single else plan.target
    title = _("%(decision)s: %(what)s") % {"decision": TITLES.get(decision, _("Plan")), "what": what}
    return admin.page(request, "plan.html", title, **context)


def _busy(stored: models.StoredPlan) -> models.Job | None:
    """Other work that changes the target now: one repair at a time."""
    going = models.Job.objects.filter(
        target=stored.target_id,
        kind__in=(models.JobKind.REPAIR, models.JobKind.ROLLBACK, models.JobKind.MIGRATE),
        state__in=(models.RunState.PLANNED, models.RunState.RUNNING),
    )
    return going.exclude(pk=stored.job_id or 0).order_by("-id").first()


def _facts(request: HttpRequest, plan: Plan, about: About) -> dict[str, Any]:
    """What a plan will do."""
    viewer = preview.Viewer(may(request, "view_sample_rows"), _catalog(plan.target))
    touched = preview.touched(plan)
    return {
        "plan": plan,
        "sentences": said_of(plan, viewer.may_see_step),
        "touched": touched,
        "happens": {
            name: any(getattr(each.tally, name) for each in touched)
            for name in ("deleted", "updated", "inserted")
        },
        "steps": preview.steps_of(plan, viewer),
        "more_steps": max(0, len(plan.steps) - preview.MOST_STEPS),
        "in_the_way": preview.in_the_way(plan),
        "doubts": preview.doubts_of(plan),
        "triggers": preview.triggers_of(plan),
        "kept": preview.kept_by(plan),
        "afterwards": afterwards(plan, about),
    }


def _rights(request: HttpRequest, plan: Plan) -> dict[str, bool]:
    """What this user may do with a plan."""
    changes = bool(plan.changing_steps)
    decides = changes or any(map(is_decided_keep, plan.orphan_steps))
    return {
        "may_run": changes and may(request, *permissions_for(plan)),
        "may_decide": decides and may(request, DECIDE, *resolving(plan)),
        "may_back_up": may(request, BACK_UP),
    }


def _was(request: HttpRequest, plan: Plan) -> list[tuple[str, int, int]] | None:
    """What an earlier plan, instead of which this was made, would have touched: table, then and now."""
    before = request.GET.get("instead_of", "")
    if not before:
        return None
    try:
        then = store.load_plan(plan.target, before)
    except PlanMismatch:
        return None
    rows = [{each.table: each.tally.touched for each in preview.touched(one)} for one in (then, plan)]
    tables = sorted({*rows[0], *rows[1]})
    return [(table, rows[0].get(table, 0), rows[1].get(table, 0)) for table in tables]


def _leave(about: About) -> str:
    """Where somebody goes who does not want it: the finding, where it is one, else the list."""
    if single := _single(about):
        kind = "orphanfinding" if single.code == models.ORPHANED_ROWS else "finding"
        return reverse(f"admin:integrity_{kind}_change", args=[single.pk])
    return reverse("admin:integrity_orphanfinding_changelist")


def _single(about: About) -> models.Finding | None:
    found = [finding for findings in about.values() for finding in findings]
    return found[0] if len(found) == 1 else None


def _catalog(alias: str) -> Catalog | None:
    """What says which columns are masked; a catalog that cannot be read masks everything."""
    try:
        return load_catalog(alias)
    except ReferentialIntegrityError:
        return None
