"""Pages outside of admin, for programs with a token and for staff with the permission."""

from integrity.views.migrating import job, migrate
from integrity.views.prometheus import metrics
from integrity.views.reading import health, stats, status

__all__ = ["health", "job", "metrics", "migrate", "stats", "status"]
