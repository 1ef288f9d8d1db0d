"""Holds what is written against what is there: catalog entries become references of real tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from integrity.database.identifiers import Path, TableName
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import CatalogError, UnknownReference, UnknownTable
from integrity.references.awaited import Awaiting, label_of, standing
from integrity.references.catalog import Catalog
from integrity.references.declared import declared_references
from integrity.references.entries import CatalogColumn, CatalogIndex, CatalogReference, CatalogUnique
from integrity.references.reference import Reference, Source, matching_key, written
from integrity.references.uniques import UniqueRule, standing_key


def known_references(schema: Schema, catalog: Catalog, others: Iterable[Reference] = ()) -> list[Reference]:
    """Returns every reference known of a target, each rule once, the catalog's word first; not those that
    wait for a required table or column (:func:`integrity.references.awaited.awaiting`).

    Args:
        schema: the target's structure.
        catalog: its catalog, or an empty one.
        others: references from elsewhere (the site's models).

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    found: dict[object, Reference] = {}
    entries = standing(schema, catalog).references
    written_down = [catalog_reference(schema, catalog, entry) for entry in entries]
    for reference in [*written_down, *declared_references(schema), *others]:
        found.setdefault(reference.sides, reference)
    return [replace(each, declared=matching_key(schema, each)) for each in found.values()]


def catalog_reference(schema: Schema, catalog: Catalog, entry: CatalogReference) -> Reference:
    """Returns what a ``[[reference]]`` means in a schema.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    return Reference(
        table=_table(schema, catalog, entry.entry, entry.source),
        columns=entry.source.columns,
        referenced_table=_table(schema, catalog, entry.entry, entry.to),
        referenced_columns=entry.to.columns,
        source=Source.CATALOG,
        name=entry.name or default_name(entry.source),
        match=entry.match,
        on_delete=entry.on_delete,
        on_update=entry.on_update,
        rationale=entry.rationale,
        policy=entry.orphans,
    )


def known_uniques(schema: Schema, catalog: Catalog, session: Session | None = None) -> list[UniqueRule]:
    """Returns the uniques that a catalog asks for, each with the one that the database has for it; not those
    that wait for a required table or column.

    Args:
        schema: the target's structure.
        catalog: its catalog, or an empty one.
        session: an open session, without which only uniques on plain columns are recognised: partial
            and case-insensitive ones take asking the database (:func:`standing_key`).

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    rules = [catalog_unique(schema, catalog, entry) for entry in standing(schema, catalog).uniques]
    return [replace(each, declared=standing_key(schema, each, session)) for each in rules]


def catalog_unique(schema: Schema, catalog: Catalog, entry: CatalogUnique) -> UniqueRule:
    """Returns what a ``[[unique]]`` means in a schema.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    return UniqueRule(
        table=catalog_table(schema, catalog, entry),
        columns=entry.columns,
        name=entry.name,
        where=entry.where,
        nulls_distinct=entry.nulls_distinct,
        ignores_case=entry.ignores_case,
        rationale=entry.rationale,
        policy=entry.duplicates,
        survivor=entry.survivor,
        rename=entry.rename,
    )


def catalog_table(schema: Schema, catalog: Catalog, entry: CatalogIndex) -> TableName:
    """Returns the table that an ``[[index]]`` or ``[[unique]]`` means, its columns checked.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    return _table(schema, catalog, entry.entry, Path(entry.table.parts, entry.columns))


def catalog_column(schema: Schema, catalog: Catalog, entry: CatalogColumn) -> TableName:
    """Returns the table that a ``[[column]]`` means, its column checked.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    return _table(schema, catalog, entry.entry, entry.column)


def catalog_table_of(schema: Schema, catalog: Catalog, entry: CatalogColumn) -> TableName:
    """Returns the table that a ``[[column]]`` means, whether or not it has the column.

    Raises:
        CatalogError: for a table that the target does not have.
    """
    return _table(schema, catalog, entry.entry, Path(entry.column.parts, ()))


def _table(schema: Schema, catalog: Catalog, entry: str, path: Path) -> TableName:
    try:
        table = schema.table(schema.resolve(path))
        for column in path.columns:
            table.column(column)
    except UnknownTable as error:
        raise CatalogError(error.what, where=f"{catalog.file}, {entry}", hint=error.hint) from error
    return table.name


def default_name(path: Path) -> str:
    """The name of a foreign key that nobody named: ``fk_orders_customer_id``."""
    return "_".join(["fk", path.table, *path.columns])[:63]


def choose(
    references: Sequence[Reference],
    schema: Schema,
    wanted: Sequence[Path],
    *,
    waiting: Iterable[Awaiting] = (),
) -> list[Reference]:
    """Returns the references that were named on a command line, in that order; all when none was.

    Args:
        references: what is known.
        schema: the target's structure.
        wanted: what was named.
        waiting: what cannot be looked at yet.

    Raises:
        UnknownReference: with the nearest known one, or with what it waits for.
    """
    if not wanted:
        return list(references)
    awaited = {each.label: each.missing for each in waiting if each.kind == "reference"}
    for path in wanted:
        if missing := awaited.get(label_of(path)):
            raise UnknownReference(
                f"{label_of(path)} cannot be looked at: it waits for {missing}",
                hint="Make that first: integrity_makemigrations, then integrity_migrate.",
            )
    return [each for path in wanted for each in _named(references, schema, path)]


def _named(references: Sequence[Reference], schema: Schema, path: Path) -> list[Reference]:
    table = schema.resolve(path)
    found = [each for each in references if each.table == table and set(each.columns) == set(path.columns)]
    if not found:
        known = sorted(reference.label for reference in references)
        raise UnknownReference(
            f"There is no reference {written(table, path.columns)}",
            hint=f"Known are: {', '.join(known[:20])}{' …' if len(known) > 20 else ''}.",
        )
    return found
