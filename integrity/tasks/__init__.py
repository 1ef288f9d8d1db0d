"""The work itself, as commands, pages and programs call it: do it, store it, tell who listens."""

from integrity.tasks.background import carry_out, start_job, wait_for_jobs
from integrity.tasks.migrating import migrate_and_store, plan_of_migrations, status_of_migrations
from integrity.tasks.reading import audit_and_store, backup_and_store, others_of, plan_and_store
from integrity.tasks.repairing import mirror, repair_and_store, resume_and_store, roll_back_and_store

__all__ = [
    "audit_and_store",
    "backup_and_store",
    "carry_out",
    "migrate_and_store",
    "mirror",
    "others_of",
    "plan_and_store",
    "plan_of_migrations",
    "repair_and_store",
    "resume_and_store",
    "roll_back_and_store",
    "start_job",
    "status_of_migrations",
    "wait_for_jobs",
]
