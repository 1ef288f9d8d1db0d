"""Notes about a finding: what somebody knows, for whoever looks at it next."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import models
from integrity.admin.base import ReadOnlyAdmin, actor, demand, may
from integrity.admin.serving import reverse

LETTERS_AT_MOST = 4_000
SHOWN_AT_MOST = 50


class NoteForm(forms.Form):
    """A note, as plain text."""

    text = forms.CharField(
        label=gettext_lazy("New note"),
        max_length=LETTERS_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )


def notes_of(finding: models.Finding) -> list[models.FindingNote]:
    """Returns the latest notes, the latest first."""
    return list(models.FindingNote.objects.filter(finding=finding.pk).order_by("-pk")[:SHOWN_AT_MOST])


def form_for(request: HttpRequest) -> NoteForm | None:
    """Returns an empty form for whoever may write one."""
    return NoteForm() if may(request, "note_finding") else None


def add(admin: ReadOnlyAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Stores a note that was posted, and leads back to the finding.

    Raises:
        Http404: there is no such finding.
        PermissionDenied: for whoever may not see it, or write notes.
    """
    demand(request, "note_finding")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    finding = models.Finding.objects.filter(pk=pk).first()
    if finding is None:
        raise Http404
    demand(request, f"view_{name_of(finding)}")
    form = NoteForm(request.POST)
    if form.is_valid():
        text = form.cleaned_data["text"]
        models.FindingNote.objects.create(finding=finding, text=text, author=actor(request))
        admin.log(request, [seen_as(finding)], _("Note: %(text)s") % {"text": Truncator(text).chars(200)})
        messages.success(request, _("The note is stored."))
    else:
        for error in form.errors.get("text", []):
            messages.error(request, str(error))
    return HttpResponseRedirect(f"{address_of(finding)}#notes")


def name_of(finding: models.Finding) -> str:
    """The name of the model as which the admin shows a finding."""
    return "orphanfinding" if finding.code == models.ORPHANED_ROWS else "finding"


def seen_as(finding: models.Finding) -> models.Finding:
    """A finding as the admin shows it: those about orphans have a page of their own."""
    if finding.code != models.ORPHANED_ROWS or isinstance(finding, models.OrphanFinding):
        return finding
    return models.OrphanFinding(pk=finding.pk, label=finding.label, code=finding.code)


def address_of(finding: models.Finding) -> str:
    """The address of the page of a finding."""
    return reverse(f"admin:integrity_{name_of(finding)}_change", args=[finding.pk])
