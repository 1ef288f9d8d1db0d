"""How the tables of a target hang together, from what its last audit knew and what stands open: the target
itself is not asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from integrity import models, store
from integrity.database.identifiers import TableName
from integrity.store.reference_maps import ALL_ROWS, NEW_ROWS, KnownReference

MOST_FINDINGS = 500
MOST_TABLES, MOST_REFERENCES = 60, 120
"""As many as somebody can look at, and as Graphviz lays out in a third of a second."""

_STRUCTURE = ("missing_foreign_key", "unvalidated_foreign_key")
_FIELDS = (
    "pk", "code", "rows", "schema_name", "table_name", "columns", "referenced_schema", "referenced_table",
    "referenced_columns",
)  # fmt: skip


class Hold(StrEnum):
    """How a reference stands, the worst first."""

    BROKEN = "broken"
    KEPT = "kept"
    UNCHECKED = "unchecked"
    UNENFORCED = "unenforced"
    NEW_ROWS = "new-rows"
    ENFORCED = "enforced"


@dataclass(frozen=True)
class Relation:
    """A reference with the orphans that break it, and the finding that says so."""

    reference: KnownReference
    hold: Hold
    rows: int = 0
    finding: int | None = None
    about_orphans: bool = False


@dataclass(frozen=True)
class Relations:
    """The references of a target, the worst first; ``run`` is the audit that knew them, ``left_out``
    counts those that are not here."""

    all: tuple[Relation, ...] = ()
    run: models.AuditRun | None = None
    left_out: int = 0

    @property
    def tables(self) -> list[TableName]:
        """The tables that refer to another, or are referred to."""
        return tables_of(self.all)

    def counted(self) -> dict[Hold, int]:
        """How many there are of each kind."""
        return {hold: number for hold in Hold if (number := sum(each.hold is hold for each in self.all))}


def tables_of(relations: Iterable[Relation]) -> list[TableName]:
    """The tables at both ends of references, in their order."""
    ends = ((each.reference.table, each.reference.to) for each in relations)
    return list(dict.fromkeys(table for pair in ends for table in pair))


def relations_of(target: models.Target, last_whole: models.AuditRun | None = None) -> Relations:
    """Returns the references of a target, in five queries, however many findings there are.

    Args:
        target: whose.
        last_whole: its last audit that looked at everything, by which it is known what was not checked.
    """
    known = store.references_of(target)
    orphans = _orphans(target)
    gaps = _not_checked(last_whole)
    references = dict.fromkeys([*(known.references if known else ()), *orphans])
    structure = _structure(target)
    relations = [_relation(each, orphans, structure, gaps) for each in references]
    relations.sort(key=lambda each: (list(Hold).index(each.hold), -each.rows, each.reference.label))
    return Relations(tuple(relations), known.run if known else None, known.left_out if known else 0)


def to_draw(relations: Sequence[Relation]) -> tuple[list[Relation], bool]:
    """Returns what is drawn, and whether that is all.

    Where there are more than can be looked at: the broken ones, then their neighbours, then others.
    """
    if len(relations) <= MOST_REFERENCES and len(tables_of(relations)) <= MOST_TABLES:
        return list(relations), True
    troubled = set(tables_of(each for each in relations if each.hold in (Hold.BROKEN, Hold.KEPT)))
    near = [each for each in relations if {each.reference.table, each.reference.to} & troubled]
    drawn: list[Relation] = []
    seen: set[TableName] = set()
    for each in near or relations:
        ends = {each.reference.table, each.reference.to}
        if len(seen | ends) <= MOST_TABLES and len(drawn) < MOST_REFERENCES:
            drawn.append(each)
            seen |= ends
    return drawn, False


@dataclass(frozen=True)
class _Broken:
    rows: int
    finding: int
    kept: bool


def _orphans(target: models.Target) -> dict[KnownReference, _Broken]:
    """What breaks references; each by a reference that differs from the known one in nothing but that its
    constraint is not known."""
    found: dict[KnownReference, _Broken] = {}
    for state in (models.FindingState.OPEN, models.FindingState.KEPT):
        for each in _findings(target, state, [models.ORPHANED_ROWS]):
            broken = _Broken(each["rows"], each["pk"], state == models.FindingState.KEPT)
            found.setdefault(_reference(each), broken)
    return found


def _structure(target: models.Target) -> dict[KnownReference, int]:
    """The findings about the constraints of references."""
    found = _findings(target, models.FindingState.OPEN, _STRUCTURE)
    return {_reference(each): each["pk"] for each in found}


def _findings(target: models.Target, state: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    with store.site_database():
        found = models.Finding.objects.filter(target=target, state=state, code__in=codes)
        return [dict(each) for each in found.order_by("-rows", "-id").values(*_FIELDS)[:MOST_FINDINGS]]


def _reference(finding: dict[str, Any]) -> KnownReference:
    return KnownReference(
        table=TableName(finding["schema_name"], finding["table_name"]),
        columns=tuple(finding["columns"]),
        to=TableName(finding["referenced_schema"], finding["referenced_table"]),
        to_columns=tuple(finding["referenced_columns"]),
    )


def _relation(
    reference: KnownReference,
    orphans: dict[KnownReference, _Broken],
    structure: dict[KnownReference, int],
    gaps: set[str],
) -> Relation:
    if broken := orphans.get(reference):
        hold = Hold.KEPT if broken.kept else Hold.BROKEN
        return Relation(reference, hold, broken.rows, broken.finding, about_orphans=True)
    finding = structure.get(reference)
    if reference.label in gaps:
        return Relation(reference, Hold.UNCHECKED, finding=finding)
    holds = {ALL_ROWS: Hold.ENFORCED, NEW_ROWS: Hold.NEW_ROWS}
    return Relation(reference, holds.get(reference.constraint, Hold.UNENFORCED), finding=finding)


def _not_checked(run: models.AuditRun | None) -> set[str]:
    coverage = (run.coverage if run else None) or {}
    gaps = [*coverage.get("skipped", []), *coverage.get("timed_out", [])]
    return {each["reference"] for each in gaps if each.get("reference")}
