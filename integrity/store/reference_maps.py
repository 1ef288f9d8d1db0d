"""What audits know of references, kept so that pages need not ask a target."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrity import models
from integrity.audit import AuditResult
from integrity.database.identifiers import TableName
from integrity.database.schema import ForeignKey
from integrity.references.reference import Reference, written
from integrity.store.site import site_database

MOST = 2_000
"""References that are kept of a target: a map of more would be read by nobody."""

ALL_ROWS, NEW_ROWS, NOT_ENFORCED, NONE = "all rows", "new rows", "not enforced", ""
"""What the constraint of a reference does, if there is one."""


@dataclass(frozen=True)
class KnownReference:
    """A reference as the last audit of its target knew it; its constraint is no part of what it is."""

    table: TableName
    columns: tuple[str, ...]
    to: TableName
    to_columns: tuple[str, ...]
    constraint: str = field(default=NONE, compare=False)

    @property
    def label(self) -> str:
        """``orders.customer_id``: how commands name it."""
        return written(self.table, self.columns)

    @property
    def to_label(self) -> str:
        """``customers.id``: what it refers to."""
        return written(self.to, self.to_columns)


@dataclass(frozen=True)
class KnownReferences:
    """All that is known of a target's references; ``run`` is the audit that said it."""

    run: models.AuditRun
    references: tuple[KnownReference, ...]
    left_out: int = 0


def store_references(run: models.AuditRun, result: AuditResult) -> None:
    """Keeps the references that an audit knew; those that it found broken first where they are too many.

    What a later audit said stays. Call it while the target's row is locked.
    """
    broken = {(each.table, each.columns) for each in result.with_code(models.ORPHANED_ROWS)}
    known = sorted(result.references, key=lambda each: (each.table, each.columns) not in broken)
    facts = {
        "run": run,
        "references": [_as_json(each) for each in known[:MOST]],
        "left_out": max(0, len(known) - MOST),
    }
    with site_database():
        kept = models.ReferenceMap.objects.filter(target=run.target_id)
        if not kept.filter(run__gt=run.pk).exists():
            models.ReferenceMap.objects.update_or_create(target_id=run.target_id, defaults=facts)


def references_of(target: models.Target) -> KnownReferences | None:
    """Returns what is known of a target's references, None where it was never audited."""
    with site_database():
        found = models.ReferenceMap.objects.filter(target=target).select_related("run").first()
    return None if found is None else KnownReferences(found.run, _read(found.references), found.left_out)


def _constraint(key: ForeignKey | None) -> str:
    if key is None:
        return NONE
    if not key.enforced:
        return NOT_ENFORCED
    return ALL_ROWS if key.validated else NEW_ROWS


def _as_json(reference: Reference) -> dict[str, Any]:
    to = reference.referenced_table
    return {
        "table": [reference.table.schema, reference.table.name],
        "columns": list(reference.columns),
        "to": [to.schema, to.name],
        "to_columns": list(reference.referenced_columns),
        "constraint": _constraint(reference.declared),
    }


def _read(references: Sequence[dict[str, Any]]) -> tuple[KnownReference, ...]:
    return tuple(_one(each) for each in references)


def _one(data: dict[str, Any]) -> KnownReference:
    return KnownReference(
        table=_table(data["table"]),
        columns=tuple(data["columns"]),
        to=_table(data["to"]),
        to_columns=tuple(data["to_columns"]),
        constraint=data["constraint"],
    )


def _table(parts: Iterable[str]) -> TableName:
    schema, name = parts
    return TableName(schema, name)
