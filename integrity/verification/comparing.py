"""Whether queries got slower: two measurements of a target, before and after.

A query is slower when it takes more than a fifth longer *beyond noise*. Four things keep noise out:

- Within a measurement the queries run in turn, not one after the other, with the same values in the
  same order, so that a busy moment of the machine meets all of them, and both states where two can
  be measured at once.
- Medians are compared, with an interval that does not presume a distribution: by order statistics
  (the ranks between which the median lies in 99 of 100 samples, from the binomial distribution). Only
  where the *whole* interval of the ratio is beyond the limit is a query slower by time, only where it
  is wholly within is it not. Medians, because p95 and p99 of some hundred runs are mostly noise.
- The machine of today may not be the one of the baseline. A yardstick, a query that reads no table,
  runs between the others; its ratio is divided out. Where it differs by more than half, time says nothing.
- Where time says nothing, because the interval lies across the limit, there are too few runs or too
  little of a difference to see, work decides: pages touched, SQLite's machine steps, or the planner's
  cost where there is nothing better. These are the same on a busy machine as on an idle one.

A query that used its index and cannot any more is slower whatever the clock says: on the table that
has grown it will be. So is one that is now stopped by the time limit and was not before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.identifiers import TableName
from integrity.detectors.finding import Finding, Severity
from integrity.verification.measurement import Measurements, QueryMeasurement

LIMIT = 1.2
"""A query may take a fifth longer."""

CONFIDENCE = 0.99
VISIBLE_MS = 0.1
"""Less than this is the client's and the network's, not the query's."""

STEADY_MACHINE = (0.67, 1.5)
VISIBLE_PAGES = 8
"""Fewer pages than this more are within what two plans for the same rows may differ."""


@dataclass(frozen=True)
class QueryComparison:
    """One query before and after.

    ``ratio`` is the median after divided by the one before, the machine's own speed taken out;
    None where one of them was not timed. ``judged_by`` is ``time``, ``work``, ``index``, or
    nothing where there is nothing to compare. ``reason`` is a sentence for people. ``faster``: by as
    much as would make it slower the other way round, beyond noise.
    """

    name: str
    before: QueryMeasurement | None
    after: QueryMeasurement
    ratio: float | None = None
    regressed: bool = False
    reason: str = ""
    judged_by: str = ""
    faster: bool = False

    @property
    def broken(self) -> bool:
        """Whether it ran before and does not now, for another reason than the time limit."""
        ran = self.before is not None and not self.before.error
        return ran and bool(self.after.error) and not self.after.timed_out

    def as_json(self) -> dict[str, Any]:
        """Returns the comparison as plain values."""
        return {
            "name": self.name,
            "table": self.after.table,
            "before": self.before.as_json() if self.before else None,
            "after": self.after.as_json(),
            "ratio": self.ratio,
            "regressed": self.regressed,
            "faster": self.faster,
            "judged_by": self.judged_by,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class MeasuredQueries:
    """A target's hot queries beside their baseline.

    ``since`` are those that got slower since the last measurement with the same migrations, where
    that is another one than the baseline: what the migrations won may have been lost again.
    """

    after: Measurements
    before: Measurements | None = None
    comparisons: tuple[QueryComparison, ...] = ()
    since: tuple[QueryComparison, ...] = ()

    @property
    def machine(self) -> float:
        """How much longer the yardstick takes now."""
        return round(machine_ratio(self.before, self.after), 3)

    @property
    def regressed(self) -> list[QueryComparison]:
        """The queries that got slower, each once."""
        slower = [each for each in self.comparisons if each.regressed]
        known = {each.name for each in slower}
        return slower + [each for each in self.since if each.name not in known]

    def as_json(self) -> dict[str, Any]:
        """Returns everything as plain values."""
        return {
            "run": self.after.run,
            "baseline": self.before.run if self.before else None,
            "machine": self.machine,
            "seed": self.after.seed,
            "seconds": self.after.seconds,
            "queries": [each.as_json() for each in self.comparisons],
            "slower_than_last": [each.as_json() for each in self.since],
        }


def compare(
    before: Measurements | None, after: Measurements, *, limit: float = LIMIT
) -> tuple[QueryComparison, ...]:
    """Returns each query of ``after`` beside what it was before; see the module for what counts as slower.

    Args:
        before: the baseline, None where there is none yet.
        after: what was measured now.
        limit: the ratio up to which a query is not slower.
    """
    machine = machine_ratio(before, after)
    return tuple(
        compared(before.query(each.name) if before else None, each, machine=machine, limit=limit)
        for each in after.queries
    )


def machine_ratio(before: Measurements | None, after: Measurements) -> float:
    """Returns how much longer the yardstick takes now; 1.0 where nothing says."""
    if before is None or not before.yardstick_ms or not after.yardstick_ms:
        return 1.0
    return after.yardstick_ms / before.yardstick_ms


def compared(
    before: QueryMeasurement | None,
    after: QueryMeasurement,
    *,
    machine: float = 1.0,
    limit: float = LIMIT,
) -> QueryComparison:
    """Returns one query beside what it was before, with the verdict."""
    if before is None or (before.error and not before.timed_out):
        why = f"it was not measured before: {before.error}" if before else "it was not measured before"
        return QueryComparison(after.name, before, after, reason=why)
    ratio = _ratio(before, after, machine)
    verdict = (
        _stopped(before, after)
        or _by_index(before, after)
        or _by_time(before, after, machine, limit)
        or _by_work(before, after, limit)
        or _Verdict("", regressed=False, reason="too few runs to say")
    )
    return QueryComparison(
        after.name, before, after, ratio, verdict.regressed, verdict.reason, verdict.judged_by, verdict.faster
    )


@dataclass(frozen=True)
class _Verdict:
    judged_by: str
    regressed: bool
    reason: str
    faster: bool = False


def _ratio(before: QueryMeasurement, after: QueryMeasurement, machine: float) -> float | None:
    if not before.p50 or not after.p50:
        return None
    return round(after.p50 / before.p50 / machine, 3)


def _stopped(before: QueryMeasurement, after: QueryMeasurement) -> _Verdict | None:
    """One of the two was stopped by the time limit, or does not run."""
    if after.timed_out:
        was = "it was before, too" if before.timed_out else f"it took {shown_ms(before.p50)} before"
        return _Verdict("time", not before.timed_out, f"it was stopped by the time limit; {was}")
    if after.error:
        return _Verdict("", regressed=False, reason=f"it could not be measured: {after.error}")
    if before.timed_out:
        return _Verdict("time", regressed=False, reason="it was stopped by the time limit before")
    return None


def _by_index(before: QueryMeasurement, after: QueryMeasurement) -> _Verdict | None:
    if not before.indexed or after.indexed or after.can_index or after.access.startswith("index"):
        return None
    reason = f"it stopped using its index: {before.access} before, now {after.access or 'nothing'}"
    return _Verdict("index", regressed=True, reason=reason)


def _by_time(
    before: QueryMeasurement, after: QueryMeasurement, machine: float, limit: float
) -> _Verdict | None:
    """A verdict where the clock can tell."""
    old, new = median_interval(before.times_ms), median_interval(after.times_ms)
    if old is None or new is None or not STEADY_MACHINE[0] <= machine <= STEADY_MACHINE[1]:
        return None
    low, high = (new[0] / machine) / old[1], (new[1] / machine) / old[0]
    if high <= limit:
        return _Verdict("time", regressed=False, reason="", faster=high * limit < 1)
    if low > limit and new[0] / machine - old[1] > VISIBLE_MS:
        return _Verdict("time", regressed=True, reason=f"it takes {_times(before, after, machine)}")
    return None


def _by_work(before: QueryMeasurement, after: QueryMeasurement, limit: float) -> _Verdict | None:
    for word, least in (("pages", VISIBLE_PAGES), ("steps", 1_000), ("cost", 1.0)):
        old, new = getattr(before, word), getattr(after, word)
        if old is None or new is None:
            continue
        if new > old * limit and new - old > least:
            lost = f", {after.access} in place of {before.access}" * (before.access != after.access)
            return _Verdict("work", regressed=True, reason=f"{word}: {old:,.0f} before, now {new:,.0f}{lost}")
        says = "less work" if new * limit < old else "no slower"
        reason = f"times are too noisy; {word} say {says}"
        return _Verdict("work", regressed=False, reason=reason, faster=new * limit < old)
    return None


def _times(before: QueryMeasurement, after: QueryMeasurement, machine: float) -> str:
    ratio = _ratio(before, after, machine) or 0.0
    return f"{ratio:.2f} times as long: {shown_ms(before.p50)} before, now {shown_ms(after.p50)}"


def shown_ms(value: float | None) -> str:
    """Returns milliseconds as people read them, three digits of them."""
    if value is None:
        return "–"
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{places}f} ms"


def median_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Returns between which of the values the median lies, with 99% confidence; None for fewer than eight.

    The number of values below the true median is binomial with p = 1/2, whatever the distribution
    (Conover, Practical Nonparametric Statistics, 3.2).
    """
    number, tail, below = len(values), 0.0, 0
    while below < number:
        tail += math.comb(number, below) / 2**number
        if tail > (1 - CONFIDENCE) / 2:
            break
        below += 1
    if below == 0:
        return None
    ordered = sorted(values)
    return ordered[below - 1], ordered[number - below]


def slower_queries(found: MeasuredQueries, default_schema: str) -> Iterator[Finding]:
    """Yields the queries that got slower, and those that lost their index."""
    for each in found.regressed:
        lost = each.judged_by == "index"
        yield Finding(
            code="query_lost_index" if lost else "query_slower",
            severity=Severity.ERROR,
            table=TableName(default_schema, each.after.table),
            columns=(),
            source="measurement",
            object=each.name,
            message=f"The query {each.name} is slower: {each.reason}",
            suggestion="Look at its plan (--format json) and at statistics (ANALYZE); see docs/commands.md",
            evidence=each.as_json(),
        )
