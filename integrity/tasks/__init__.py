"""The work itself, as commands, pages and programs call it: do it, store it, tell who listens."""

from integrity.tasks.admitting import waived
from integrity.tasks.adopting import AdoptedScript, Adoption, adopt_scripts
from integrity.tasks.approving import approve_plan, ask_for_approval, refuse_plan
from integrity.tasks.asking import MigrationAsked, ask_for_migrations
from integrity.tasks.background import (
    carry_out,
    choose_carrier,
    plan_in_background,
    resume_job,
    see_lost_jobs,
    start_job,
    wait_for_job,
    wait_for_jobs,
)
from integrity.tasks.deciding import (
    decided_duplicates,
    decided_requests,
    plan_decided,
    plan_decided_duplicates,
)
from integrity.tasks.deduplicating import plan_deduplication_and_store
from integrity.tasks.designing import (
    Designed,
    Offered,
    design,
    fixes_for,
    known_of,
    make_catalog,
    make_migrations,
    offered_fixes,
)
from integrity.tasks.fleet import PhaseCount, TargetMigrations, migrations_of_all
from integrity.tasks.guessing import Basis, Guess, Pace, guess, pace_of, together, took_elsewhere
from integrity.tasks.looking import TargetState, look_at_targets
from integrity.tasks.measuring import measure_and_store
from integrity.tasks.migrating import (
    changes_since,
    ledgers_of,
    longest_of,
    migrate_and_store,
    plan_of_migrations,
    same_catalog,
    status_of_migrations,
)
from integrity.tasks.modelling import Modelled, make_models
from integrity.tasks.overview import VERSION, health, site_answers, stats, status
from integrity.tasks.reading import audit_and_store, backup_and_store, others_of, plan_and_store
from integrity.tasks.releasing import ReleaseStep, TargetRelease, failed, release
from integrity.tasks.repairing import mirror, repair_and_store, resume_and_store, roll_back_and_store
from integrity.tasks.restoring import look_before_rollback
from integrity.tasks.reversing import (
    Reversal,
    migrated_since,
    roll_back_unvalidated,
    roll_back_with_migrations,
)
from integrity.tasks.running import run_plan
from integrity.tasks.scripting import audit_scripts
from integrity.tasks.verifying import expected_constraints, verify_target

__all__ = [
    "VERSION",
    "AdoptedScript",
    "Adoption",
    "Basis",
    "Designed",
    "Guess",
    "MigrationAsked",
    "Modelled",
    "Offered",
    "Pace",
    "PhaseCount",
    "ReleaseStep",
    "Reversal",
    "TargetMigrations",
    "TargetRelease",
    "TargetState",
    "adopt_scripts",
    "approve_plan",
    "ask_for_approval",
    "ask_for_migrations",
    "audit_and_store",
    "audit_scripts",
    "backup_and_store",
    "carry_out",
    "changes_since",
    "choose_carrier",
    "decided_duplicates",
    "decided_requests",
    "design",
    "expected_constraints",
    "failed",
    "fixes_for",
    "guess",
    "health",
    "known_of",
    "ledgers_of",
    "longest_of",
    "look_at_targets",
    "look_before_rollback",
    "make_catalog",
    "make_migrations",
    "make_models",
    "measure_and_store",
    "migrate_and_store",
    "migrated_since",
    "migrations_of_all",
    "mirror",
    "offered_fixes",
    "others_of",
    "pace_of",
    "plan_and_store",
    "plan_decided",
    "plan_decided_duplicates",
    "plan_deduplication_and_store",
    "plan_in_background",
    "plan_of_migrations",
    "refuse_plan",
    "release",
    "repair_and_store",
    "resume_and_store",
    "resume_job",
    "roll_back_and_store",
    "roll_back_unvalidated",
    "roll_back_with_migrations",
    "run_plan",
    "same_catalog",
    "see_lost_jobs",
    "site_answers",
    "start_job",
    "stats",
    "status",
    "status_of_migrations",
    "together",
    "took_elsewhere",
    "verify_target",
    "wait_for_job",
    "wait_for_jobs",
    "waived",
]
