"""What a cause is: the fact, its evidence, and the sentence that people read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Why a row refers to something that is not there; those that are known exactly come first."""

    FORMAT_MISMATCH = "format_mismatch"
    SENTINEL = "sentinel"
    ANOTHER_OWNER = "another_owner"
    ARCHIVED_PARENT = "archived_parent"
    PARENT_DELETED = "parent_deleted"
    IMPORT = "import"
    BEFORE_CONSTRAINT = "before_constraint"
    UNEXPLAINED = "unexplained"


class Confidence(StrEnum):
    """How much a cause can be relied on.

    CERTAIN: counted row by row, nothing guessed. LIKELY: several facts agree. POSSIBLE: nothing
    contradicts it. NONE: no cause was found.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    NONE = "none"


@dataclass(frozen=True)
class Cause:
    """A cause, with how many orphans and missing keys it accounts for; each orphan has one cause."""

    kind: Kind
    rows: int
    missing_keys: int
    evidence: dict[str, Any] = field(default_factory=dict)
    confidence: Confidence = Confidence.LIKELY

    @property
    def sentence(self) -> str:
        """What is said of these rows: ``12 rows differ only in spelling (case 9, hyphens 3)``."""
        return f"{self._counted}: {_SENTENCES[self.kind](self.evidence)}"

    @property
    def masked(self) -> str:
        """What is said of these rows where their values must not be shown."""
        return f"{self._counted}: {str(self.kind).replace('_', ' ')}"

    @property
    def _counted(self) -> str:
        return f"{self.rows:,} {'row' if self.rows == 1 else 'rows'}"

    def as_json(self, *, masked: bool = False) -> dict[str, Any]:
        """Returns the cause as plain values, ``masked`` without what is known of the rows' own."""
        return {
            "kind": str(self.kind),
            "rows": self.rows,
            "missing_keys": self.missing_keys,
            "confidence": str(self.confidence),
            "sentence": self.masked if masked else self.sentence,
            "evidence": {} if masked else self.evidence,
        }


def _spelling(evidence: dict[str, Any]) -> str:
    differences = ", ".join(f"{what} {rows:,}" for what, rows in evidence["differences"].items())
    return f"the parent exists in another spelling ({differences})"


def _sentinel(evidence: dict[str, Any]) -> str:
    values = ", ".join(f"{value!r}" for value in evidence["values"])
    return f"a sentinel that stands for “nothing” ({values})"


def _deleted(evidence: dict[str, Any]) -> str:
    why = [
        text
        for text, known in (
            ("keys inside the range once used", evidence["inside_range"]),
            ("many rows per missing key", evidence["many_rows_per_key"]),
        )
        if known
    ]
    return f"the parents were probably deleted ({' and '.join(why)})"


def _owner(evidence: dict[str, Any]) -> str:
    found_by, differs = ", ".join(evidence["found_by"]), ", ".join(evidence["differs"])
    return f"the parent exists ({found_by}), with another {differs}"


_SENTENCES: dict[Kind, Callable[[dict[str, Any]], str]] = {
    Kind.FORMAT_MISMATCH: _spelling,
    Kind.SENTINEL: _sentinel,
    Kind.ANOTHER_OWNER: _owner,
    Kind.ARCHIVED_PARENT: lambda evidence: f"the parent stands in {', '.join(evidence['tables'])}",
    Kind.PARENT_DELETED: _deleted,
    Kind.IMPORT: lambda evidence: (
        f"created together {_between(evidence['first'], evidence['last'])}, as an import is, with keys "
        + ("never given out" if evidence["beyond_range"] else "that hardly another row has")
    ),
    Kind.BEFORE_CONSTRAINT: lambda evidence: (
        "from before the constraint, which binds new rows"
        if evidence["binds_new_rows"]
        else f"from before a constraint: nearly all rows until {evidence['last'][:10]} are orphans"
        if evidence["oldest_rows"]
        else f"possibly from before a constraint: none was created after {evidence['last'][:10]}"
    ),
    Kind.UNEXPLAINED: lambda evidence: "unexplained",
}


def _between(first: str, last: str) -> str:
    """``on 2026-03-05 between 10:00 and 11:04`` or ``from 2026-03-03 to 2026-03-05`` (UTC)."""
    if first[:10] == last[:10]:
        return f"on {first[:10]} between {first[11:16]} and {last[11:16]}"
    return f"from {first[:10]} to {last[:10]}"
