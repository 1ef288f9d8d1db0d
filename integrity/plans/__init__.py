"""From decisions to ordered steps with a hash; pure but for counting."""

from integrity.plans.build import make_plan
from integrity.plans.mapping import Mapping, read_mapping
from integrity.plans.plan import Change, Effect, Plan, Step, Tally
from integrity.plans.request import Request

__all__ = [
    "Change",
    "Effect",
    "Mapping",
    "Plan",
    "Request",
    "Step",
    "Tally",
    "make_plan",
    "read_mapping",
]
