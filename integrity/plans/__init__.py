"""From decisions to ordered steps with a hash; pure but for counting."""

from integrity.plans.build import Request, make_plan
from integrity.plans.plan import Change, Effect, Plan, Step, Tally

__all__ = ["Change", "Effect", "Plan", "Request", "Step", "Tally", "make_plan"]
