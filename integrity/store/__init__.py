"""Values become models here, and models values: nothing else reads or writes what the site remembers.

Every write is conditional and looks at the count, so that two processes may do the same at once.
"""

from integrity.store.audits import begin_audit, end_audit, last_audit, store_audit
from integrity.store.decisions import findings_about, store_decision, store_decisions, store_kept
from integrity.store.jobs import (
    ask_job,
    begin_job,
    count_notes,
    create_job,
    end_job,
    forget_job,
    give_job,
    has_workers,
    interrupt_silent,
    is_run_of_another,
    job_alive,
    load_job,
    note_job,
    open_jobs,
    resume_job,
    waiting_jobs,
    wish_of,
    worker_heard,
    worker_left,
    worker_took,
)
from integrity.store.migrations import failed_migrations, last_operations, last_runs_of, times_of_migrations
from integrity.store.plans import claim_plan, load_plan, store_plan
from integrity.store.queries import baseline_for, last_queries, load_queries, store_queries
from integrity.store.reference_maps import KnownReference, KnownReferences, references_of, store_references
from integrity.store.runs import (
    last_backup,
    longest_migrations,
    mirror_runs,
    store_backup,
    store_migration_step,
    store_repair,
)
from integrity.store.site import site_database
from integrity.store.standing import (
    decisions_for,
    duplicate_decisions_for,
    exceptions_for,
    kept_parts,
    kept_until,
)
from integrity.store.targets import count_open, know_targets, reached, target_row, unreachable

__all__ = [
    "KnownReference",
    "KnownReferences",
    "ask_job",
    "baseline_for",
    "begin_audit",
    "begin_job",
    "claim_plan",
    "count_notes",
    "count_open",
    "create_job",
    "decisions_for",
    "duplicate_decisions_for",
    "end_audit",
    "end_job",
    "exceptions_for",
    "failed_migrations",
    "findings_about",
    "forget_job",
    "give_job",
    "has_workers",
    "interrupt_silent",
    "is_run_of_another",
    "job_alive",
    "kept_parts",
    "kept_until",
    "know_targets",
    "last_audit",
    "last_backup",
    "last_operations",
    "last_queries",
    "last_runs_of",
    "load_job",
    "load_plan",
    "load_queries",
    "longest_migrations",
    "mirror_runs",
    "note_job",
    "open_jobs",
    "reached",
    "references_of",
    "resume_job",
    "site_database",
    "store_audit",
    "store_backup",
    "store_decision",
    "store_decisions",
    "store_kept",
    "store_migration_step",
    "store_plan",
    "store_queries",
    "store_references",
    "store_repair",
    "target_row",
    "times_of_migrations",
    "unreachable",
    "waiting_jobs",
    "wish_of",
    "worker_heard",
    "worker_left",
    "worker_took",
]
