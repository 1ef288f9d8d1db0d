"""What somebody chose to put back: some rows, a table, everything for one reason, or a whole run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from integrity import models
from integrity.admin.cells import grouped
from integrity.database.session import Target
from integrity.exceptions import InvalidPlace
from integrity.repairs import Selection
from integrity.repairs.quarantine import selection_in

CHOSEN_AT_MOST = 500
"""So many rows are chosen one by one; more are a table or a run."""


@dataclass(frozen=True)
class Chosen:
    """What is to come back of a run; everything where nothing more is said."""

    run: models.RepairRun
    rows: tuple[tuple[str, int], ...] = ()
    table: str = ""
    reason: str = ""
    relatives: bool = False

    @property
    def whole(self) -> bool:
        """Whether all of the run is meant."""
        return not (self.rows or self.table or self.reason)

    @property
    def sentence(self) -> str:
        """What is meant, in words."""
        run = _("run %(number)s of %(target)s") % {
            "number": self.run.number,
            "target": self.run.target.alias,
        }
        if self.rows:
            rows = {"rows": grouped(len(self.rows)), "run": run}
            return (
                ngettext("%(rows)s chosen row of %(run)s", "%(rows)s chosen rows of %(run)s", len(self.rows))
                % rows
            )
        if self.table and self.reason:
            facts = {"table": self.table, "reason": self.reason, "run": run}
            return _("what %(run)s did to %(table)s because of %(reason)s") % facts
        if self.table:
            return _("what %(run)s did to %(table)s") % {"table": self.table, "run": run}
        if self.reason:
            return _("what %(run)s did because of %(reason)s") % {"reason": self.reason, "run": run}
        return run

    def fields(self) -> list[tuple[str, str]]:
        """Names and values by which a form says the same again."""
        pairs = [("target", self.run.target.alias), ("run", str(self.run.number))]
        pairs += [("row", json.dumps(row)) for row in self.rows]
        pairs += [(name, value) for name, value in (("table", self.table), ("reason", self.reason)) if value]
        return pairs

    def selection(self) -> Selection:
        """Returns it as a rollback takes it.

        Raises:
            InvalidPlace: when the journal has no such rows of this run.
            TargetUnreachable: when the journal cannot be read.
        """
        if self.whole:
            return Selection()
        return selection_in(
            Target(self.run.target.alias),
            self.run.number,
            choices=self.rows,
            table=self.table,
            reference=self.reason,
        )


def chosen(request: HttpRequest) -> Chosen:
    """Reads what somebody chose.

    Raises:
        Http404: for a run that is not known.
        InvalidPlace: for rows that no page gave out.
    """
    data: QueryDict = request.POST if request.method == "POST" else request.GET
    number, alias = data.get("run", ""), data.get("target", "")
    if not number.isdecimal() or len(number) > 18 or "\0" in alias:
        raise Http404(_("There is no such run."))
    run = get_object_or_404(
        models.RepairRun.objects.select_related("target"), target__alias=alias, number=int(number)
    )
    return Chosen(
        run,
        rows=_rows(data.getlist("row")),
        table=_word(data.get("table", "")),
        reason=_word(data.get("reason", "")),
        relatives="relatives" in data,
    )


def _word(text: str) -> str:
    if "\0" in text:
        raise _invalid()
    return text


def _rows(texts: Sequence[str]) -> tuple[tuple[str, int], ...]:
    if len(texts) > CHOSEN_AT_MOST:
        raise _invalid()
    return tuple(dict.fromkeys(map(_row, texts)))


def _row(text: str) -> tuple[str, int]:
    try:
        journal, seq = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise _invalid() from error
    if type(seq) is not int or not 0 < seq < 2**63 or not isinstance(journal, str) or "\0" in journal:
        raise _invalid()
    return journal, seq


def _invalid() -> InvalidPlace:
    return InvalidPlace(
        _("These are no rows of a quarantine"), hint=_("Look at the quarantine again, and choose there.")
    )
