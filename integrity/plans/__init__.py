"""From decisions to ordered steps with a hash; pure but for counting."""

from integrity.plans.build import make_plan
from integrity.plans.deduplicating import make_deduplication_plan
from integrity.plans.mapping import Mapping, parse_mapping, read_mapping
from integrity.plans.plan import Change, DuplicateStep, Effect, Plan, Step, Tally
from integrity.plans.request import DuplicateRequest, Request

__all__ = [
    "Change",
    "DuplicateRequest",
    "DuplicateStep",
    "Effect",
    "Mapping",
    "Plan",
    "Request",
    "Step",
    "Tally",
    "make_deduplication_plan",
    "make_plan",
    "parse_mapping",
    "read_mapping",
]
