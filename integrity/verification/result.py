"""What a verification says: constraints, indexes, queries and flows, and what is wrong with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from integrity.audit import Coverage
from integrity.database.access import Access
from integrity.database.identifiers import TableName
from integrity.detectors.finding import Finding, Severity
from integrity.references.uniques import UniqueRule
from integrity.verification.comparing import MeasuredQueries, slower_queries

TRIAL = "trial"
SYSTEM_CATALOG = "system catalog"


@dataclass(frozen=True)
class ExpectedConstraint:
    """A foreign key, or a ``unique``, that ``made_by`` (a migration) made and none has taken back since."""

    name: str
    table: TableName
    columns: tuple[str, ...]
    made_by: str
    unique: UniqueRule | None = None


@dataclass(frozen=True)
class ConstraintState:
    """A foreign key that is there, and how it is known to work.

    ``by`` says how ``enforced`` was found: by a trial insert, or by the system catalog, then
    ``reason`` says why not by trial. ``orphans`` are rows that break it all the same.
    ``note`` is for people, such as another name in the catalog.
    """

    table: TableName
    name: str
    columns: tuple[str, ...]
    referenced_table: TableName
    referenced_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    match: str
    validated: bool
    enforced: bool
    by: str = SYSTEM_CATALOG
    reason: str = ""
    orphans: int = 0
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the state as plain values."""
        facts = asdict(self)
        return facts | {
            "schema": self.table.schema,
            "table": self.table.name,
            "columns": list(self.columns),
            "referenced_schema": self.referenced_table.schema,
            "referenced_table": self.referenced_table.name,
            "referenced_columns": list(self.referenced_columns),
        }


@dataclass(frozen=True)
class UniqueState:
    """A unique that is there, and how it is known to work.

    ``terms`` are what it compares, in order; ``constraint`` is false for a unique index, ``where`` makes it
    partial. ``source`` says whether the catalog asks for it. ``by``, ``reason`` and ``note`` are those of
    :class:`ConstraintState`.
    """

    table: TableName
    name: str
    columns: tuple[str, ...]
    terms: tuple[str, ...]
    constraint: bool
    where: str
    nulls_distinct: bool
    source: str
    validated: bool
    enforced: bool
    by: str = SYSTEM_CATALOG
    reason: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the state as plain values."""
        return asdict(self) | {
            "schema": self.table.schema,
            "table": self.table.name,
            "columns": list(self.columns),
            "terms": list(self.terms),
        }


@dataclass(frozen=True)
class QueryPlan:
    """How a ``[[query]]`` reaches its table.

    ``access`` is what the planner chooses now; ``possible`` what it can do where a scan is too
    dear, as it will be on a table that has grown. ``accepted`` are the indexes that count as the
    expected one: its own name, and others on the same columns. None: it was not asked, see ``error``.
    ``before`` and ``after`` are what the catalog says of it before and after the migrations:
    ``scan`` or ``index``. ``names`` are the table's and its partitions', None for any table.
    """

    name: str
    table: str
    index: str
    before: str
    access: Access | None = None
    possible: Access | None = None
    accepted: tuple[str, ...] = ()
    rationale: str = ""
    error: str = ""
    after: str = "index"
    names: frozenset[str] | None = None

    @property
    def uses_index(self) -> bool:
        """Whether the query can be answered by the index that the catalog expects."""
        return any(self.is_expected(access) for access in (self.access, self.possible))

    @property
    def as_before(self) -> bool:
        """Whether the plan is what the catalog says it is before the migrations."""
        return self.access is not None and self.is_expected(self.access) == (self.before == "index")

    def is_expected(self, access: Access | None) -> bool:
        """Whether a table is reached by the index that the catalog expects, or by any where it names none."""
        if access is None or not access.index:
            return False
        return not self.index or access.index in self.accepted

    def as_json(self) -> dict[str, Any]:
        """Returns the plan as plain values."""
        return {
            "name": self.name,
            "table": self.table,
            "index": self.index,
            "before": self.before,
            "after": self.after,
            "access": str(self.access or ""),
            "possible": str(self.possible or ""),
            "uses_index": self.uses_index,
            "rationale": self.rationale,
            "error": self.error,
        }


@dataclass(frozen=True)
class FlowResult:
    """What came of a ``[[flow]]``: ``failed`` is the number of the statement that failed (0: none)."""

    name: str
    statements: int
    failed: int = 0
    statement: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether every statement worked."""
        return not self.error

    def as_json(self) -> dict[str, Any]:
        """Returns the outcome as plain values."""
        return asdict(self) | {"ok": self.ok}


@dataclass
class VerifyResult:
    """What one verification of one target found."""

    target: str
    vendor: str
    server_version: str
    schema_fingerprint: str
    problems: list[Finding] = field(default_factory=list)
    constraints: list[ConstraintState] = field(default_factory=list)
    uniques: list[UniqueState] = field(default_factory=list)
    queries: list[QueryPlan] = field(default_factory=list)
    flows: list[FlowResult] = field(default_factory=list)
    measured: MeasuredQueries | None = None
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def failed(self) -> bool:
        """Whether something that should hold does not."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def ok(self) -> bool:
        """Whether everything that should hold does, and everything was looked at."""
        return self.coverage.complete and not self.failed

    def as_json(self) -> dict[str, Any]:
        """Returns the whole result as plain values."""
        return {
            "target": self.target,
            "vendor": self.vendor,
            "server_version": self.server_version,
            "ok": self.ok,
            "coverage": self.coverage.as_json(),
            "problems": [problem.as_json() for problem in self.problems],
            "constraints": [constraint.as_json() for constraint in self.constraints],
            "uniques": [unique.as_json() for unique in self.uniques],
            "queries": [query.as_json() for query in self.queries],
            "flows": [flow.as_json() for flow in self.flows],
            "measured": self.measured.as_json() if self.measured else None,
        }


def add_measured(result: VerifyResult, found: MeasuredQueries, default_schema: str) -> None:
    """Adds measured queries to a verification: slower ones are problems, failed ones are gaps."""
    result.measured = found
    result.problems += slower_queries(found, default_schema)
    known = {each.get("query") for each in result.coverage.skipped}
    result.coverage.skipped += [
        {"query": each.name, "reason": each.error}
        for each in found.after.queries
        if each.error and each.name not in known
    ]
