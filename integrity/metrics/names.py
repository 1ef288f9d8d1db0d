"""Every metric: its name, type, labels and what it says. The document of metrics is held against this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One metric as Prometheus knows it; of a counter the name without ``_total``."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str

    @property
    def exposed(self) -> str:
        """The name that queries use."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


_VIEW = ("view",)
_CONNECTIONS = ("target", "state")

MIGRATION_SECONDS = Metric(
    "integrity_migration_duration_seconds",
    "histogram",
    ("target", "migration", "direction"),
    "How long a migration of a target took, forward or backward.",
)
MIGRATION_FAILURES = Metric(
    "integrity_migration_failures",
    "counter",
    ("target", "migration", "direction"),
    "Migrations of a target that failed.",
)
QUERY_SECONDS = Metric(
    "integrity_query_duration_seconds",
    "gauge",
    ("target", "query", "quantile"),
    "How long a hot query of the catalog took when it was last measured.",
)
QUERY_RATIO = Metric(
    "integrity_query_duration_ratio",
    "gauge",
    ("target", "query"),
    "The median of a hot query divided by its baseline, the machine's own speed taken out.",
)
QUERY_REGRESSED = Metric(
    "integrity_query_regressed",
    "gauge",
    ("target", "query"),
    "1 where a hot query is slower by more than 20% beyond noise or stopped using its index, else 0.",
)
QUERIES_AT = Metric(
    "integrity_last_query_measurement_timestamp_seconds",
    "gauge",
    ("target",),
    "When the hot queries of a target were last measured.",
)
ORPHANS = Metric(
    "integrity_orphans",
    "gauge",
    ("target", "reference", "kept"),
    "Rows that refer to rows which do not exist, at the last audit; kept: by decision.",
)
DUPLICATES = Metric(
    "integrity_duplicates",
    "gauge",
    ("target", "unique", "kept"),
    "Rows that share a value which should be unique, at the last audit; kept: by decision.",
)
AUDITED_AT = Metric(
    "integrity_last_audit_timestamp_seconds", "gauge", ("target",), "When a target was last audited."
)
AUDITED_WHOLE_AT = Metric(
    "integrity_last_complete_audit_timestamp_seconds",
    "gauge",
    ("target",),
    "When a target was last audited and everything in it could be checked.",
)
VIOLATIONS = Metric(
    "integrity_constraint_violations",
    "counter",
    ("target", "kind", "constraint", "view", "handled"),
    "Constraints that were violated within a request; handled: the view went on.",
)
REQUESTS = Metric("integrity_requests", "counter", _VIEW, "Requests, by view.")
REQUESTS_FAILED = Metric(
    "integrity_requests_failed",
    "counter",
    ("view", "kind"),
    "Requests that failed because a constraint was violated.",
)
CONNECTIONS = Metric(
    "integrity_connections", "gauge", _CONNECTIONS, "Connections to the database of a target, by state."
)
SERVER_CONNECTIONS = Metric(
    "integrity_server_connections", "gauge", ("target",), "Connections to the whole server of a target."
)
SERVER_CONNECTIONS_MAX = Metric(
    "integrity_server_connections_max", "gauge", ("target",), "How many connections that server allows."
)
TARGET_UP = Metric(
    "integrity_target_up",
    "gauge",
    ("target",),
    "1 where the server of a target answered within two seconds, else 0.",
)
POOL_CONNECTIONS = Metric(
    "integrity_pool_connections",
    "gauge",
    _CONNECTIONS,
    "Connections of Django's own pool in this process: used and idle.",
)
POOL_MAX = Metric(
    "integrity_pool_connections_max", "gauge", ("target",), "How many connections that pool may have."
)
POOL_WAITING = Metric(
    "integrity_pool_requests_waiting", "gauge", ("target",), "Who waits for a connection of that pool."
)
PROCESS_CONNECTIONS = Metric(
    "integrity_process_connections",
    "gauge",
    ("target",),
    "Connections that Django has open in this process, all threads.",
)
SITE_UP = Metric(
    "integrity_site_database_up",
    "gauge",
    (),
    "1 where the site's own database answered; 0 leaves out all that it remembers.",
)

METRICS = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
