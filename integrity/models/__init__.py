"""What the site remembers of its targets; values become models, and back, in `integrity.store` alone."""

from integrity.models.audit_run import AuditRun
from integrity.models.backup import Backup
from integrity.models.finding import ORPHANED_ROWS, Finding, OrphanFinding
from integrity.models.job import Job
from integrity.models.migration_run import MigrationRun
from integrity.models.query_run import QueryRun, QueryTiming
from integrity.models.repair_run import RepairRun
from integrity.models.resolution import Decision, Resolution
from integrity.models.states import Direction, FindingState, JobKind, Occasion, RunKind, RunState, Severity
from integrity.models.stored_plan import StoredPlan
from integrity.models.target import Target

__all__ = [
    "ORPHANED_ROWS",
    "AuditRun",
    "Backup",
    "Decision",
    "Direction",
    "Finding",
    "FindingState",
    "Job",
    "JobKind",
    "MigrationRun",
    "Occasion",
    "OrphanFinding",
    "QueryRun",
    "QueryTiming",
    "RepairRun",
    "Resolution",
    "RunKind",
    "RunState",
    "Severity",
    "StoredPlan",
    "Target",
]
