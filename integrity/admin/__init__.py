"""What people see and do: thin pages over the functions that the commands call."""

from integrity.admin.audit_runs import AuditRunAdmin
from integrity.admin.findings import FindingAdmin
from integrity.admin.history import BackupAdmin, ResolutionAdmin, StoredPlanAdmin
from integrity.admin.jobs import JobAdmin
from integrity.admin.migrating import MigrationRunAdmin
from integrity.admin.orphan_findings import OrphanFindingAdmin
from integrity.admin.query_runs import QueryRunAdmin
from integrity.admin.repair_runs import RepairRunAdmin
from integrity.admin.target_rows import TargetRowAdmin, register_target_models
from integrity.admin.targets import TargetAdmin

__all__ = [
    "AuditRunAdmin",
    "BackupAdmin",
    "FindingAdmin",
    "JobAdmin",
    "MigrationRunAdmin",
    "OrphanFindingAdmin",
    "QueryRunAdmin",
    "RepairRunAdmin",
    "ResolutionAdmin",
    "StoredPlanAdmin",
    "TargetAdmin",
    "TargetRowAdmin",
]

register_target_models()
