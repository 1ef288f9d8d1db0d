"""Orphans: what is wrong, why, and what is to become of them."""

from __future__ import annotations

from django.contrib import admin

from integrity import models
from integrity.admin import deciding
from integrity.admin.rows import RowPages
from integrity.admin.triage.orphans import OrphanTriage


@admin.register(models.OrphanFinding)
class OrphanFindingAdmin(RowPages, deciding.DecidingPages, OrphanTriage):
    """The list and the pages of triage, and those on which people decide."""

    actions = deciding.ACTIONS
    permissions_of_actions = deciding.PERMISSIONS_OF_ACTIONS
