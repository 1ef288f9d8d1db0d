"""From a target's structure and references to what its models are called and how they hang together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from integrity.database.field_types import FieldType
from integrity.database.identifiers import TableName
from integrity.database.schema import LEDGER, Key, Schema, Table, TableKind
from integrity.modelling.names import class_name, field_name, one_of, snake
from integrity.modelling.relations import Relation, RelationKind, relations_of
from integrity.references.reference import Reference

FieldTypes = Mapping[tuple[TableName, str], FieldType]

_MODELLED = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.FOREIGN)
_SEEN_WHERE_REFERRED_TO = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW)


@dataclass
class TableModel:
    """One table as a model: names are given once, for all relations know each other by them.

    ``key`` are its key's columns; ``system_key`` is the column of the database's own that stands in
    where it has none. ``names`` are its fields by column, ``relations`` those that start here.
    """

    table: Table
    name: str
    key: tuple[str, ...]
    system_key: str = ""
    notes: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    relations: list[Relation] = field(default_factory=list)

    def relation_on(self, column: str) -> Relation | None:
        """The relation whose values a column holds, or None."""
        found = (each for each in self.relations if each.column == column)
        return next(found, None)


@dataclass(frozen=True)
class ModelGraph:
    """All models of a target, those of the default schema first, each by its table's name."""

    schema: Schema
    models: dict[TableName, TableModel]
    types: FieldTypes

    @property
    def relations(self) -> int:
        """How many relations there are."""
        return sum(len(model.relations) for model in self.models.values())


def model_graph(schema: Schema, references: Sequence[Reference], types: FieldTypes) -> ModelGraph:
    """Returns the models of a target with everything named.

    Args:
        schema: its structure.
        references: what should hold there, whether or not a constraint enforces it.
        types: the field of every column, as its engine gives them.
    """
    taken: set[str] = set()
    models = {}
    for table in _modelled(schema, references):
        name = class_name(table.name, schema.default_schema, taken)
        models[table.name] = _with_key(table, name, references, schema.vendor)
    graph = ModelGraph(schema, models, types)
    for model in models.values():
        model.relations = relations_of(model.table, models, references, types, schema.vendor)
    for model in models.values():
        _name_fields(model)
    for model in models.values():
        for relation in model.relations:
            relation.attach(model, models[relation.parent])
    for model in models.values():
        _name_reverses(model, models)
    return graph


def _modelled(schema: Schema, references: Sequence[Reference]) -> list[Table]:
    """The tables; a partition's rows are its parent's, and a view counts where something refers to it."""
    referred = {each.referenced_table for each in references} | {each.table for each in references}
    found = [
        table
        for table in schema
        if table.columns
        and table.name.name != LEDGER
        and (table.kind in _MODELLED or (table.kind in _SEEN_WHERE_REFERRED_TO and table.name in referred))
    ]
    return sorted(found, key=lambda table: (table.name.schema != schema.default_schema, table.name))


def _with_key(table: Table, name: str, references: Sequence[Reference], vendor: str) -> TableModel:
    key = _key(table)
    if key is not None:
        notes = [] if key.primary else [f"No primary key: known by its unique {', '.join(key.columns)}."]
        return TableModel(table, name, key.columns, notes=notes)
    system = (table.rowid if vendor == "sqlite" else "ctid") if table.kind is TableKind.TABLE else ""
    if system:
        note = (
            f"No key: rows are known by {system}, the place where the database keeps them"
            f"{', which every change moves' if system == 'ctid' else ''}. Never store it."
        )
        return TableModel(table, name, (), system, notes=[note])
    referred = [each.referenced_columns for each in references if each.referenced_table == table.name]
    columns = min(referred, default=(table.columns[0].name,))
    note = f"No key that the database knows: {', '.join(columns)} stands in for one, and may not be unique."
    return TableModel(table, name, columns, notes=[note])


def _key(table: Table) -> Key | None:
    """The primary key, or the first unique that holds for all rows and of which nothing is NULL."""
    if table.primary_key is not None:
        return table.primary_key
    whole = (
        key
        for key in sorted(table.keys, key=lambda key: (not key.constraint, len(key.columns), key.columns))
        if key.referenceable and not any(table.column(name).nullable for name in key.columns)
    )
    return next(whole, None)


# -- names -----------------------------------------------------------------------------------


def _name_fields(model: TableModel) -> None:
    """Columns keep their names; what refers to a row is called like that row."""
    if len(model.key) > 1:
        model.taken.add("pk")
    for column in model.table.column_names:
        if model.relation_on(column) is None:
            model.names[column] = field_name([column], model.taken)
    for relation in model.relations:
        wanted = _wanted(relation)
        relation.name = field_name(wanted, model.taken, relation=relation.column != "")
        if relation.column:
            model.names[relation.column] = relation.name
    if model.system_key:
        model.names[model.system_key] = field_name(["key", "row_key"], model.taken)


def _wanted(relation: Relation) -> list[str]:
    parent = one_of(relation.parent.name)
    plain = snake(relation.column) if relation.column else ""
    short = plain.removesuffix("_id").removesuffix("_uuid")
    first = [short] if short not in ("", "id", "uuid", "pk") else []
    if not first and relation.column == "":
        short = snake(relation.columns[-1]).removesuffix("_id")
        first = [] if short in ("", "id") else [short]
    role = [f"{first[0]}_{parent}"] if first else []
    return [*first, parent, *role, f"{parent}_ref"]


def _name_reverses(model: TableModel, models: Mapping[TableName, TableModel]) -> None:
    """The rows that refer to one are called like their table, without the one's own name before it,
    unless that is the name of another table."""
    others = {snake(name.name) for name in models} | {f"{one_of(name.name)}_set" for name in models}
    for relation in model.relations:
        parent = models[relation.parent]
        several = sum(each.parent == relation.parent for each in model.relations) > 1
        wanted = _reverse_names(model, relation, several=several)
        wanted = [name for name in wanted if name not in others - _own(model)]
        relation.related_name = field_name(wanted, parent.taken)


def _own(model: TableModel) -> set[str]:
    return {snake(model.table.name.name), f"{one_of(model.table.name.name)}_set"}


def _reverse_names(model: TableModel, relation: Relation, *, several: bool) -> list[str]:
    full, one = snake(model.table.name.name), one_of(model.table.name.name)
    if relation.kind is RelationKind.ONE_TO_ONE:
        return [*([] if several else [one]), f"{one}_by_{relation.name}"]
    rows = full if full != one else f"{one}_set"
    by = f"{rows}_by_{relation.name}"
    if relation.parent == model.table.name:
        return ["children", by] if relation.name == "parent" else [by]
    short = rows.removeprefix(f"{one_of(relation.parent.name)}_")
    return [by] if several else [short, rows, by]
