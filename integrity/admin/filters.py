"""Filters that a column of its own cannot give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
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
        return models.Trend.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings that moved so."""
        return queryset if self.value() is None else queryset.filter(trend=self.value())


class DecisionFilter(admin.SimpleListFilter):
    """What stands decided for the whole finding."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The choices."""
        return [("none", _("nobody decided")), *models.Decision.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leaves the findings for which it was decided."""
        if self.value() is None:
            return queryset
        return queryset.filter(decided="" if self.value() == "none" else self.value())
