"""From a decision to a plan, from a plan to a run: what is shown is what runs."""

from integrity.admin.deciding.pages import ACTIONS, DecidingPages
from integrity.admin.deciding.rights import PERMISSIONS, TITLES, permissions_for

__all__ = ["ACTIONS", "PERMISSIONS", "TITLES", "DecidingPages", "permissions_for"]
