"""Which changes of structure a target needs so that what should hold is enforced; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.redundancy import led_by
from integrity.database.schema import Action, Schema, Table
from integrity.database.session import engine_for
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.add_index import AddIndex
from integrity.operations.add_unique import AddUnique
from integrity.operations.catalog_migrations import operations_of
from integrity.operations.column_fixes import (
    Place,
    conversion_fixes,
    converted_places,
    default_fixes,
    removed_places,
)
from integrity.operations.required_fixes import after_recreations, required_fixes, with_awaited
from integrity.operations.schema_fix import FixKey, FixKind, SchemaFix, locks
from integrity.operations.validate_foreign_key import ValidateForeignKey
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference, Source, written
from integrity.references.resolve import catalog_table, known_uniques
from integrity.references.uniques import UniqueRule, cannot_repeat, is_text

__all__ = ["FixKey", "FixKind", "SchemaFix", "locks", "planned_fixes", "schema_fixes"]

_TRUSTED = (Source.CATALOG, Source.DJANGO)


def schema_fixes(
    schema: Schema,
    catalog: Catalog,
    references: Sequence[Reference],
    *,
    uniques: Sequence[UniqueRule] | None = None,
    planned: Collection[FixKey] = (),
    everything: bool = False,
) -> list[SchemaFix]:
    """Returns what is missing, in the order in which it must be done; what waits for a table or a column that
    is made by one of these comes with it.

    Args:
        schema: the target's structure.
        catalog: its catalog, or an empty one.
        references: what should hold; those of the catalog and of Django's models get foreign keys,
            those that are declared already are only validated.
        uniques: the catalog's uniques, each with the one that stands for it; without a session those
            that are partial or ignore case do not count as standing (default: :func:`known_uniques`).
        planned: what the catalog's migrations do already (:func:`planned_fixes`).
        everything: proposes also what the target has already, for a catalog that other copies of the
            same database will use; there it is adopted.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    rules = known_uniques(schema, catalog) if uniques is None else uniques
    present, whole = schema, catalog
    schema, catalog, references, rules = with_awaited(schema, catalog, references, rules)
    conversions = conversion_fixes(schema, catalog, references, everything=everything)
    converted, going = converted_places(conversions, schema), removed_places(schema, catalog)
    found = [
        *required_fixes(present, whole, converted=converted, everything=everything),
        *_indexes(schema, catalog, everything),
        *_uniques(schema, catalog, references, rules, everything),
        *conversions,
        *default_fixes(schema, catalog, everything=everything),
        *_foreign_keys(_staying(references, going), everything, converted),
    ]
    ordered = sorted(after_recreations(schema, found), key=lambda fix: fix.phase)
    first = {fix.key: fix for fix in reversed(ordered)}
    return [fix for fix in ordered if fix.key not in planned and first[fix.key] is fix]


def planned_fixes(alias: str, root: Path | None = None) -> set[FixKey]:
    """Returns what the migrations of a target's catalog do already."""
    return {(each.kind, each.table, each.name) for _, each in operations_of(alias, root)}


def _indexes(schema: Schema, catalog: Catalog, everything: bool) -> Iterator[SchemaFix]:
    for entry in catalog.indexes:
        table = catalog_table(schema, catalog, entry)
        name = entry.name or default_index_name(table, entry.columns)
        operation = AddIndex(table=written(table), columns=entry.columns, name=name, where=entry.where)
        if everything or not any(operation.equals(index) for index in schema.table(table).indexes):
            yield SchemaFix(1, FixKind.INDEX, table, entry.columns, name, operation, entry.rationale)


def _uniques(
    schema: Schema,
    catalog: Catalog,
    references: Sequence[Reference],
    rules: Sequence[UniqueRule],
    everything: bool,
) -> Iterator[SchemaFix]:
    """In phase 3, unless values cannot repeat anyway or a reference points at it: then it must stand
    before the foreign key."""
    for rule in rules:
        needed = _is_referenced(rule, references)
        stands = rule.declared is not None and (rule.declared.referenceable or not needed)
        if everything or not stands:
            phase = 1 if needed or cannot_repeat(schema, rule) else 3
            yield unique_fix(schema, catalog, rule, phase)


def unique_fix(schema: Schema, catalog: Catalog, rule: UniqueRule, phase: int) -> SchemaFix:
    """Returns the unique that forbids duplicates from then on."""
    table, engine = schema.table(rule.table), engine_for(schema.vendor)
    text = tuple(name for name in rule.columns if is_text(engine, table, name))
    name = rule.name or default_index_name(rule.table, rule.columns, _ending(rule))
    operation = AddUnique(
        table=written(rule.table),
        columns=rule.columns,
        name=name,
        where=rule.where,
        nulls_not_distinct=not rule.nulls_distinct,
        ignores_case=text if rule.ignores_case else (),
    )
    case = " without regard to case" if rule.ignores_case else ""
    part = f" where {rule.where}" if rule.where else ""
    again = f"A row of {written(rule.table)} that repeats {', '.join(rule.columns)}{case} is refused{part}."
    note = " ".join(filter(None, (again, _made_redundant(table, catalog, rule))))
    return SchemaFix(
        phase, FixKind.UNIQUE, rule.table, rule.columns, name, operation, rule.rationale, note=note
    )


def _ending(rule: UniqueRule) -> str:
    """What tells uniques on the same columns apart that nobody named."""
    return "_".join([*(["lower"] if rule.ignores_case else []), *(["part"] if rule.where else []), "key"])


def _made_redundant(table: Table, catalog: Catalog, rule: UniqueRule) -> str:
    """Says which indexes nobody needs beside a unique: those that stand, and those of the catalog."""
    if not rule.plain:
        return ""
    listed = [each.name for each in led_by(table, rule.columns)]
    listed += [
        each.name or default_index_name(rule.table, each.columns)
        for each in catalog.indexes
        if each.table.table == rule.table.name
        and each.table.schema in (None, rule.table.schema)
        and each.columns == rule.columns[: len(each.columns)]
        and not each.where
    ]
    names = ", ".join(dict.fromkeys(listed))
    return f"Makes {names} redundant: integrity_makemigrations --drop-redundant drops it." if names else ""


def _is_referenced(rule: UniqueRule, references: Sequence[Reference]) -> bool:
    wanted = set(rule.columns)
    return rule.plain and any(
        each.referenced_table == rule.table and set(each.referenced_columns) == wanted for each in references
    )


def default_index_name(table: TableName, columns: Sequence[str], ending: str = "idx") -> str:
    """The name of an index that nobody named: ``orders_pod_id_idx``."""
    return "_".join([table.name, *columns])[: 62 - len(ending)] + f"_{ending}"


def _staying(references: Sequence[Reference], going: Collection[Place]) -> list[Reference]:
    """Without those of columns that the catalog wants away."""
    return [each for each in references if not any((each.table, name) in going for name in each.columns)]


def _foreign_keys(
    references: Sequence[Reference], everything: bool, converted: Collection[Place]
) -> Iterator[SchemaFix]:
    """In phase 2, but one of whose columns one is converted first comes after that, in phase 3."""
    for reference in references:
        key = reference.declared
        ours = reference.source in _TRUSTED
        if ours and (everything or key is None):
            after = any(
                (reference.table, own) in converted or (reference.referenced_table, other) in converted
                for own, other in reference.pairs
            )
            yield replace(foreign_key_fix(reference), phase=3 if after else 2)
        if (ours and (everything or key is None)) or (
            key is not None and not (key.validated and key.enforced)
        ):
            yield validation_fix(reference)


def foreign_key_fix(reference: Reference) -> SchemaFix:
    """Returns the foreign key that makes a reference bind new rows."""
    operation = AddForeignKey(**_arguments(reference))
    return SchemaFix(
        2, FixKind.FOREIGN_KEY, reference.table, reference.columns, operation.name, operation,
        reference.rationale, consequence(reference),
    )  # fmt: skip


def validation_fix(reference: Reference) -> SchemaFix:
    """Returns what makes a reference's foreign key bind all rows."""
    operation = ValidateForeignKey(**_arguments(reference))
    return SchemaFix(3, FixKind.VALIDATE, reference.table, reference.columns, operation.name, operation)


def _arguments(reference: Reference) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "table": written(reference.table),
        "columns": reference.columns,
        "to": written(reference.referenced_table),
        "to_columns": reference.referenced_columns,
        "name": reference.name or "_".join(["fk", reference.table.name, *reference.columns])[:63],
        "on_delete": str(reference.on_delete),
    }
    if reference.on_update is not Action.NO_ACTION:
        arguments["on_update"] = str(reference.on_update)
    if reference.match != "SIMPLE":
        arguments["match"] = str(reference.match)
    return arguments


def consequence(reference: Reference) -> str:
    """Returns what deleting a referenced row does once the foreign key stands."""
    deleting = f"Deleting a row of {written(reference.referenced_table)}"
    table, columns = written(reference.table), ", ".join(reference.columns)
    said = {
        Action.CASCADE: f"{deleting} deletes the rows of {table} that refer to it by {columns}.",
        Action.SET_NULL: f"{deleting} sets {columns} to NULL in the rows of {table} that refer to it.",
        Action.SET_DEFAULT: f"{deleting} sets {columns} to its default where {table} refers to it.",
    }
    return said.get(
        reference.on_delete, f"{deleting} is refused while rows of {table} refer to it by {columns}."
    )
