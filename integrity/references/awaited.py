"""What a target does not have yet and its catalog can make: required tables and columns.

An entry of the catalog that speaks of one cannot be looked at before it is there. That is no mistake of
the catalog: the entry waits, and it is said for what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from integrity.database.identifiers import Path, TableName
from integrity.database.schema import Column, Key, Schema, Table, TableKind
from integrity.database.session import engine_for
from integrity.exceptions import UnknownTable
from integrity.references.catalog import Catalog
from integrity.references.reference import written
from integrity.references.required_table import RequiredTable, columns_for

_ROWS = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION, TableKind.FOREIGN, TableKind.VIRTUAL)


@dataclass(frozen=True)
class Awaiting:
    """An entry that cannot be looked at yet, and the table or column that it waits for."""

    kind: str
    label: str
    missing: str

    def as_coverage(self, target: str) -> dict[str, str]:
        """Returns it as a gap in the coverage."""
        reason = f"waits for {self.missing}: manage.py integrity_makemigrations {target}"
        return {self.kind: self.label, "reason": reason}


def required_name(schema: Schema, entry: RequiredTable) -> TableName:
    """Returns the table that an entry means, whether or not it is there."""
    try:
        return schema.resolve(entry.table)
    except UnknownTable:
        return TableName(entry.table.schema or schema.default_schema, entry.table.table)


def required_standing(schema: Schema, entry: RequiredTable) -> Table | None:
    """Returns the table that an entry means, None where it is not there; a view of that name is none."""
    table = schema.tables.get(required_name(schema, entry))
    return table if table is not None and table.kind in _ROWS else None


def required_columns(schema: Schema, entry: RequiredTable) -> tuple[Column, ...]:
    """Returns the columns that an entry describes, as the target's engine would have them."""
    return columns_for(entry.columns, schema.vendor, entry.primary_key)


def can_be_made(schema: Schema, entry: RequiredTable) -> bool:
    """Whether the entry says enough to make its table: a type for every column, and one at least. Where
    the engine tells no names apart by case, one that is there in another case stands in its way."""
    described = bool(entry.columns) and all(each.type for each in required_columns(schema, entry))
    return described and not (tells_no_case(schema) and in_other_case(schema, required_name(schema, entry)))


def tells_no_case(schema: Schema) -> bool:
    """Whether the engine takes names that differ in case alone for one (SQLite does)."""
    return schema.vendor == "sqlite"


def in_other_case(schema: Schema, name: TableName) -> TableName | None:
    """Returns the table whose name differs from this one in case alone, in the same schema first."""
    near = [
        each for each in schema.tables if each.name.lower() == name.name.lower() and each.name != name.name
    ]
    return next((each for each in near if each.schema == name.schema), near[0] if near else None)


def prospective(schema: Schema, catalog: Catalog) -> Schema:
    """Returns the structure as it will be once every required table and column is there."""
    tables = dict(schema.tables)
    for entry in catalog.tables:
        name = required_name(schema, entry)
        if name in schema.closed:
            continue
        standing = tables.get(name)
        columns = tuple(_as_named(schema, each) for each in required_columns(schema, entry))
        if standing is None:
            tables[name] = _table(name, columns, entry.primary_key)
        elif entry.recreate:
            others = tuple(each for each in standing.keys if not each.primary)
            made = _table(name, columns, entry.primary_key)
            tables[name] = replace(standing, columns=columns, keys=(*made.keys, *others))
        else:
            more = tuple(each for each in columns if not standing.has_columns((each.name,)))
            tables[name] = replace(standing, columns=(*standing.columns, *more))
    return replace(schema, tables=tables)


def _as_named(schema: Schema, column: Column) -> Column:
    type_ = engine_for(schema.vendor).type_name(column.type)
    return replace(column, type=type_, stored_type=type_)


def _table(name: TableName, columns: tuple[Column, ...], key: tuple[str, ...]) -> Table:
    keys = (Key("", key, primary=True),) if key else ()
    return Table(name, TableKind.TABLE, columns, keys, rowid="rowid" if name.schema == "main" else "")


def standing(schema: Schema, catalog: Catalog) -> Catalog:
    """Returns the catalog without the entries that wait for a required table or column."""
    if not catalog.tables:
        return catalog
    future = prospective(schema, catalog)

    def stands(*paths: Path) -> bool:
        return not _awaited(schema, future, *paths)

    return replace(
        catalog,
        references=tuple(each for each in catalog.references if stands(each.source, each.to)),
        indexes=tuple(each for each in catalog.indexes if stands(Path(each.table.parts, each.columns))),
        uniques=tuple(each for each in catalog.uniques if stands(Path(each.table.parts, each.columns))),
        columns=tuple(each for each in catalog.columns if stands(each.column)),
        mirrors=tuple(each for each in catalog.mirrors if stands(each.column, each.repeats)),
    )


def awaiting(schema: Schema, catalog: Catalog) -> list[Awaiting]:
    """Returns the entries that wait, each with what it waits for."""
    if not catalog.tables:
        return []
    future = prospective(schema, catalog)
    return [
        Awaiting(kind, label_of(paths[0]), missing)
        for kind, paths in _entries(catalog)
        if (missing := _awaited(schema, future, *paths))
    ]


def _entries(catalog: Catalog) -> Iterator[tuple[str, tuple[Path, ...]]]:
    yield from (("reference", (each.source, each.to)) for each in catalog.references)
    yield from (("unique", (Path(each.table.parts, each.columns),)) for each in catalog.uniques)
    yield from (("index", (Path(each.table.parts, each.columns),)) for each in catalog.indexes)
    yield from (("column", (each.column,)) for each in catalog.columns)
    yield from (("mirror", (each.column, each.repeats)) for each in catalog.mirrors)


def label_of(path: Path) -> str:
    """Returns a name as commands write it, whether or not it is there."""
    return written(TableName(path.schema or "main", path.table), path.columns)


def _awaited(schema: Schema, future: Schema, *paths: Path) -> str:
    """What the paths lack that the future has; empty where all is there, or something will never be."""
    if any(_lacking(future, path) for path in paths):
        return ""
    return next((lacking for path in paths if (lacking := _lacking(schema, path))), "")


def _lacking(schema: Schema, path: Path) -> str:
    """The table or the column that is not there."""
    try:
        table = schema.table(schema.resolve(path))
    except UnknownTable:
        return f"the table {label_of(Path(path.parts, ()))}"
    missing = next((each for each in path.columns if not table.has_columns((each,))), "")
    return f"the column {label_of(Path(path.parts, (missing,)))}" if missing else ""
