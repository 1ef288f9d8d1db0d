"""Repairs of duplicates that stand before their unique, ready to be written as migrations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from integrity.operations.fixes import FixKey, FixKind, SchemaFix
from integrity.operations.repair_duplicates import RepairDuplicates
from integrity.references.uniques import Duplicates, UniqueRule


def duplicate_fixes(
    rules: Sequence[UniqueRule], rows: Mapping[str, int], *, planned: Collection[FixKey] = ()
) -> list[SchemaFix]:
    """Returns a repair for every unique whose policy changes rows.

    Args:
        rules: the uniques that do not stand yet.
        rows: how many rows each repair touches here, by the unique's label; one that is not among them
            has no duplicates here.
        planned: what the catalog's migrations do already.
    """
    wanted = [each for each in rules if each.policy not in (None, Duplicates.KEEP)]
    fixes = [_repair(each, rows.get(each.label, 0)) for each in wanted]
    return [fix for fix in fixes if fix.key not in planned]


def _repair(rule: UniqueRule, rows: int) -> SchemaFix:
    operation = RepairDuplicates(
        unique=rule.label,
        action=str(rule.policy),
        max_rows=rows,
        survivor=rule.survivor,
        rename=rule.rename if rule.policy is Duplicates.RENAME else "",
    )
    touched = f"{rows:,} {'row is' if rows == 1 else 'rows are'} touched where this was written"
    why = f"{touched}. More than max_rows stop it before the first change: raise it to what was looked at."
    return SchemaFix(
        3, FixKind.REPAIR, rule.table, rule.columns, operation.name, operation, rule.rationale, why
    )
