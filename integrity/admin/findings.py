"""Everything that audits found, and what mends it: decisions about rows, and changes of structure."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from integrity import models
from integrity.admin.deciding import DeduplicatingPages
from integrity.admin.migrating import choose
from integrity.admin.triage.everything import AllFindings


@admin.register(models.Finding)
class FindingAdmin(DeduplicatingPages, AllFindings):
    """Every finding; those about structure lead to schema fixes."""

    actions = ["schema_fixes"]
    permissions_of_actions = {"schema_fixes": "write_migrations"}

    @admin.action(description=_("Schema fixes for the selected findings…"))
    def schema_fixes(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Shows the changes of structure that mend the selected findings."""
        return choose(self, request, queryset)
