"""What somebody is asked before a plan is made, and before it is run."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from integrity.admin.advice import without_commands
from integrity.admin.autocomplete import autocomplete
from integrity.admin.cells import grouped
from integrity.admin.deciding.choice import Choice
from integrity.exceptions import MappingRefused, ReferentialIntegrityError
from integrity.plans.offers import How
from integrity.plans.steps import KeyTexts

MOST_MISTAKES = 50


class DecidingForm(forms.Form):
    """A form whose first mistake has the focus, and that says errors of planning beside what caused them."""

    problem_field: str | None = None

    def __init__(self, choice: Choice, *args: Any, **kwargs: Any) -> None:
        self.choice = choice
        super().__init__(*args, **({"label_suffix": ""} | kwargs))

    def options(self) -> dict[str, Any]:
        """What was chosen, for the request of a plan."""
        return {}

    def say(self, error: ReferentialIntegrityError) -> None:
        """Shows why no plan could be made, beside the field that it is about.

        Advice about options of commands helps nobody here.
        """
        said = first_of(error.mistakes) if isinstance(error, MappingRefused) and error.mistakes else []
        hint = "" if " --" in error.hint else without_commands(error.hint)
        self.add_error(self.problem_field, said or [f"{error.what}. {hint}".strip()])

    def point(self) -> None:
        """Gives the first field with a mistake the focus."""
        for name in self.errors:
            if name != NON_FIELD_ERRORS:
                self.fields[name].widget.attrs["autofocus"] = True
                return


def first_of(mistakes: Sequence[str]) -> list[str]:
    """The first mistakes of a list, and how many there are beside them: a wrong file has one a line."""
    more = len(mistakes) - MOST_MISTAKES
    if more <= 0:
        return list(mistakes)
    said = ngettext("There is %(n)s more mistake.", "There are %(n)s more mistakes.", more)
    return [*mistakes[:MOST_MISTAKES], said % {"n": grouped(more)}]


class KeepForm(DecidingForm):
    """Why orphans stay, and until when."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=2_000,
        help_text=gettext_lazy("Whoever looks next reads it: why is it right that these rows stay?"),
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )
    until = forms.DateField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("The last day. Without one, they are kept until somebody decides otherwise."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
    )

    def clean_until(self) -> date | None:
        """Refuses a day that is over."""
        until: date | None = self.cleaned_data["until"]
        if until and until < timezone.localdate():
            raise forms.ValidationError(_("That day is over."))
        return until


class ReassignForm(DecidingForm):
    """Which row orphans are pointed at."""

    SYSTEM, ROW = "system", "row"

    problem_field = "to"
    where = forms.ChoiceField(
        label=gettext_lazy("Point them at"),
        choices=[
            (SYSTEM, gettext_lazy("the system row, which the catalog describes")),
            (ROW, gettext_lazy("another row")),
        ],
        widget=forms.RadioSelect,
    )
    to = forms.CharField(
        label=gettext_lazy("Key of that row"), required=False, max_length=1_000, strip=False,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def __init__(self, choice: Choice, *args: Any, url: str = "", **kwargs: Any) -> None:
        super().__init__(choice, *args, **kwargs)
        columns = choice.findings[0].referenced_columns
        if len({(each.referenced_schema, each.referenced_table) for each in choice.findings}) > 1:
            del self.fields["to"], self.fields["where"].choices[1]  # type: ignore[attr-defined]
            self.initial.setdefault("where", self.SYSTEM)
            return
        self.initial.setdefault("where", self.SYSTEM if choice.offered(How.SYSTEM_ROW) else self.ROW)
        several = _("Values of %(columns)s, with commas between.") % {"columns": ", ".join(columns)}
        self.fields["to"].help_text = several if len(columns) > 1 else _("Its %(column)s.") % {
            "column": columns[0] if columns else _("key")
        }  # fmt: skip
        if url:
            self.fields["to"].widget.attrs |= autocomplete(url)

    def clean(self) -> dict[str, Any]:
        """A row that is not named is no choice."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("where") == self.ROW and not data.get("to", "").strip():
            self.add_error("to", _("Say which row, by its key."))
        return data

    def options(self) -> dict[str, Any]:
        """The key of the row, None for the system row."""
        if self.cleaned_data["where"] == self.SYSTEM:
            self.problem_field = "where"
            return {"to": None}
        text = self.cleaned_data["to"].strip()
        alone = len(self.choice.findings[0].referenced_columns) == 1
        return {"to": (text,) if alone else _parts(text)}


class TypedRowsForm(forms.Form):
    """How many rows are touched, typed by whoever means it."""

    rows = forms.CharField(
        label=gettext_lazy("Number of rows"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": "vTextField integrity-typed"}
        ),
    )

    def __init__(self, touched: int, *args: Any, **kwargs: Any) -> None:
        self.touched = touched
        super().__init__(*args, **({"label_suffix": ""} | kwargs))

    def clean_rows(self) -> int:
        """Refuses any other number; how its thousands are set apart does not matter."""
        text = self.cleaned_data["rows"].strip()
        digits = re.sub(r"[\s,.'’\u00a0\u202f]", "", text)
        if not digits.isdecimal() or int(digits) != self.touched:
            raise forms.ValidationError(_("That is not the number of rows that this plan touches."))
        return self.touched


class WordForm(forms.Form):
    """What a second person says of a plan."""

    reason = forms.CharField(
        label=gettext_lazy("What you say to it"),
        required=False,
        max_length=2_000,
        help_text=gettext_lazy("Whoever asked reads it. Needed to refuse."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
    )

    def __init__(self, *args: Any, refuses: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        self.fields["reason"].required = refuses
        self.fields["reason"].widget.attrs |= {"autofocus": True} if refuses else {}
        self.fields["reason"].widget.is_required = False


def _parts(text: str) -> KeyTexts:
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        return (text,)
    return tuple(part.strip() for part in rows[0]) if rows else ()
