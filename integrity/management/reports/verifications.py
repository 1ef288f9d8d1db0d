"""What a verification says to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrity.detectors import Severity
from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.management.reports.audits import coverage_blocks
from integrity.management.reports.measurements import measured_blocks
from integrity.models.target import server
from integrity.references.reference import written
from integrity.verification import ConstraintState, UniqueState, VerifyResult

_STYLES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def verify_blocks(result: VerifyResult) -> Iterator[Block]:
    """Yields the verdict, every constraint, queries and flows, and what is wrong."""
    yield Title(f"{result.target}: {server(result.vendor, result.server_version)}, verification")
    yield _verdict(result)
    yield from _constraints(result.constraints)
    yield from _uniques(result.uniques)
    yield from _queries(result)
    yield from _flows(result)
    if result.problems:
        yield Title("What is wrong" if result.failed else "To know")
    for each in result.problems:
        yield Line(each.message, _STYLES[each.severity], 1)
        if each.suggestion:
            yield Line(f"→ {each.suggestion}", "faint", 2)
    yield from coverage_blocks(result.coverage)


def _verdict(result: VerifyResult) -> Line:
    if result.ok:
        return Line("Every rule holds and is enforced.", "good")
    errors = [each for each in result.problems if each.severity is Severity.ERROR]
    if errors:
        return Line(f"It does not hold: {count(len(errors), 'problem')}.", "error")
    return Line("Not everything could be looked at.", "warning")


def _constraints(found: list[ConstraintState]) -> Iterator[Block]:
    if not found:
        return
    yield Title("Constraints")
    rows = [_constraint_row(each) for each in sorted(found, key=lambda each: (each.table, each.columns))]
    yield Grid(("constraint", "on", "refers to", "on delete", "validated", "enforced", "known by"), rows)


def _constraint_row(each: ConstraintState) -> tuple[Any, ...]:
    return (
        each.name or "(nameless)",
        written(each.table, each.columns),
        written(each.referenced_table, each.referenced_columns),
        each.on_delete,
        each.validated,
        each.enforced,
        each.by,
    )


def _uniques(found: list[UniqueState]) -> Iterator[Block]:
    if not found:
        return
    yield Title("Uniques")
    rows = [
        (
            each.name,
            written(each.table),
            ", ".join(each.terms) + ("" if each.nulls_distinct else " nulls not distinct"),
            each.where,
            "constraint" if each.constraint else "index",
            each.validated,
            each.enforced,
            each.by,
        )
        for each in found
    ]
    yield Grid(("unique", "on", "columns", "where", "as", "validated", "enforced", "known by"), rows)


def _queries(result: VerifyResult) -> Iterator[Block]:
    if result.queries:
        yield Title("Queries")
        rows = [
            (each.name, each.table, each.before, str(each.access or "?"), each.uses_index)
            for each in result.queries
        ]
        yield Grid(("query", "table", "before", "now", "can use its index"), rows)
    if result.measured:
        yield from measured_blocks(result.measured)


def _flows(result: VerifyResult) -> Iterator[Block]:
    if result.flows:
        yield Title("Flows")
        rows = [
            (each.name, each.statements, "works" if each.ok else f"fails: {each.error}")
            for each in result.flows
        ]
        yield Grid(("flow", "statements", "outcome"), rows)
