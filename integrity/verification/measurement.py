"""What measuring the hot queries of a target found: how long each took, and how much work it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class QueryMeasurement:
    """One ``[[query]]``, run a number of times with values from real data.

    ``times_ms`` are its runs in milliseconds, as the client saw them, in the order of the runs.
    ``cost`` (PostgreSQL's planner), ``pages`` (buffers touched, cached or not) and ``steps``
    (SQLite: instructions of its virtual machine) are means over the draws; they do not depend on
    how busy a machine is. None: this engine does not say. ``indexed`` says whether the plan used
    the index that the catalog expects, ``can_index`` whether it could. ``values`` is a digest of
    the parameters, never the values themselves. ``error`` says why it was not measured.
    """

    name: str
    table: str = ""
    index: str = ""
    access: str = ""
    indexed: bool = False
    can_index: bool = False
    rows: float | None = None
    cost: float | None = None
    pages: float | None = None
    steps: float | None = None
    draws: int = 0
    values: str = ""
    plan: tuple[str, ...] = ()
    times_ms: tuple[float, ...] = ()
    error: str = ""
    timed_out: bool = False

    @property
    def runs(self) -> int:
        """How often it was timed."""
        return len(self.times_ms)

    @property
    def p50(self) -> float | None:
        """The median in milliseconds; None where it was not timed."""
        return percentile(self.times_ms, 50)

    @property
    def p95(self) -> float | None:
        """What 95 of 100 runs did not exceed, in milliseconds."""
        return percentile(self.times_ms, 95)

    @property
    def p99(self) -> float | None:
        """What 99 of 100 runs did not exceed, in milliseconds; below 100 runs, the slowest."""
        return percentile(self.times_ms, 99)

    def as_json(self) -> dict[str, Any]:
        """Returns the measurement as plain values, without its single runs."""
        return {
            "access": self.access,
            "indexed": self.indexed,
            "p50_ms": self.p50,
            "p95_ms": self.p95,
            "p99_ms": self.p99,
            "runs": self.runs,
            "draws": self.draws,
            "rows": self.rows,
            "cost": self.cost,
            "pages": self.pages,
            "steps": self.steps,
            "plan": list(self.plan),
            "error": self.error,
        }


@dataclass(frozen=True)
class Measurements:
    """The hot queries of a target at one time, in one state of its structure.

    ``yardstick_ms`` is the median time of a query that reads no table, taken between the others:
    it says how fast the machine was. ``migrations`` are those of the catalog that were applied.
    ``run`` and ``measured_at`` are set where it is stored.
    """

    target: str
    vendor: str
    server_version: str
    schema_fingerprint: str
    queries: tuple[QueryMeasurement, ...] = ()
    migrations: tuple[str, ...] = ()
    yardstick_ms: float | None = None
    seconds: float = 0.0
    seed: int = 0
    run: int | None = None
    measured_at: datetime | None = None

    def query(self, name: str) -> QueryMeasurement | None:
        """The measurement of one query, None where it was not among them."""
        return next((each for each in self.queries if each.name == name), None)


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Returns the smallest value that ``percent`` of 100 do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]
