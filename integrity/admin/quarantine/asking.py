"""What somebody looks for in a quarantine, read from the address of the page."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.database.identifiers import TableName
from integrity.references import load_catalog
from integrity.references.masking import is_masked
from integrity.repairs.quarantine import QuarantineSearch, What
from integrity.repairs.values import IsMasked

SUGGESTED_AT_MOST = 200
"""So many tables, references and runs are offered while somebody types."""


def _text(label: Any, *, suggested: str = "", size: int = 16) -> forms.CharField:
    shown = {"list": f"integrity-{suggested}"} if suggested else {}
    widget = forms.TextInput(attrs={"size": size, "autocomplete": "off", **shown})
    return forms.CharField(label=label, required=False, max_length=500, widget=widget)


class SearchForm(forms.Form):
    """Which rows are wanted."""

    run = forms.IntegerField(
        label=_("Run"),
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.TextInput(attrs={"list": "integrity-runs", "size": 6, "inputmode": "numeric"}),
    )
    table = _text(_("Table"), suggested="tables")
    reason = _text(_("Because of"), suggested="reasons", size=22)
    key = _text(_("Exact key"), size=10)
    q = _text(_("Text in any column"))

    def clean_key(self) -> tuple[str, ...]:
        """Reads the values of a key."""
        lines = csv.reader([self.cleaned_data["key"]], skipinitialspace=True)
        try:
            return tuple(each.strip() for each in next(lines, []))
        except csv.Error as error:
            raise forms.ValidationError(_("Write the values of a key apart by commas.")) from error


@dataclass(frozen=True)
class Asked:
    """What is looked for in the quarantine of a target; ``search`` is None where it cannot be read."""

    target: models.Target
    form: SearchForm
    search: QuarantineSearch | None

    @property
    def what(self) -> What:
        """Which part of the quarantine."""
        return What.CHANGED if self.form.data.get("what") == What.CHANGED else What.DELETED

    @property
    def narrowed(self) -> bool:
        """Whether anything but the target was asked for."""
        return any(self.form.data.get(name) for name in self.form.fields)

    def address(self, **changes: Any) -> str:
        """The query of an address that asks for the same but for some changes; None leaves a word out."""
        given: dict[str, Any] = {"target": self.target.alias, "what": str(self.what)}
        given |= {name: self.form.data.get(name) for name in self.form.fields} | changes
        return "?" + urlencode({name: str(value) for name, value in given.items() if value})


def asked(request: HttpRequest, target: models.Target) -> Asked:
    """Returns what an address asks for."""
    form = SearchForm(request.GET)
    if not form.is_valid():
        return Asked(target, form, None)
    wanted = form.cleaned_data
    search = QuarantineSearch(
        run=wanted["run"],
        table=wanted["table"],
        reference=wanted["reason"],
        key=wanted["key"],
        text=wanted["q"],
        what=What.CHANGED if request.GET.get("what") == What.CHANGED else What.DELETED,
    )
    return Asked(target, form, search)


def masks_of(target: models.Target) -> IsMasked:
    """Returns what says whether a column is masked, by the target's catalog.

    Raises:
        CatalogError: for a mistake in it; then nobody knows what may be shown.
    """
    catalog = load_catalog(target.alias)

    def masked(table: TableName, name: str) -> bool:
        return is_masked(catalog, table, name)

    return masked


@dataclass(frozen=True)
class Suggestions:
    """What can be asked for, as far as the site remembers it."""

    runs: list[models.RepairRun]
    tables: list[str]
    reasons: list[str]


def suggestions(target: models.Target) -> Suggestions:
    """Returns what is offered while somebody types; two queries."""
    runs = standing_runs(target)
    tables = sorted({table for run in runs for table, tally in run.rows.items() if any(tally.values())})
    labels = models.OrphanFinding.objects.filter(target=target).order_by("label")
    reasons = list(labels.values_list("label", flat=True)[:SUGGESTED_AT_MOST])
    return Suggestions(runs, tables[:SUGGESTED_AT_MOST], reasons)


def standing_runs(target: models.Target) -> list[models.RepairRun]:
    """Returns the last repairs of a target of which something stands, the newest first."""
    runs = models.RepairRun.objects.filter(target=target).exclude(kind=models.RunKind.ROLLBACK)
    runs = runs.exclude(state=models.RunState.ROLLED_BACK).order_by("-number")
    return list(runs.defer("refusals", "proof", "error")[:SUGGESTED_AT_MOST])
