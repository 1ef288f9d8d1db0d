"""Filters whose choices are few, however many findings there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin.triage.kinds import KINDS
from integrity.admin.triage.wording import CAUSES
from integrity.references import Resolution

MOST_TARGETS = 30
MOST_TABLES = 15
LOOKED_AT = 500
"""The largest findings, whose tables are offered."""
IN_THE_BAR = "admin/integrity/filter.html"
"""How a filter is shown above a list; the states have places of their own."""


class StateFilter(admin.SimpleListFilter):
    """What became of a finding: those that are open, unless others are asked for."""

    title = _("state")
    parameter_name = "state__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return models.FindingState.choices

    def state(self) -> str:
        """The state that is shown."""
        asked = self.value()
        return asked if asked in models.FindingState.values else models.FindingState.OPEN

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings of that state."""
        return queryset.filter(state=self.state())

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Open is what a list without a choice shows."""
        for state, name in self.lookup_choices:
            alone = {} if state == models.FindingState.OPEN else {self.parameter_name: state}
            query = changelist.get_query_string(alone, [self.parameter_name])
            yield {"selected": state == self.state(), "query_string": query, "display": name}


class ChosenFilter(admin.SimpleListFilter):
    """One value of one column; the column has an index that begins with the list's state and kind."""

    template = IN_THE_BAR
    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings with that value; of one that is no choice, none."""
        asked = self.value()
        if asked is None:
            return queryset
        known = asked in {str(value) for value, _name in self.lookup_choices}
        return queryset.filter(**{self.column: self.stored(asked)}) if known else queryset.none()

    def stored(self, asked: str) -> Any:
        """A choice as the column has it."""
        return asked


class TargetFilter(ChosenFilter):
    """The targets with most that stands open, and the chosen one."""

    title = _("target")
    parameter_name = "target__id__exact"
    column = "target"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        targets = models.Target.objects.order_by("-errors_open", "-warnings_open", "alias")
        found = list(targets.values_list("pk", "alias")[:MOST_TARGETS])
        asked = request.GET.get(self.parameter_name, "")
        if asked.isdecimal() and len(asked) < 19 and int(asked) not in dict(found):
            found += models.Target.objects.filter(pk=asked).values_list("pk", "alias")
        return [(str(pk), alias) for pk, alias in found]


class TableFilter(ChosenFilter):
    """The tables of the largest findings, of the chosen target or of all, and the chosen one; any other is
    found by searching."""

    title = _("table")
    parameter_name = "table_name"
    column = "table_name"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        standing = model_admin.get_queryset(request).filter(state=models.FindingState.OPEN)
        target = request.GET.get(TargetFilter.parameter_name, "")
        if target.isdecimal() and len(target) < 19:
            standing = standing.filter(target=target)
        looked = standing.order_by(*model_admin.ordering).values_list("table_name", flat=True)
        names = dict.fromkeys(looked[:LOOKED_AT])
        asked = request.GET.get(self.parameter_name)
        offered = dict.fromkeys([*([asked] if asked else []), *sorted(list(names)[:MOST_TABLES])])
        return [(name, name) for name in offered if "\0" not in name]


class SizeFilter(admin.SimpleListFilter):
    """How many rows a finding is about."""

    template = IN_THE_BAR
    title = _("size")
    parameter_name = "size"
    bounds = {"few": (1, 10), "some": (10, 1_000), "many": (1_000, 100_000), "masses": (100_000, None)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return [
            ("few", _("fewer than 10 rows")),
            ("some", _("10 to 1,000 rows")),
            ("many", _("1,000 to 100,000 rows")),
            ("masses", _("100,000 rows and more")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings within the chosen bounds."""
        least, most = self.bounds.get(self.value() or "", (None, None))
        if least is not None:
            queryset = queryset.filter(rows__gte=least)
        return queryset if most is None else queryset.filter(rows__lt=most)


class TrendFilter(ChosenFilter):
    """How the number of rows moved since the look before."""

    title = _("trend")
    parameter_name = "trend"
    column = "trend"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return models.Trend.choices


class CauseFilter(ChosenFilter):
    """What explains most of the rows."""

    title = _("cause")
    parameter_name = "cause"
    column = "cause"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return list(CAUSES.items())


class SeverityFilter(ChosenFilter):
    """How bad it is."""

    title = _("severity")
    parameter_name = "severity__exact"
    column = "badness"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return models.Severity.choices

    def stored(self, asked: str) -> Any:
        """As the number that has an index."""
        return models.Severity.values.index(asked)


class CodeFilter(ChosenFilter):
    """What kind of thing was found."""

    title = _("kind")
    parameter_name = "code"
    column = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices: what there are detectors for."""
        return [(code, kind.name) for code, kind in KINDS.items()]


class DecisionFilter(ChosenFilter):
    """What stands decided for the whole finding."""

    title = _("decision")
    parameter_name = "decision"
    column = "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        names = dict(models.Decision.choices)
        return [("none", _("nobody decided")), *((str(each), names[each]) for each in Resolution)]

    def stored(self, asked: str) -> Any:
        """Nothing, where nobody decided."""
        return "" if asked == "none" else asked
