"""Does every rule hold, and is it enforced? Read, tried, and taken back; nothing is changed."""

from integrity.verification.comparing import MeasuredQueries, QueryComparison, compare
from integrity.verification.measurement import Measurements, QueryMeasurement
from integrity.verification.queries import query_plans
from integrity.verification.result import (
    ConstraintState,
    ExpectedConstraint,
    FlowResult,
    QueryPlan,
    UniqueState,
    VerifyResult,
)
from integrity.verification.verify import verify

__all__ = [
    "ConstraintState",
    "ExpectedConstraint",
    "FlowResult",
    "MeasuredQueries",
    "Measurements",
    "QueryComparison",
    "QueryMeasurement",
    "QueryPlan",
    "UniqueState",
    "VerifyResult",
    "compare",
    "query_plans",
    "verify",
]
