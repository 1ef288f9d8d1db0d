"""What somebody is told: names and numbers. What a migration says of duplicates holds their values, as the
command prints them: masked where the catalog masks the column."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrity import models
from integrity.metrics.watching import Occurrence
from integrity.operations.executor import StepEvent
from integrity.verification import QueryComparison


class Kind(StrEnum):
    """What happened."""

    MIGRATION_FAILED = "migration_failed"
    APPROVAL_ASKED = "approval_asked"
    QUERY_SLOWER = "query_slower"
    CONSTRAINT_VIOLATED = "constraint_violated"


@dataclass(frozen=True)
class Alert:
    """One alert. ``facts`` are plain values for programs; one that is not ``urgent`` is not mailed. ``about``
    tells those of one kind and target apart that are no burst."""

    kind: Kind
    target: str
    title: str
    text: str
    facts: dict[str, Any]
    urgent: bool = True
    about: str = ""


def of_migration(target: str, step: StepEvent) -> Alert:
    """Returns what there is to say of a migration that failed."""
    facts = {
        "migration": step.name,
        "phase": step.phase,
        "backwards": step.backwards,
        "seconds": round(step.seconds, 3),
        "error": step.error,
        "checks": [each.as_json() for each in step.checks],
    }
    title = f"Migration {step.name} of {target} failed"
    return Alert(Kind.MIGRATION_FAILED, target, title, step.error, facts)


def of_approval(target: str, asked: models.Approval) -> Alert:
    """Returns what there is to say of a plan that waits for a second person."""
    plan = asked.plan.hash[:12]
    title = f"A plan for {target} waits for approval"
    text = f"{asked.asked_by} asks for approval of plan {plan}. Somebody else looks at it in admin."
    return Alert(
        Kind.APPROVAL_ASKED, target, title, text, {"plan": plan, "asked_by": asked.asked_by}, about=plan
    )


def of_query(target: str, found: QueryComparison) -> Alert:
    """Returns what there is to say of a query that got slower."""
    title = f"The query {found.name} of {target} got slower"
    facts = {"query": found.name, "ratio": found.ratio, "reason": found.reason, "judged_by": found.judged_by}
    return Alert(Kind.QUERY_SLOWER, target, title, found.reason, facts)


def of_violation(target: str, found: Occurrence) -> Alert:
    """Returns what there is to say of a violation; one that the view handled is for the log alone."""
    violation = found.violation
    where = target or "the site"
    facts = {
        "kind": str(violation.kind),
        "constraint": violation.constraint,
        "table": violation.table,
        "view": found.view,
        "handled": found.handled,
    }
    text = f"{str(found).capitalize()}. The metrics count how often: integrity_constraint_violations_total."
    return Alert(
        Kind.CONSTRAINT_VIOLATED,
        target,
        f"A {str(violation.kind).replace('_', ' ')} of {where} was violated",
        text,
        facts,
        urgent=not found.handled,
    )
