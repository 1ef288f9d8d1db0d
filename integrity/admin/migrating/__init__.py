"""Driving migrations: from findings to files, from files to targets, phase by phase, and back."""

from integrity.admin.migrating.choosing import choose
from integrity.admin.migrating.runs import MigrationRunAdmin

__all__ = ["MigrationRunAdmin", "choose"]
