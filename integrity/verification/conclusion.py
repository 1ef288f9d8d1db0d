"""What a reference's rows and its constraint amount to, in view of what somebody decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from integrity.database.schema import ForeignKey
from integrity.detectors.finding import Finding, Severity
from integrity.plans import Request
from integrity.references.reference import Reference, Resolution, written
from integrity.verification.constraints import problem, shown
from integrity.verification.kept_parts import first_end
from integrity.verification.result import ConstraintState, VerifyResult
from integrity.verification.trial import Outcome


@dataclass(frozen=True)
class Decisions:
    """Orphans that somebody decided to keep, by reference until a date, and whether they may pass.

    Of the references in ``parts`` some are kept one by one, and ``left`` is how many are not.
    """

    kept: dict[str, str]
    allowed: bool
    parts: Mapping[str, Sequence[Request]] = field(default_factory=dict)
    left: Mapping[Reference, int] = field(default_factory=dict)

    def until(self, reference: Reference) -> str | None:
        """The ISO date until when a reference's orphans are kept (empty: without end), None where
        nobody decided so."""
        if reference.label not in self.kept and self.left.get(reference) == 0:
            return first_end(self.parts[reference.label])
        policy = "" if reference.policy is Resolution.KEEP else None
        return self.kept.get(reference.label, policy)

    def kept_of(self, reference: Reference, rows: int) -> int:
        """How many of a reference's orphans are kept one by one."""
        return rows - self.left.get(reference, rows)

    def keeps(self, reference: Reference) -> bool:
        """Whether a decision to keep all of a reference's orphans stands today."""
        until = self.until(reference)
        return until == "" or (until is not None and until >= datetime.now(tz=UTC).date().isoformat())


def conclude(
    result: VerifyResult,
    references: Sequence[Reference],
    orphans: Mapping[Reference, int],
    outcomes: Mapping[ForeignKey, Outcome],
    decisions: Decisions,
) -> None:
    """Adds to a result what there is to say of each reference, and sorts its problems."""
    for reference in references:
        rows = orphans.get(reference, 0)
        kept = bool(rows) and decisions.keeps(reference)
        if kept:
            result.problems.append(_kept(reference, rows, decisions))
        elif rows:
            result.problems.append(_orphaned(reference, rows, decisions, result.target))
        if reference.declared:
            made = _state(result.vendor, reference, reference.declared, rows, outcomes[reference.declared])
            result.constraints.append(made)
            result.problems += _not_enforced(reference, made)
            result.problems += () if kept else _not_validated(reference, reference.declared, made)
    result.problems.sort(key=lambda each: (-each.severity.rank, each.code, each.table, each.columns))


def _rows(number: int) -> str:
    return f"{number:,} row" if number == 1 else f"{number:,} rows"


def _kept(reference: Reference, rows: int, decisions: Decisions) -> Finding:
    until = decisions.until(reference)
    bound = "enforced for new rows, " if reference.declared else ""
    return problem(
        "kept_orphans",
        reference,
        f"{reference}: {bound}{_rows(rows)} kept by decision" + (f" until {until}" if until else ""),
        "" if decisions.allowed else "Resolve them, or let them pass with --allow-kept",
        rows=rows,
        severity=Severity.INFO if decisions.allowed else Severity.ERROR,
        evidence={"until": until},
    )


def _orphaned(reference: Reference, rows: int, decisions: Decisions, target: str) -> Finding:
    parent = written(reference.referenced_table, reference.referenced_columns)
    until, single = decisions.until(reference), decisions.kept_of(reference, rows)
    some = f"; {single:,} of them kept by decision" if single else ""
    ended = f"; the decision to keep them ended on {until}" if until else ""
    return problem(
        "orphaned_rows",
        reference,
        f"{_rows(rows)} of {reference.label} without what {'it refers' if rows == 1 else 'they refer'} to "
        f"in {parent}{some}{ended}",
        f"manage.py integrity_plan {target} --reference {reference.label}",
        rows=rows,
    )


def _state(
    vendor: str, reference: Reference, key: ForeignKey, rows: int, outcome: Outcome
) -> ConstraintState:
    """SQLite keeps no flag for it: there a key is valid where no row breaks it."""
    other_name = reference.name and key.name != reference.name
    return ConstraintState(
        table=key.table,
        name=key.name,
        columns=key.columns,
        referenced_table=key.referenced_table,
        referenced_columns=key.referenced_columns,
        on_delete=str(key.on_delete),
        on_update=str(key.on_update),
        match=str(key.match),
        validated=not rows if vendor == "sqlite" else key.validated,
        enforced=outcome.enforced,
        by=outcome.by,
        reason=outcome.reason,
        orphans=rows,
        note=f"the catalog calls it {reference.name}" if other_name else "",
    )


def _not_enforced(reference: Reference, made: ConstraintState) -> Iterator[Finding]:
    if made.enforced or reference.declared is None:
        return
    why = f": {made.reason}" if made.reason else ""
    yield problem(
        "constraint_not_enforced",
        reference,
        f"{shown(reference.declared)} is not enforced{why}",
        "Switch it on (ENABLE TRIGGER ALL, ALTER CONSTRAINT … ENFORCED), or make what it refers to unique",
        object=made.name,
        evidence={"by": made.by},
    )


def _not_validated(reference: Reference, key: ForeignKey, made: ConstraintState) -> Iterator[Finding]:
    if key.validated:
        return
    yield problem(
        "constraint_not_validated",
        reference,
        f"{shown(key)} is {'enforced for new rows only' if made.enforced else 'not validated'}",
        "Resolve its orphans, then apply phase 3 with integrity_migrate",
        object=key.name,
    )
