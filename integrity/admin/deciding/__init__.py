"""From a decision to a plan, from a plan to a run: what is shown is what runs."""

from integrity.admin.deciding.pages import (
    ACTIONS,
    PERMISSIONS_OF_ACTIONS,
    DecidingPages,
    DeduplicatingPages,
)
from integrity.admin.deciding.rights import ASKING, DEDUPLICATE, PERMISSIONS, TITLES, permissions_for

__all__ = [
    "ACTIONS",
    "ASKING",
    "DEDUPLICATE",
    "PERMISSIONS",
    "PERMISSIONS_OF_ACTIONS",
    "TITLES",
    "DecidingPages",
    "DeduplicatingPages",
    "permissions_for",
]
