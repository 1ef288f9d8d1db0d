"""Long work: how far it is, and what came of it."""

from integrity.admin.jobs.pages import JobAdmin

__all__ = ["JobAdmin"]
