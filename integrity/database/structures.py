"""The structure of a target as plain values, to be kept, told by a digest, and compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from integrity.database.schema import Table

_LISTS = ("keys", "foreign_keys", "indexes", "triggers", "children")
"""What has no order of its own, and is sorted."""

_NOT_STRUCTURE = {"estimated_rows", "readable", "owned", "oid", "definition", "hidden", "unreadable"}


def structure_of(tables: Iterable[Table]) -> dict[str, Any]:
    """Returns the structure of tables as plain values: not rows, estimates, rights or object ids."""
    return {str(table.name): _structure(table) for table in sorted(tables, key=lambda each: each.name)}


def _structure(table: Table) -> dict[str, Any]:
    facts = {name: value for name, value in asdict(table).items() if name not in _NOT_STRUCTURE}
    facts["indexes"] = [_without_needs(each) for each in facts["indexes"]]
    for several in _LISTS:
        facts[several] = _in_order(facts[several])
    return facts


def _in_order(facts: Iterable[Any]) -> list[Any]:
    return sorted(facts, key=lambda each: json.dumps(each, sort_keys=True))


def _without_needs(index: dict[str, Any]) -> dict[str, Any]:
    """What needs an index is told by its own facts: a foreign key of another table is no part of this one."""
    return {name: value for name, value in index.items() if name != "needed_by"}


def fingerprint(structure: dict[str, Any]) -> str:
    """Returns the digest of a structure."""
    return hashlib.sha256(json.dumps(structure, sort_keys=True).encode()).hexdigest()


def without(structure: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Returns a structure without the foreign keys, indexes and keys of these names."""

    def kept(table: dict[str, Any]) -> dict[str, Any]:
        lists = ("foreign_keys", "indexes", "keys")
        return table | {part: [each for each in table[part] if each["name"] not in names] for part in lists}

    return {name: kept(table) for name, table in structure.items()}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Returns what two structures do not share: tables, and ``table: object`` for what differs in one."""
    found = [f"{name} is {'gone' if name in before else 'new'}" for name in sorted(set(before) ^ set(after))]
    for name in sorted(set(before) & set(after)):
        found += [f"{name}: {part}" for part in _different_parts(before[name], after[name])]
    return found


def _different_parts(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    found = []
    for part in before:
        if before[part] == after.get(part):
            continue
        if isinstance(before[part], list) and all(
            isinstance(each, dict) for each in before[part] + after[part]
        ):
            odd = [
                each
                for each in before[part] + after[part]
                if before[part].count(each) != after[part].count(each)
            ]
            found += sorted({str(each.get("name") or part) for each in odd}) or [f"{part} in another order"]
        else:
            found.append(part)
    return found


def changed_alike(structure: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Returns a structure with what changed from ``before`` to ``after`` changed in it as well."""
    changed = {name: table for name, table in structure.items() if name in after or name not in before}
    for name, table in after.items():
        if name not in before:
            changed[name] = table
        elif name in changed:
            changed[name] = {
                part: _alike(part, changed[name].get(part), before[name].get(part), facts)
                for part, facts in table.items()
            }
    return changed


def _alike(part: str, own: Any, before: Any, after: Any) -> Any:
    if before == after:
        return own
    if own == before or part not in _LISTS:
        return after
    kept = [each for each in own if each not in before or each in after]
    return _in_order([*kept, *(each for each in after if each not in before and each not in kept)])
