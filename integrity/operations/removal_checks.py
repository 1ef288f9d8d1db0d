"""What keeps a column from being removed."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING

from integrity.database.dependents import Dependent, Fate
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import Session
from integrity.exceptions import SchemaFixRefused
from integrity.operations.mirror_operation import held_rows
from integrity.references.catalog import Catalog
from integrity.references.mirror_entry import DriftRule, OnlyInJson
from integrity.references.mirror_survey import survey_mirror
from integrity.references.mirrored import MirrorSql

if TYPE_CHECKING:
    from integrity.operations.remove_column import RemoveColumn


def refuse_kind(operation: RemoveColumn, table: Table) -> None:
    """Raises SchemaFixRefused for a column that could not be put back, or not here alone."""
    column = table.column(operation.column)
    if column.generated or column.identity:
        what = f"{operation.label} is generated"
        raise operation.refuse(what, "Remove it by hand: it holds nothing of its own.")
    if table.parents or (table.children and table.kind is TableKind.TABLE):
        what = f"{operation.table} inherits or is inherited from"
        raise operation.refuse(what, "Remove the column by hand, from all of them.")


def acknowledged_dependents(
    operation: RemoveColumn, session: Session, schema: Schema, table: Table
) -> list[Dependent]:
    """Returns what uses the column.

    Raises:
        SchemaFixRefused: for what must be changed by hand, or what nobody acknowledged.
    """
    view = operation.own_view(session, schema, table)
    own = [view] if view is not None else []
    found = session.engine.dependents(session, schema, table, operation.column, besides=own)
    blocking = [each.label for each in found if each.fate is Fate.BLOCKS]
    if blocking:
        raise operation.refuse(
            f"{operation.label} is used by {', '.join(blocking)}",
            "Change that by hand, in a migration before this one.",
        )
    unknown = unacknowledged(table, operation.column, found, operation.acknowledged, operation.with_keys)
    if unknown:
        listed = "; ".join(f"{each.label} ({each.fate})" for each in unknown)
        raise operation.refuse(
            f"{operation.label} is used by {listed}",
            "Look at them, then add to acknowledged, here and in the catalog: "
            f"{literals([each.label for each in unknown])}.",
        )
    return found


def unacknowledged(
    table: Table, column: str, found: Sequence[Dependent], acknowledged: Sequence[str], with_keys: bool
) -> list[Dependent]:
    """Returns what nobody acknowledged; ``with_keys`` stands for a column's own foreign keys, and for indexes
    that forbid nothing: they come back with it, and nobody misses them meanwhile."""
    own = [key for key in table.foreign_keys if column in key.columns]
    keys = {key.name or f"({', '.join(key.columns)})" for key in own}
    return [
        each for each in found if each.label not in acknowledged and not (with_keys and _is_own(each, keys))
    ]


def _is_own(each: Dependent, keys: set[str]) -> bool:
    if each.kind == "index":
        return not any(statement.startswith("CREATE UNIQUE") for statement in each.make)
    return each.fate is Fate.GOES and each.kind == "constraint" and each.name.rpartition(" on ")[0] in keys


def literals(labels: Sequence[str]) -> str:
    """Returns labels as they stand in a list, in Python and in TOML alike."""
    return ", ".join(f"'{each}'" if '"' in each else f'"{each}"' for each in labels)


def refuse_drift(operation: RemoveColumn, session: Session, sql: MirrorSql) -> None:
    """Raises SchemaFixRefused while the JSON says something else than the table."""
    alias = session.target.alias
    found = survey_mirror(session, sql.schema, Catalog(), sql.mirror, samples=False)
    if found.held and operation.only_in_json is OnlyInJson.REFUSE:
        raise held_rows(operation.label, found.held, alias)
    if found.drifted and operation.drift is not DriftRule.KEEP:
        raise SchemaFixRefused(
            f"{found.drifted:,} rows of {operation.label} say something else than {operation.repeats}",
            where=alias,
            hint=f"See them with: manage.py integrity_diagnose {alias} --column {quote(operation.label)}. "
            'Where drift = "table", integrity_makemigrations writes their rewriting before the removal; '
            "applied already, reverse it and apply it again. "
            'Or say drift = "keep": they go to the journal as they are.',
        )
