"""Effects on a target: runs of plans, their journal, and taking them back."""

from integrity.repairs.journal import RunRecord
from integrity.repairs.result import Proof, Refusal, RepairResult, RollbackResult, State
from integrity.repairs.rollback import Selection, roll_back
from integrity.repairs.run import Options, list_runs, resume_repair, run_repair

__all__ = [
    "Options",
    "Proof",
    "Refusal",
    "RepairResult",
    "RollbackResult",
    "RunRecord",
    "Selection",
    "State",
    "list_runs",
    "resume_repair",
    "roll_back",
    "run_repair",
]
