"""What missing keys mean: said by how they are spelled, or by a list that somebody wrote down."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity.admin.deciding.choice import Choice
from integrity.admin.deciding.forms import DecidingForm, first_of
from integrity.plans import Mapping, parse_mapping
from integrity.plans.offers import How

MOST_BYTES = 5_000_000
"""Of a mapping that is sent as a file."""


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
        widget=forms.Textarea(
            attrs={"rows": 8, "class": "vLargeTextField", "spellcheck": "false", "translate": "no"}
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("or a file"),
        required=False,
        help_text=gettext_lazy("CSV in UTF-8, written like the list above. A file counts before the list."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, choice: Choice, *args: Any, **kwargs: Any) -> None:
        super().__init__(choice, *args, **kwargs)
        by_list = choice.single is not None and not choice.offered(How.BY_FORM)
        self.initial.setdefault("how", self.LIST if by_list else self.FORM)
        if choice.single is None:
            del self.fields["pairs"], self.fields["file"], self.fields["how"].choices[1]  # type: ignore[attr-defined]
            self.problem_field = "how"
            return
        header = _header(choice.single.columns)
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
            self.add_error(name, first_of(mapping.mistakes))
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


def _header(columns: Sequence[str]) -> str:
    """The first line of a list."""
    if len(columns) == 1:
        return "old,new"
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(
        f"{side}_{name}" for side in ("old", "new") for name in columns
    )
    return line.getvalue()
