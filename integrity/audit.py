"""References × detectors at one moment: what is wrong, and what was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError

from integrity.database.identifiers import Path
from integrity.database.session import Session, Target
from integrity.detectors import Detector, Finding, Inspection, Severity, all_detectors
from integrity.exceptions import CatalogError, ReferentialIntegrityError, TimedOut
from integrity.references.awaited import awaiting, standing
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.references.resolve import choose, known_references, known_uniques
from integrity.references.rights import closed_default
from integrity.references.uniques import UniqueRule, standing_key


@dataclass(frozen=True)
class Progress:
    """How far something is: ``done`` of ``total`` (None: unknown), and at what."""

    done: int
    total: int | None
    at: str = ""


OnProgress = Callable[[Progress], None]


@dataclass
class Coverage:
    """What was looked at, and what was not, and why: nothing is green that was not looked at.

    ``snapshot`` is ``one`` where all was seen at one moment, else ``per_reference``. ``unread`` are routines
    that nobody can look through, such as a function that composes its SQL: they do not make an audit
    incomplete, which is about rows and rules.
    """

    snapshot: str = "one"
    references: int = 0
    checked: int = 0
    uniques: int = 0
    uniques_checked: int = 0
    skipped: list[dict[str, str]] = field(default_factory=list)
    timed_out: list[dict[str, str]] = field(default_factory=list)
    unread: list[dict[str, str]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether everything known was checked."""
        return not (self.skipped or self.timed_out)

    def as_json(self) -> dict[str, Any]:
        """Returns the coverage as plain values."""
        return {
            "complete": self.complete,
            "snapshot": self.snapshot,
            "references": self.references,
            "checked": self.checked,
            "uniques": self.uniques,
            "uniques_checked": self.uniques_checked,
            "skipped": self.skipped,
            "timed_out": self.timed_out,
            "unread": self.unread,
        }


@dataclass
class AuditResult:
    """What one audit of one target found. ``run`` is the number under which it is stored,
    ``references`` is all that is known, also where only some was asked for."""

    target: str
    vendor: str
    server_version: str
    schema_fingerprint: str
    findings: list[Finding] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    run: int | None = None
    references: tuple[Reference, ...] = ()

    def at_or_above(self, severity: Severity) -> list[Finding]:
        """The findings that ``--fail-on`` counts."""
        return [finding for finding in self.findings if finding.severity.rank >= severity.rank]

    def with_code(self, code: str) -> list[Finding]:
        """The findings of one detector."""
        return [finding for finding in self.findings if finding.code == code]

    def as_json(self) -> dict[str, Any]:
        """Returns the whole result as plain values."""
        return {
            "target": self.target,
            "vendor": self.vendor,
            "server_version": self.server_version,
            "run": self.run,
            "coverage": self.coverage.as_json(),
            "findings": [finding.as_json() for finding in self.findings],
        }


def audit(
    target: Target,
    catalog: Catalog,
    *,
    only: Sequence[Path] = (),
    others: Sequence[Reference] = (),
    statement_timeout_ms: int | None = None,
    on_progress: OnProgress | None = None,
) -> AuditResult:
    """Audits a target.

    Args:
        target: what to look at.
        catalog: what should hold there (an empty catalog: what is declared).
        only: the references to look at, all when empty.
        others: references known from elsewhere, such as the site's models.
        statement_timeout_ms: how long one check may take.
        on_progress: told after each check.

    Raises:
        ReferentialIntegrityError: when the target cannot be opened or the catalog has a mistake.
    """
    with target.reading(statement_timeout_ms=statement_timeout_ms) as session:
        schema = session.schema()
        waiting = awaiting(schema, catalog)
        catalog = standing(schema, catalog)
        known = known_references(schema, catalog, others)
        references = choose(known, schema, only, waiting=waiting)
        result = AuditResult(target.alias, schema.vendor, schema.version, schema.fingerprint())
        result.references = tuple(known)
        result.coverage.references = len(references)
        if reason := closed_default(schema):
            result.coverage.skipped.append({"schema": schema.default_schema, "reason": reason})
        result.coverage.skipped += [] if only else [each.as_coverage(target.alias) for each in waiting]
        uniques = () if only else tuple(known_uniques(schema, catalog))
        result.coverage.uniques = len(uniques)
        inspection = Inspection(session, schema, catalog, tuple(references), uniques, narrowed=bool(only))
        _check(inspection, result, on_progress or (lambda progress: None))
        result.coverage.snapshot = "one" if session.engine.one_moment(session) else "per_reference"
    result.findings.sort(key=lambda each: (-each.severity.rank, each.code, each.table, each.columns))
    return result


def _check(inspection: Inspection, result: AuditResult, on_progress: OnProgress) -> None:
    references, detectors = inspection.references, all_detectors()
    total = len(references) + len(inspection.uniques) + 1
    for number, reference in enumerate(references):
        on_progress(Progress(number, total, reference.label))
        _check_reference(inspection, detectors, reference, result)
    for number, rule in enumerate(inspection.uniques, start=len(references)):
        on_progress(Progress(number, total, rule.label))
        _check_unique(inspection, detectors, rule, result)
    on_progress(Progress(total - 1, total, "structure"))
    inspection = replace(inspection, found=tuple(result.findings), unread=result.coverage.unread)
    for detector in detectors:
        with (
            _covered(inspection.session, result.coverage, {"check": detector.code}),
            inspection.session.look(),
        ):
            result.findings += list(detector.check_structure(inspection))
    on_progress(Progress(total, total))


def _check_reference(
    inspection: Inspection, detectors: Sequence[Detector], reference: Reference, result: AuditResult
) -> None:
    where = {"reference": reference.label}
    with _covered(inspection.session, result.coverage, where), inspection.session.look():
        for detector in detectors:
            result.findings += list(detector.check_reference(inspection, reference))
        result.coverage.checked += 1


def _check_unique(
    inspection: Inspection, detectors: Sequence[Detector], rule: UniqueRule, result: AuditResult
) -> None:
    """Detector by detector: that nothing enforces it is known also where its rows cannot be looked at."""
    session, coverage, where = inspection.session, result.coverage, {"unique": rule.label}
    gaps = len(coverage.skipped) + len(coverage.timed_out)
    with _covered(session, coverage, where), session.look():
        rule = replace(rule, declared=standing_key(inspection.schema, rule, session))
    for detector in detectors:
        with _covered(session, coverage, where), session.look():
            result.findings += list(detector.check_unique(inspection, rule))
    if gaps == len(coverage.skipped) + len(coverage.timed_out):
        coverage.uniques_checked += 1


@contextmanager
def _covered(session: Session, coverage: Coverage, where: dict[str, str]) -> Iterator[None]:
    """A check that cannot be made becomes a gap in the coverage, never a finding or a crash."""
    try:
        yield
    except CatalogError:
        raise
    except TimedOut as error:
        coverage.timed_out.append(where | {"reason": str(error)})
    except (ReferentialIntegrityError, DatabaseError) as error:
        _refuse_lost_connection(session, error)
        coverage.skipped.append(where | {"reason": str(error).strip()})


def _refuse_lost_connection(session: Session, error: Exception) -> None:
    if not session.connection.is_usable():
        raise error
