"""Filters that a column of its own cannot give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from integrity import models


class SizeFilter(admin.SimpleListFilter):
    """How many rows a finding is about."""

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


class TrendFilter(admin.SimpleListFilter):
    """How the number of rows moved since the look before."""

    title = _("trend")
    parameter_name = "trend"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return [
            ("new", _("new")),
            ("growing", _("growing")),
            ("shrinking", _("shrinking")),
            ("same", _("unchanged")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings that moved so."""
        wanted: dict[str, dict[str, Any]] = {
            "new": {"previous_rows__isnull": True},
            "growing": {"rows__gt": F("previous_rows")},
            "shrinking": {"rows__lt": F("previous_rows")},
            "same": {"rows": F("previous_rows")},
        }
        return queryset.filter(**wanted.get(self.value() or "", {}))


class DecisionFilter(admin.SimpleListFilter):
    """What was decided last, as the list annotates it."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return [("none", _("nobody decided")), *models.Decision.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings for which it was decided."""
        if self.value() is None:
            return queryset
        if self.value() == "none":
            return queryset.filter(decided__isnull=True)
        return queryset.filter(decided=self.value())
