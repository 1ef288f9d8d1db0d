"""Effects on a target: runs of plans, their journal, and taking them back."""

from integrity.repairs.journal import RunRecord
from integrity.repairs.result import (
    DEDUPLICATION,
    Proof,
    Refusal,
    RepairResult,
    RollbackResult,
    State,
    command_for,
)
from integrity.repairs.rollback import roll_back
from integrity.repairs.run import Options, find_run, list_runs, resume_repair, run_repair
from integrity.repairs.selection import Selection

__all__ = [
    "DEDUPLICATION",
    "Options",
    "Proof",
    "Refusal",
    "RepairResult",
    "RollbackResult",
    "RunRecord",
    "Selection",
    "State",
    "command_for",
    "find_run",
    "list_runs",
    "resume_repair",
    "roll_back",
    "run_repair",
]
