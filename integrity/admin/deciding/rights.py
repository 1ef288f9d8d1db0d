"""Who may decide, and who may run what was decided."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integrity import models, store
from integrity.exceptions import PlanMismatch
from integrity.plans import Plan
from integrity.references import Resolution

SEE = "view_orphanfinding"
DECIDE = "decide_finding"
RUN = "run_repair"
APPROVE = "approve_plan"
BACK_UP = "audit_target"
DEDUPLICATE = "deduplicate_finding"

PERMISSIONS = {
    "keep": "keep_finding",
    "delete": "cleanup_finding",
    "set_null": "set_null_finding",
    "reassign": "reassign_finding",
    "relink": "relink_finding",
    "restore_parent": "restore_parent_finding",
}
"""The permission that each decision about orphans needs."""

ASKING = ("keep", "reassign", "relink")
"""The decisions that ask for something before they can be planned; pages lead to their forms by links. What
asks for nothing makes a plan when its button is pressed, and so is posted."""

TITLES = {
    "keep": _("Keep"),
    "delete": _("Delete to quarantine"),
    "set_null": _("Set NULL"),
    "reassign": _("Reassign"),
    "relink": _("Relink"),
    "restore_parent": _("Restore the parent"),
    "deduplicate": _("Resolve duplicates"),
    "suggested": _("As suggested"),
}
"""What each decision is called."""


def resolving(plan: Plan) -> list[str]:
    """Returns the permissions that the decisions of a plan need."""
    decided = {str(step.resolution) for step in plan.orphan_changes}
    decided |= {str(step.resolution) for step in plan.orphan_steps if is_decided_keep(step)}
    return sorted(
        {PERMISSIONS[each] for each in decided} | ({DEDUPLICATE} if plan.duplicate_steps else set())
    )


def permissions_for(plan: Plan) -> list[str]:
    """Returns the permissions that running a plan needs: to run at all, and those of its decisions."""
    return sorted({RUN, *resolving(plan)})


def permissions_to_go_on(run: models.RepairRun) -> list[str]:
    """Returns those that going on with a run needs: those of its plan, all where that is not known."""
    try:
        return permissions_for(store.load_plan(run.target.alias, run.plan_hash))
    except PlanMismatch:
        return sorted({RUN, DEDUPLICATE, *PERMISSIONS.values()})


def is_decided_keep(step: object) -> bool:
    """Whether somebody decided that rows stay, rather than nobody deciding at all."""
    kept = getattr(step, "resolution", None) is Resolution.KEEP
    return kept and bool(getattr(step, "reason", "") or getattr(step, "until", ""))


def decision_of(plan: Plan) -> str:
    """What a plan does, where it does one thing only; else nothing."""
    if plan.duplicate_steps:
        return str(models.Decision.DEDUPLICATE)
    decided = {str(step.resolution) for step in plan.orphan_changes}
    return decided.pop() if len(decided) == 1 else ""
