"""What a repair or a rollback did, as values that interfaces only format."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from integrity.database.identifiers import TableName
from integrity.plans.plan import Plan, Tally
from integrity.repairs.promises import Difference, compare, promised_by


class State(StrEnum):
    """Where a run stands."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    ROLLED_BACK = "rolled_back"
    PARTLY_ROLLED_BACK = "partly_rolled_back"


DEDUPLICATION = "deduplicate"
"""The kind of a run that resolves duplicates."""

_COMMANDS = {DEDUPLICATION: "integrity_deduplicate"}


def command_for(kind: str) -> str:
    """Returns the command that carries out, and goes on with, runs of a kind."""
    return _COMMANDS.get(kind, "integrity_cleanup")


@dataclass(frozen=True)
class Refusal:
    """A row that was left as it was, and why. ``key`` names it as people do."""

    table: TableName
    key: dict[str, Any]
    reason: str

    def as_json(self) -> dict[str, Any]:
        """Returns the refusal as plain values."""
        return {"table": str(self.table), "key": self.key, "reason": self.reason}


@dataclass
class RepairResult:
    """What a run did. ``run`` is its number in the target's journal, None for a dry run; ``promised`` is
    what the plan said of each table, at most where ``at_most``."""

    target: str
    kind: str
    plan: str
    state: State = State.RUNNING
    run: int | None = None
    dry_run: bool = False
    rows: dict[TableName, Tally] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    duration_s: float = 0.0
    error: str = ""
    promised: dict[TableName, Tally] = field(default_factory=dict)
    at_most: bool = False

    @property
    def differences(self) -> list[Difference]:
        """Where a finished run did something else than the plan promised."""
        if self.state is not State.FINISHED or not self.promised:
            return []
        return compare(self.promised, self.rows, at_most=self.at_most)

    def promise(self, plan: Plan) -> None:
        """Notes what a plan says, to compare with what is done."""
        self.promised, self.at_most = promised_by(plan), bool(plan.doubts)

    def tally(self, table: TableName) -> Tally:
        """The counts of one table."""
        return self.rows.setdefault(table, Tally())

    @property
    def refused(self) -> int:
        """How many rows were refused."""
        return sum(tally.refused for tally in self.rows.values())

    def as_json(self) -> dict[str, Any]:
        """Returns the result as plain values, as the changing commands print it."""
        return {
            "target": self.target,
            "run": self.run,
            "kind": self.kind,
            "state": str(self.state),
            "plan": self.plan,
            "dry_run": self.dry_run,
            "rows": {str(table): vars(tally) for table, tally in sorted(self.rows.items())},
            "refusals": [refusal.as_json() for refusal in self.refusals],
            "duration_s": round(self.duration_s, 3),
            "differences": [each.as_json() for each in self.differences],
        }


@dataclass
class TableProof:
    """Whether a table is what it was: the rows restored, and the whole table's digest."""

    restored: int = 0
    rows_equal: bool = True
    digest_before: str = ""
    digest_after: str = ""

    @property
    def table_equal(self) -> bool:
        """Whether every row of the table, touched or not, is as before the repair."""
        return self.digest_before == self.digest_after


@dataclass
class Proof:
    """The comparison that a rollback prints.

    ``partial`` says that some of the run still stands: then whole tables are not what they were
    before it, and only the restored rows prove something. ``schema_differences`` names what
    differs in the structure, without the ``older_differences`` that come from reversing
    ``older_migrations``: those are older than the run, and stood in the way of its rows.
    """

    schema_before: str = ""
    schema_after: str = ""
    schema_differences: list[str] = field(default_factory=list)
    older_migrations: tuple[str, ...] = ()
    older_differences: list[str] = field(default_factory=list)
    partial: bool = False
    tables: dict[TableName, TableProof] = field(default_factory=dict)

    @property
    def schema_equal(self) -> bool:
        """Whether the structure is as before the repair, but for what older migrations took along."""
        return self.schema_before == self.schema_after

    @property
    def rows_equal(self) -> bool:
        """Whether every restored row is exactly what it was."""
        return all(table.rows_equal for table in self.tables.values())

    def as_json(self) -> dict[str, Any]:
        """Returns the proof as plain values."""
        tables = {
            str(name): vars(table) | {"table_equal": table.table_equal}
            for name, table in sorted(self.tables.items())
        }
        return {
            "rows_equal": self.rows_equal,
            "schema_equal": self.schema_equal,
            "schema_differences": self.schema_differences,
            "older_migrations": list(self.older_migrations),
            "older_differences": self.older_differences,
            "partial": self.partial,
            "tables": tables,
        }


@dataclass
class RollbackResult(RepairResult):
    """What a rollback did, and the proof of it. ``of`` is the run that was taken back."""

    of: int = 0
    proof: Proof = field(default_factory=Proof)

    def as_json(self) -> dict[str, Any]:
        """Returns the result with its proof."""
        return super().as_json() | {"of": self.of, "proof": self.proof.as_json()}
