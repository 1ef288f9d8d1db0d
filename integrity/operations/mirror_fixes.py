"""JSON columns that repeat a table, on their way out, ready to be written as migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from integrity.database.schema import Schema
from integrity.operations.compatibility_view import CreateCompatibilityView
from integrity.operations.fixes import FixKey, FixKind, SchemaFix
from integrity.operations.remove_column import RemoveColumn
from integrity.operations.repair_mirror import RepairMirror
from integrity.references.catalog import Catalog
from integrity.references.mirror import Mirror, known_mirrors
from integrity.references.mirror_entry import DriftRule, ListOf, OnlyInJson, Shape
from integrity.references.reference import Reference, written

CHAPTERS = {
    FixKind.REWRITE: (
        "rewrite_mirrors",
        "JSON rewritten from the table that it repeats (phase 3 of 3)",
        "Changes rows, in small batches: writers of the repeated table wait for each. Every old value is in "
        "the target's journal, and reversing this gives back those that nobody changed since.",
    ),
    FixKind.VIEW: (
        "compatibility_views",
        "views for old readers of a column that goes (phase 3 of 3)",
        "Harmless at any time: nothing that stands is changed. Deploy it alone, then let old readers read "
        "the view.",
    ),
    FixKind.REMOVAL: (
        "remove_columns",
        "columns removed that repeat a table (phase 3 of 3)",
        "Not before every reader and writer of the column is gone; who reads the view goes on. The values "
        "are copied into the target's journal while others write; then writers wait for what was changed "
        "meanwhile, and readers for a moment. Reversing this brings every value back.",
    ),
}
"""What a migration of each kind is called, its title, and when to apply it: in this order, each alone."""


def mirror_fixes(
    schema: Schema, catalog: Catalog, references: Sequence[Reference], *, planned: Collection[FixKey] = ()
) -> list[SchemaFix]:
    """Returns a compatibility view and the removal for every mirror whose column is there.

    Args:
        schema: the target's structure.
        catalog: its catalog.
        references: what should hold.
        planned: what the catalog's migrations do already.

    Raises:
        CatalogError: for a name that the target does not have.
    """
    mirrors = known_mirrors(schema, catalog, references)
    fixes = [fix for mirror in mirrors for fix in _fixes(schema, mirror)]
    return [fix for fix in fixes if fix.key not in planned]


def mirror_repairs(
    mirrors: Sequence[Mirror], rows: Mapping[str, int], *, planned: Collection[FixKey] = ()
) -> list[SchemaFix]:
    """Returns the rewriting of every mirror whose rule is that the table is right.

    Args:
        mirrors: the mirrors whose column is there.
        rows: how many rows each would rewrite here, by its label.
        planned: what the catalog's migrations do already.
    """
    wanted = [each for each in mirrors if each.drift is DriftRule.TABLE]
    fixes = [_repair(each, rows.get(each.label, 0)) for each in wanted]
    return [fix for fix in fixes if fix.key not in planned]


def _fixes(schema: Schema, mirror: Mirror) -> Iterator[SchemaFix]:
    table = schema.table(mirror.table)
    if not table.has_columns((mirror.column,)):
        return
    place, view = (mirror.table, (mirror.column,)), written(mirror.view) if mirror.view else ""
    arguments = _arguments(mirror)
    if mirror.view is not None and not schema.knows(mirror.view):
        made = CreateCompatibilityView(view=view, **arguments)
        note = f"Let old readers of {written(mirror.table)} read {view} before {mirror.column} goes."
        yield SchemaFix(3, FixKind.VIEW, *place, view, made, mirror.rationale, note=note)
    removal = RemoveColumn(
        view=view,
        acknowledged=mirror.acknowledged,
        drift=str(mirror.drift or ""),
        **arguments,
        **_only_in_json(mirror),
    )
    note = (
        "Stops while the JSON says something else than the table, and names what uses the column unless it "
        "is acknowledged."
    )
    yield SchemaFix(3, FixKind.REMOVAL, *place, mirror.column, removal, mirror.rationale, note=note)


def _repair(mirror: Mirror, rows: int) -> SchemaFix:
    operation = RepairMirror(max_rows=rows, **_arguments(mirror), **_only_in_json(mirror))
    touched = f"{rows:,} {'row is' if rows == 1 else 'rows are'} rewritten where this was written"
    note = f"{touched}. More than max_rows stop it before the first change: raise it to what was looked at."
    return SchemaFix(
        3, FixKind.REWRITE, mirror.table, (mirror.column,), mirror.column, operation, mirror.rationale,
        note=note,
    )  # fmt: skip


def _only_in_json(mirror: Mirror) -> dict[str, Any]:
    usual = mirror.only_in_json is OnlyInJson.REFUSE
    return {} if usual else {"only_in_json": str(mirror.only_in_json)}


def _arguments(mirror: Mirror) -> dict[str, Any]:
    """What differs from the defaults."""
    arguments: dict[str, Any] = {
        "table": written(mirror.table),
        "column": mirror.column,
        "repeats": mirror.reference.label,
        "to": mirror.reference.referenced_columns,
        "elements": mirror.elements,
    }
    if mirror.count != "count":
        arguments["count"] = mirror.count
    if mirror.shape is not Shape.COUNT:
        arguments["shape"] = str(mirror.shape)
    if mirror.list_of is not ListOf.OBJECTS:
        arguments["list_of"] = str(mirror.list_of)
    return arguments
