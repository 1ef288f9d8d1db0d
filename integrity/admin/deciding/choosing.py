"""The page of each decision: what it means, and what has to be said before it can be planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity import models, store
from integrity.admin.base import ReadOnlyAdmin, actor, demand, may
from integrity.admin.deciding.choice import Choice, chosen
from integrity.admin.deciding.deduplicate_form import DeduplicateForm
from integrity.admin.deciding.forms import DecidingForm, KeepForm, ReassignForm
from integrity.admin.deciding.planning import Planned, lead_to, planned, planned_duplicates
from integrity.admin.deciding.relink_form import RelinkForm
from integrity.admin.deciding.rights import DEDUPLICATE, PERMISSIONS, SEE, TITLES
from integrity.admin.serving import reverse
from integrity.database.identifiers import parse_path
from integrity.exceptions import CatalogError, NotCheckable, PlanRefused, ReferentialIntegrityError
from integrity.plans import DuplicateRequest, Request
from integrity.references import Resolution

SUGGESTED = "suggested"
"""In place of a decision: of each finding the one that is suggested."""

MEANINGS = {
    "keep": gettext_lazy(
        "The orphans stay as they are, and no row is changed. Their reference can be enforced for new rows "
        "only, as long as they are kept."
    ),
    "delete": gettext_lazy("The orphans are taken out, whole, and can be brought back from the quarantine."),
    "set_null": gettext_lazy("The orphans stay, and refer to nothing from then on."),
    "reassign": gettext_lazy("The orphans stay, and all refer to one row that exists."),
    "relink": gettext_lazy("The orphans stay, and each refers to the row that it means."),
    "restore_parent": gettext_lazy(
        "The orphans stay as they are; the rows that they refer to are made again, as the catalog describes."
    ),
    "deduplicate": gettext_lazy("One row of each shared value stays as it is. Nothing is lost for good."),
    SUGGESTED: gettext_lazy("What is suggested for each of them becomes one plan, which you see first."),
}
"""What each decision means."""


def decide(admin: ReadOnlyAdmin, request: HttpRequest, decision: str) -> HttpResponse:
    """The page of one decision, for what was posted or named in the address."""
    if decision not in PERMISSIONS and decision != SUGGESTED:
        raise Http404
    demand(request, SEE, *([PERMISSIONS[decision]] if decision in PERMISSIONS else []))
    try:
        choice = chosen(request, models.OrphanFinding.objects.all())
    except PlanRefused as error:
        admin.refused(request, error)
        return back()
    return decide_about(admin, request, choice, decision)


def decide_about(admin: ReadOnlyAdmin, request: HttpRequest, choice: Choice, decision: str) -> HttpResponse:
    """Plans a decision that was posted, and leads to the plan; until then only asks for what it needs.

    Looking makes nothing: an address that somebody keeps, or that a browser fetches ahead, shows one button.
    """
    form = _form(request, choice, decision)
    if request.method != "POST" or (form is not None and not form.is_valid()):
        return _page(admin, request, choice, decision, form)
    if decision == SUGGESTED:
        return _suggested(admin, request, choice)
    try:
        if isinstance(form, KeepForm):
            return _keep(admin, request, choice, form)
        requests = choice.requests(decision, **(form.options() if form else {}))
        requests += _exceptions(request, choice, decision)
        return lead_to(admin, request, planned(request, choice.target.alias, requests))
    except ReferentialIntegrityError as error:
        return _refused(admin, request, choice, decision, form, error)


def _suggested(admin: ReadOnlyAdmin, request: HttpRequest, choice: Choice) -> HttpResponse:
    """Plans each of the findings that were chosen by what is suggested for it."""
    try:
        requests, left_out = _as_suggested(request, choice)
        made = planned(request, choice.target.alias, requests)
    except ReferentialIntegrityError as error:
        admin.refused(request, error)
        return back()
    if left_out:
        text = ngettext(
            "%(n)s finding was left out: nothing is suggested for it, or you may not do it.",
            "%(n)s findings were left out: nothing is suggested for them, or you may not do it.",
            left_out,
        )
        messages.warning(request, text % {"n": left_out})
    return lead_to(admin, request, made)


def _as_suggested(request: HttpRequest, choice: Choice) -> tuple[list[Request], int]:
    """What is suggested for each finding, and how many are left out."""
    requests: list[Request] = []
    for finding in choice.findings:
        decision = finding.suggested or finding.evidence.get("suggested_resolution", "")
        if (
            decision != models.Decision.KEEP
            and decision in PERMISSIONS
            and may(request, PERMISSIONS[decision])
        ):
            requests += Choice((finding,), choice.keys, choice.rows).requests(decision)
    if not requests:
        raise PlanRefused(
            _("Nothing is suggested that you may do"), hint=_("Decide about each finding on its page.")
        )
    return requests, len(choice.findings) - len(requests)


def _exceptions(request: HttpRequest, choice: Choice, decision: str) -> list[Request]:
    """What stands decided for single keys and rows of what is decided about now as a whole.

    It stays as it was decided; what this user may not do is left as it is.
    """
    if choice.keys or choice.rows:
        return []
    labels = [finding.label for finding in choice.findings]
    found = []
    for each in store.exceptions_for(choice.target.alias, labels):
        wanted = str(each.resolution)
        if wanted == decision and each.to is None and each.mapping is None:
            continue
        kept = replace(each, resolution=Resolution.KEEP, to=None, mapping=None, reason="", until="")
        found.append(each if may(request, PERMISSIONS[wanted]) else kept)
    return found


def deduplicate(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """The page on which somebody decides what becomes of duplicates."""
    demand(request, "view_finding", DEDUPLICATE)
    try:
        choice = chosen(request, models.Finding.objects.filter(code=models.DUPLICATE_ROWS))
    except PlanRefused as error:
        admin.refused(request, error)
        return HttpResponseRedirect(reverse("admin:integrity_finding_changelist"))
    form = DeduplicateForm(choice, *_sent(request))
    if not form.is_valid():
        return _page(admin, request, choice, "deduplicate", form)
    try:
        requests = [*form.requests(), *_values_apart(choice)]
        made: Planned = planned_duplicates(request, choice.target.alias, requests)
    except ReferentialIntegrityError as error:
        return _refused(admin, request, choice, "deduplicate", form, error)
    return lead_to(admin, request, made)


def _values_apart(choice: Choice) -> list[DuplicateRequest]:
    """What stands decided for single shared values of what is decided about now as a whole: it stays so."""
    labels = {each.label for each in choice.findings} if not choice.keys else set()
    paths = {parse_path(label) for label in labels}
    standing = store.duplicate_decisions_for(choice.target.alias) if paths else []
    return [each for each in standing if each.values and each.unique in paths]


def _sent(request: HttpRequest) -> tuple[Any, ...]:
    """What a form is bound to: nothing where it was not shown yet."""
    return (request.POST, request.FILES) if request.method == "POST" and "answered" in request.POST else ()


def _form(request: HttpRequest, choice: Choice, decision: str) -> DecidingForm | None:
    """What has to be said; nothing for most decisions."""
    if decision == models.Decision.REASSIGN:
        return ReassignForm(choice, *_sent(request), url=_parents_of(request, choice))
    kind = {"keep": KeepForm, "relink": RelinkForm}.get(decision)
    return kind(choice, *_sent(request)) if kind else None


def _parents_of(request: HttpRequest, choice: Choice) -> str:
    """Where rows that can be referred to are looked up while somebody types, who may see them."""
    if not may(request, "view_sample_rows"):
        return ""
    try:
        return reverse("admin:integrity_orphanfinding_parents", args=[choice.findings[0].pk])
    except NoReverseMatch:
        return ""


def _keep(admin: ReadOnlyAdmin, request: HttpRequest, choice: Choice, form: KeepForm) -> HttpResponse:
    """Stores that rows stay. For keys and rows the plan says first whether there are such orphans."""
    reason, until = form.cleaned_data["reason"], form.cleaned_data["until"]
    if choice.keys or choice.rows:
        last_day = until.isoformat() if until else ""
        requests = choice.requests("keep", reason=reason, until=last_day)
        made = planned(request, choice.target.alias, requests)
        if isinstance(made, models.Job):
            return admin.started(request, made)
        store.store_decisions(made, actor=actor(request))
    else:
        store.store_decision(
            choice.findings, models.Decision.KEEP, actor=actor(request), reason=reason, until=until
        )
    admin.log(request, list(choice.findings), _kept_said(choice, reason))
    messages.success(request, _("The orphans are kept. Nothing was changed in the target."))
    return back(choice)


def _kept_said(choice: Choice, reason: str) -> str:
    if choice.keys:
        n = len(choice.keys)
        said = ngettext("Kept %(n)s missing key: %(reason)s", "Kept %(n)s missing keys: %(reason)s", n)
        return said % {"n": n, "reason": reason}
    if choice.rows:
        n = len(choice.rows)
        said = ngettext("Kept %(n)s row: %(reason)s", "Kept %(n)s rows: %(reason)s", n)
        return said % {"n": n, "reason": reason}
    return _("Kept: %(reason)s") % {"reason": reason}


def _refused(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    choice: Choice,
    decision: str,
    form: DecidingForm | None,
    error: ReferentialIntegrityError,
) -> HttpResponse:
    if form is None:
        return _page(admin, request, choice, decision, None, error)
    form.say(error)
    return _page(admin, request, choice, decision, form)


def _page(
    admin: ReadOnlyAdmin,
    request: HttpRequest,
    choice: Choice,
    decision: str,
    form: DecidingForm | None,
    error: ReferentialIntegrityError | None = None,
) -> HttpResponse:
    if form is not None:
        form.point()
    context = {
        "choice": choice,
        "decision": decision,
        "meaning": MEANINGS[decision],
        "form": form,
        "here": _here(decision),
        "keeps": decision == models.Decision.KEEP,
        "shares": decision == models.Decision.DEDUPLICATE,
        "asks": form is not None or error is None,
        "problem": error,
        "others": _others(request, decision) if isinstance(error, _ANOTHER_MAY_DO) else [],
        "back": address_of(choice),
    }
    what = choice.single.label if choice.single else choice.target
    title = _("%(decision)s: %(what)s") % {"decision": TITLES[decision], "what": what}
    return admin.page(request, "decide.html", title, **context)


def _here(decision: str) -> str:
    """Where a decision is posted to, whichever page asked for it."""
    if decision == models.Decision.DEDUPLICATE:
        return reverse("admin:integrity_finding_deduplicate")
    return reverse("admin:integrity_orphanfinding_decide", args=[decision])


_ANOTHER_MAY_DO = (PlanRefused, CatalogError, NotCheckable)
"""What stands against one decision, and perhaps not against another."""


def _others(request: HttpRequest, decision: str) -> list[tuple[str, Any, Any]]:
    """The other decisions that this user may make: where, what, and what it means."""
    allowed = [each for each, permission in PERMISSIONS.items() if may(request, permission)]
    return [(_here(each), TITLES[each], MEANINGS[each]) for each in allowed if each != decision]


def address_of(choice: Choice | None) -> str:
    """Where somebody goes back to: the finding, where it is one, else the list."""
    finding = choice.single if choice else None
    if finding is None:
        return reverse("admin:integrity_orphanfinding_changelist")
    kind = "orphanfinding" if finding.code == models.ORPHANED_ROWS else "finding"
    return reverse(f"admin:integrity_{kind}_change", args=[finding.pk])


def back(choice: Choice | None = None) -> HttpResponseRedirect:
    """Leads back."""
    return HttpResponseRedirect(address_of(choice))
