"""What the site remembers of its targets; values become models, and back, in `integrity.store` alone."""

from integrity.models.audit_run import AuditRun
from integrity.models.backup import Backup
from integrity.models.finding import DUPLICATE_ROWS, ORPHANED_ROWS, Finding, FindingNote, OrphanFinding
from integrity.models.job import Job, JobNote, Worker
from integrity.models.migration_run import MigrationRun
from integrity.models.query_run import QueryRun, QueryTiming
from integrity.models.reference_map import ReferenceMap
from integrity.models.repair_run import RepairRun
from integrity.models.resolution import Decision, Resolution
from integrity.models.states import (
    ApprovalState,
    Carrier,
    Direction,
    FindingState,
    JobKind,
    Occasion,
    RunKind,
    RunState,
    Severity,
    Trend,
    Wish,
)
from integrity.models.stored_plan import Approval, StoredPlan
from integrity.models.target import Target

__all__ = [
    "DUPLICATE_ROWS",
    "ORPHANED_ROWS",
    "Approval",
    "ApprovalState",
    "AuditRun",
    "Backup",
    "Carrier",
    "Decision",
    "Direction",
    "Finding",
    "FindingNote",
    "FindingState",
    "Job",
    "JobKind",
    "JobNote",
    "MigrationRun",
    "Occasion",
    "OrphanFinding",
    "QueryRun",
    "QueryTiming",
    "ReferenceMap",
    "RepairRun",
    "Resolution",
    "RunKind",
    "RunState",
    "Severity",
    "StoredPlan",
    "Target",
    "Trend",
    "Wish",
    "Worker",
]
