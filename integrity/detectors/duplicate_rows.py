"""Rows that share a value which should occur once."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding
from integrity.detectors.orphaned_rows import plain
from integrity.references.duplicates import Duplicated, Repeated, count_duplicates
from integrity.references.masking import MASKED, is_masked
from integrity.references.uniques import Duplicates, UniqueRule, cannot_repeat


class DuplicateRows(Detector):
    """One finding a unique, however many rows stand in its way: exact counts, capped samples.

    Equality is the database's own: what GROUP BY puts together. NULLs are no duplicates unless the
    unique says NULLS NOT DISTINCT.
    """

    code = "duplicate_rows"

    def check_unique(self, inspection: Inspection, rule: UniqueRule) -> Iterator[Finding]:
        """Counts the duplicates of a unique that nothing enforces yet."""
        if rule.declared is not None or cannot_repeat(inspection.schema, rule):
            return
        found = count_duplicates(inspection.session, inspection.schema, rule)
        if not found.rows:
            return
        yield Finding(
            code=self.code,
            severity=self.severity,
            table=rule.table,
            columns=rule.columns,
            rows=found.rows,
            source=str(rule.source),
            object=told_apart(rule),
            message=_message(rule, found),
            suggestion=_suggestion(inspection, rule),
            evidence=_evidence(inspection, rule, found),
        )


def told_apart(rule: UniqueRule) -> str:
    """What tells two uniques on the same columns apart: a name, or what part of the rows it speaks of."""
    return rule.name or rule.where or ("lower" if rule.ignores_case else "")


def kind_of_unique(rule: UniqueRule) -> str:
    """What is peculiar to a unique, in words: empty for a plain one."""
    case = " without regard to case" if rule.ignores_case else ""
    nulls = "" if rule.nulls_distinct else ", NULLs among them"
    return f"{case}{nulls}" + (f" where {rule.where}" if rule.where else "")


def _message(rule: UniqueRule, found: Duplicated) -> str:
    values, occur = ("value", "occurs") if found.values == 1 else ("values", "occur")
    return (
        f"{found.values:,} {values} of {rule.label} {occur} more than once{kind_of_unique(rule)}: "
        f"{found.rows:,} rows, {found.surplus:,} too many"
    )


def _suggestion(inspection: Inspection, rule: UniqueRule) -> str:
    command = (
        f"manage.py integrity_deduplicate {inspection.session.target} --unique {shlex.quote(rule.label)}"
    )
    if rule.policy is None:
        return f"Somebody decides: {command} --action rename|merge|keep"
    if rule.policy is Duplicates.KEEP:
        return f"Kept by the catalog's policy; another decision: {command} --action …"
    return f"{rule.policy}: {command}"


def _evidence(inspection: Inspection, rule: UniqueRule, found: Duplicated) -> dict[str, Any]:
    return {
        "values": found.values,
        "surplus": found.surplus,
        "key": list(found.key),
        "samples": [_sample(inspection, rule, found, each) for each in found.samples],
        "name": rule.name,
        "where": rule.where,
        "nulls": "distinct" if rule.nulls_distinct else "not distinct",
        "case": "insensitive" if rule.ignores_case else "sensitive",
        "rationale": rule.rationale,
        "policy": str(rule.policy or ""),
        "survivor": rule.survivor,
    }


def _sample(inspection: Inspection, rule: UniqueRule, found: Duplicated, sample: Repeated) -> dict[str, Any]:
    def shown(names: tuple[str, ...], values: tuple[Any, ...]) -> list[Any]:
        pairs = zip(names, values, strict=True)
        return [
            MASKED if is_masked(inspection.catalog, rule.table, name) else plain(value)
            for name, value in pairs
        ]

    return {
        "value": shown(rule.columns, sample.value),
        "rows": sample.rows,
        "keys": [shown(found.key, each) for each in sample.keys],
    }
