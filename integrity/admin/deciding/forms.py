"""What somebody is asked before a plan is made, and before it is run."""

from __future__ import annotations

import csv
import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity.admin.autocomplete import autocomplete
from integrity.admin.deciding.choice import Choice, path_of
from integrity.exceptions import MappingRefused, ReferentialIntegrityError
from integrity.plans import DuplicateRequest, Mapping, parse_mapping
from integrity.plans.steps import KeyTexts
from integrity.references.uniques import Duplicates

MOST_BYTES = 5_000_000
"""Of a mapping that is sent as a file."""


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

        Advice that names options of commands helps nobody here.
        """
        said = list(error.mistakes) if isinstance(error, MappingRefused) and error.mistakes else []
        hint = "" if " --" in error.hint else error.hint
        self.add_error(self.problem_field, said or [f"{error.what}. {hint}".strip()])

    def point(self) -> None:
        """Gives the first field with a mistake the focus."""
        for name in self.errors:
            if name != NON_FIELD_ERRORS:
                self.fields[name].widget.attrs["autofocus"] = True
                return


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
        self.initial.setdefault("where", self.SYSTEM)
        columns = choice.findings[0].referenced_columns
        if len({(each.referenced_schema, each.referenced_table) for each in choice.findings}) > 1:
            del self.fields["to"], self.fields["where"].choices[1]  # type: ignore[attr-defined]
            return
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


class RelinkForm(DecidingForm):
    """What missing keys mean: what they are spelled like, or what somebody wrote down."""

    FORM, LIST = "form", "list"

    problem_field = "pairs"
    how = forms.ChoiceField(
        label=gettext_lazy("What a missing key means"),
        choices=[
            (
                FORM,
                gettext_lazy("the key that is the same but for its spelling: case, spaces, hyphens, zeros"),
            ),
            (LIST, gettext_lazy("what this list says")),
        ],
        widget=forms.RadioSelect,
    )
    pairs = forms.CharField(
        label=gettext_lazy("List"),
        required=False,
        max_length=MOST_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        help_text=gettext_lazy("CSV in UTF-8, written like the list above. A file counts before the list."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, choice: Choice, *args: Any, **kwargs: Any) -> None:
        super().__init__(choice, *args, **kwargs)
        self.initial.setdefault("how", self.FORM)
        if choice.single is None:
            del self.fields["pairs"], self.fields["file"], self.fields["how"].choices[1]  # type: ignore[attr-defined]
            self.problem_field = "how"
            return
        columns = choice.single.columns
        header = "old,new" if len(columns) == 1 else ",".join(
            f"{side}_{name}" for side in ("old", "new") for name in columns
        )  # fmt: skip
        self.fields["pairs"].help_text = _(
            "CSV: the first line is %(header)s, each other line a missing key and the key that it becomes."
        ) % {"header": header}
        self.fields["pairs"].widget.attrs["placeholder"] = header

    def clean(self) -> dict[str, Any]:
        """Reads the mapping; its mistakes stand beside where it was written."""
        data: dict[str, Any] = super().clean() or {}
        data["mapping"] = None
        if data.get("how") != self.LIST:
            return data
        name, text = (
            ("file", self._sent(data["file"])) if data.get("file") else ("pairs", data.get("pairs", ""))
        )
        self.problem_field = name
        if name in self.errors:
            return data
        if not text.strip():
            self.add_error(name, _("Write a list, or choose a file."))
            return data
        self._read(data, name, text)
        return data

    def _read(self, data: dict[str, Any], name: str, text: str) -> None:
        known_as = data["file"].name if name == "file" else _("the list")
        mapping = parse_mapping(text, known_as)
        if mapping.mistakes:
            self.add_error(name, list(mapping.mistakes))
        data["mapping"] = mapping

    def _sent(self, file: Any) -> str:
        if file.size > MOST_BYTES:
            self.add_error("file", _("The file is larger than 5 MB: send it in parts."))
            return ""
        try:
            return str(file.read().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.add_error(
                "file", _("Line %(line)s is not in UTF-8. Save the file in UTF-8.") % {"line": line}
            )
            return ""

    def options(self) -> dict[str, Any]:
        """The mapping, None for the same but for its spelling."""
        mapping: Mapping | None = self.cleaned_data["mapping"]
        return {"mapping": mapping}


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


class RefuseForm(forms.Form):
    """What a second person says of a plan."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=2_000,
        help_text=gettext_lazy("Needed to refuse: whoever asked reads it."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))


def _parts(text: str) -> KeyTexts:
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        return (text,)
    return tuple(part.strip() for part in rows[0]) if rows else ()
