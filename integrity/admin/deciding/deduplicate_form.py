"""What becomes of rows that share a value, and which of them stays."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity.admin.deciding.choice import Choice, path_of
from integrity.admin.deciding.forms import DecidingForm
from integrity.plans import DuplicateRequest
from integrity.references.uniques import Duplicates


class DeduplicateForm(DecidingForm):
    """What becomes of rows that share a value."""

    action = forms.ChoiceField(
        label=gettext_lazy("What becomes of the others"),
        choices=[
            (str(Duplicates.MERGE), gettext_lazy("merge them into the one that stays")),
            (str(Duplicates.RENAME), gettext_lazy("give them another value")),
        ],
        help_text=gettext_lazy(
            "Merged rows go to the quarantine; whatever referred to them refers to the one that stays."
        ),
        widget=forms.RadioSelect,
    )
    survivor = forms.ChoiceField(
        label=gettext_lazy("Which row stays as it is"),
        choices=[
            ("oldest", gettext_lazy("the oldest")),
            ("newest", gettext_lazy("the newest")),
            ("most_referenced", gettext_lazy("the one that most rows refer to")),
            ("column", gettext_lazy("by a column")),
        ],
        widget=forms.RadioSelect,
    )
    column = forms.CharField(
        label=gettext_lazy("That column"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("The row with its smallest value stays; write priority desc for the largest."),
        widget=forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false"}),
    )
    rename = forms.CharField(
        label=gettext_lazy("Column that gets another value"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "For another value only. Empty: the last of the unique's columns that holds text."
        ),
        widget=forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false"}),
    )
    fill = forms.BooleanField(
        label=gettext_lazy("Give the row that stays what it lacks"),
        required=False,
        help_text=gettext_lazy("For merging only: where it holds NULL, it takes the value of the others."),
    )

    def __init__(self, choice: Choice, *args: Any, **kwargs: Any) -> None:
        super().__init__(choice, *args, **kwargs)
        evidence = choice.findings[0].evidence
        known, survivor = dict(self.fields["survivor"].choices), evidence.get("survivor") or "oldest"  # type: ignore[attr-defined]
        self.initial.setdefault("action", evidence.get("policy") or str(Duplicates.MERGE))
        self.initial.setdefault("survivor", survivor if survivor in known else "column")
        self.initial.setdefault("column", "" if survivor in known else survivor)

    def clean(self) -> dict[str, Any]:
        """A column that is not named is no choice."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("survivor") == "column" and not data.get("column"):
            self.add_error("column", _("Say by which column."))
        return data

    def requests(self) -> list[DuplicateRequest]:
        """What was chosen, as a request for a plan."""
        data = self.cleaned_data
        action = Duplicates(data["action"])
        return [
            DuplicateRequest(
                unique=path_of(finding),
                action=action,
                survivor=data["column"] if data["survivor"] == "column" else data["survivor"],
                rename=data["rename"] if action is Duplicates.RENAME else "",
                fill=data["fill"] and action is Duplicates.MERGE,
                values=self.choice.keys,
            )
            for finding in self.choice.findings
        ]
