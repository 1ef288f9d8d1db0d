"""Everything that should hold, held against a target: read, tried and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError

from integrity.audit import OnProgress, Progress
from integrity.database.identifiers import Path
from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session, Target
from integrity.exceptions import NoRoom, ReadOnlyTarget, ReferentialIntegrityError, TargetBusy, TimedOut
from integrity.plans import Request
from integrity.plans.survey import count_orphans
from integrity.references.awaited import awaiting, standing
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.references.resolve import choose, known_references
from integrity.references.uniques import UniqueRule
from integrity.verification.conclusion import Decisions, conclude
from integrity.verification.constraints import different_constraint, lost_constraints, missing_constraint
from integrity.verification.flows import broken_flow, run_flow
from integrity.verification.indexes import missing_indexes
from integrity.verification.kept_parts import not_kept
from integrity.verification.mirrors import mirror_problems
from integrity.verification.parameters import NoValue
from integrity.verification.queries import plans_of, queries_without_index
from integrity.verification.required import required_problems
from integrity.verification.result import SYSTEM_CATALOG, ExpectedConstraint, VerifyResult
from integrity.verification.trial import Outcome, by_system_catalog, tried
from integrity.verification.unique_trial import tried_uniques
from integrity.verification.uniques import conclude_uniques, look_at_uniques, uniques_to_look_at


def verify(
    target: Target,
    catalog: Catalog,
    *,
    only: Sequence[Path] = (),
    allow_kept: bool = False,
    kept: Mapping[str, str] | None = None,
    kept_parts: Mapping[str, Sequence[Request]] | None = None,
    expected: Sequence[ExpectedConstraint] = (),
    plans: bool = True,
    flows: bool = True,
    trial: bool = True,
    others: Sequence[Reference] = (),
    on_progress: OnProgress | None = None,
) -> VerifyResult:
    """Verifies that every rule holds and is enforced; changes nothing.

    Args:
        target: what to look at.
        catalog: what should hold there (an empty catalog: what is declared).
        only: the references to look at; then nothing is said of indexes, queries and flows.
        allow_kept: whether orphans that somebody decided to keep may pass.
        kept: for references whose orphans are kept by decision, their labels with the ISO date
            until when (empty: without end).
        kept_parts: for references of whose orphans some are kept by decision, which ones.
        expected: constraints that migrations made, so that one dropped since is noticed.
        plans: whether to look at the plans of the catalog's queries.
        flows: whether to run the catalog's flows, and take them back.
        trial: whether to try each foreign key and unique with a row that it must refuse, taken back.
        others: references known from elsewhere, such as the site's models.
        on_progress: told after each check.

    Raises:
        ReferentialIntegrityError: when the target cannot be opened or the catalog has a mistake.
    """
    with target.reading() as session:
        work = _work(session, catalog, only, others)
        work.on_progress, work.parts = on_progress, kept_parts or {}
        work.total = len(work.references) + (len(work.catalog.flows) if flows and not only else 0)
        result, orphans = work.result, work.count(session)
        unusable = {key: session.engine.unusable(session, key) for key in work.keys}
        rules = work.look_at_structure(session, expected, plans=plans)
        result.coverage.snapshot = "one" if session.engine.one_moment(session) else "per_reference"
    with target.changing() as session:
        outcomes = work.try_keys(session, unusable, trial=trial)
        refusing = tried_uniques(session, work.schema, rules, trial=trial)
        if flows and not only:
            work.run_flows(session)
    work.told("", step=0)
    conclude_uniques(result, work.schema, rules, refusing)
    decisions = Decisions(dict(kept or {}), allow_kept, work.parts, work.left)
    conclude(result, work.references, orphans, outcomes, decisions)
    return result


def _work(session: Session, catalog: Catalog, only: Sequence[Path], others: Sequence[Reference]) -> _Work:
    alias, schema = session.target.alias, session.schema()
    waiting = awaiting(schema, catalog)
    catalog = standing(schema, catalog)
    references = choose(known_references(schema, catalog, others), schema, only, waiting=waiting)
    result = VerifyResult(alias, schema.vendor, schema.version, schema.fingerprint())
    result.coverage.skipped += [] if only else [each.as_coverage(alias) for each in waiting]
    return _Work(schema, catalog, references, result, bool(only))


@dataclass
class _Work:
    """One verification on its way."""

    schema: Schema
    catalog: Catalog
    references: list[Reference]
    result: VerifyResult
    narrowed: bool
    on_progress: OnProgress | None = None
    total: int = 0
    parts: Mapping[str, Sequence[Request]] = field(default_factory=dict)
    left: dict[Reference, int] = field(default_factory=dict)
    done: int = 0

    @property
    def keys(self) -> list[ForeignKey]:
        """The foreign keys that are there for the references."""
        return [each.declared for each in self.references if each.declared]

    def told(self, at: str, *, step: int = 1) -> None:
        """Says how far this is, before the next step."""
        if self.on_progress:
            self.on_progress(Progress(self.done, self.total, at))
        self.done += step

    # -- reading ---------------------------------------------------------------------------

    def _leave_out_kept(self, session: Session, reference: Reference, rows: int) -> None:
        """Counts those of ``rows`` orphans that nobody decided to keep one by one."""
        parts = self.parts.get(reference.label)
        left = not_kept(session, self.schema, reference, parts) if rows and parts else None
        if left is not None:
            self.left[reference] = left

    def count(self, session: Session) -> dict[Reference, int]:
        """Returns the orphans of each reference that could be looked at."""
        coverage, found = self.result.coverage, {}
        coverage.references = len(self.references)
        for reference in self.references:
            self.told(reference.label)
            try:
                with session.look():
                    found[reference] = count_orphans(session, self.schema, reference)[0]
                    self._leave_out_kept(session, reference, found[reference])
                coverage.checked += 1
            except TimedOut as error:
                coverage.timed_out.append({"reference": reference.label, "reason": str(error)})
            except (ReferentialIntegrityError, DatabaseError) as error:
                if not session.connection.is_usable():
                    raise
                coverage.skipped.append({"reference": reference.label, "reason": str(error).strip()})
        return found

    def look_at_structure(
        self, session: Session, expected: Sequence[ExpectedConstraint], *, plans: bool
    ) -> list[UniqueRule]:
        """Looks at what is there: constraints, uniques, indexes, plans. Returns the uniques."""
        problems, target = self.result.problems, self.result.target
        lost = list(lost_constraints(session, self.schema, expected, target))
        problems += lost
        gone = {(each.table, frozenset(each.columns)) for each in lost}
        for reference in self.references:
            if (reference.table, frozenset(reference.columns)) not in gone:
                problems += missing_constraint(self.schema, reference, target)
            problems += different_constraint(self.schema, reference)
        if self.narrowed:
            return []
        rules = uniques_to_look_at(session, self.schema, self.catalog, self.result)
        look_at_uniques(session, self.schema, rules, self.result, {each.object for each in lost})
        problems += required_problems(session, self.schema, self.catalog)
        problems += missing_indexes(self.schema, self.catalog, target)
        problems += mirror_problems(session, self.schema, self.catalog, self.references)
        if plans:
            self.result.queries = plans_of(session, self.schema, self.catalog)
            problems += queries_without_index(self.schema, self.result.queries)
            self.result.coverage.skipped += [
                {"query": plan.name, "reason": plan.error} for plan in self.result.queries if plan.error
            ]
        return rules

    # -- trying ----------------------------------------------------------------------------

    def try_keys(
        self, session: Session, unusable: Mapping[ForeignKey, str], *, trial: bool
    ) -> dict[ForeignKey, Outcome]:
        """Returns for each foreign key whether it binds."""
        outcomes = {key: Outcome(False, SYSTEM_CATALOG, why) for key, why in unusable.items() if why}
        rest = [key for key in self.keys if key not in outcomes]
        if not trial:
            return outcomes | {key: by_system_catalog(key, "no trial was asked for") for key in rest}
        return outcomes | dict(tried(session, self.schema, rest))

    def run_flows(self, session: Session) -> None:
        """Runs the flows one after the other."""
        for flow in self.catalog.flows:
            self.told(flow.name)
            try:
                done = run_flow(session, self.catalog, flow)
            except (NoValue, TargetBusy, ReadOnlyTarget, NoRoom) as error:
                self.result.coverage.skipped.append({"flow": flow.name, "reason": str(error)})
            else:
                self.result.flows.append(done)
                self.result.problems += broken_flow(self.schema, done)
