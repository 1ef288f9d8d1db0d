"""Repairs that stand between a key for new rows and its validation, ready to be written as migrations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from integrity.operations.fixes import FixKey, FixKind, SchemaFix
from integrity.operations.repair_orphans import RepairOrphans
from integrity.references.reference import Reference, Resolution, written


def repair_fixes(
    references: Sequence[Reference], rows: Mapping[str, int], *, planned: Collection[FixKey] = ()
) -> list[SchemaFix]:
    """Returns a repair for every reference whose policy changes rows.

    Args:
        references: what should hold.
        rows: how many rows each repair touches here, by the reference's label, in the order in which
            they are carried out; one that is not among them has no orphans here.
        planned: what the catalog's migrations do already.
    """
    order = list(rows)
    wanted = [each for each in references if each.policy not in (None, Resolution.KEEP)]
    wanted.sort(key=lambda each: order.index(each.label) if each.label in rows else len(order))
    fixes = [_repair(each, rows.get(each.label, 0)) for each in wanted]
    return [fix for fix in fixes if fix.key not in planned]


def _repair(reference: Reference, rows: int) -> SchemaFix:
    operation = RepairOrphans(
        reference=reference.label,
        action=str(reference.policy),
        max_rows=rows,
        to=written(reference.referenced_table, reference.referenced_columns),
        on_delete=str(reference.on_delete),
    )
    touched = f"{rows:,} {'row is' if rows == 1 else 'rows are'} touched where this was written"
    why = f"{touched}. More than max_rows stop it before the first change: raise it to what was looked at."
    return SchemaFix(
        3, FixKind.REPAIR, reference.table, reference.columns, operation.name, operation,
        reference.rationale, why,
    )  # fmt: skip
