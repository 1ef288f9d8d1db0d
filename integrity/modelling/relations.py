"""References become relations: which kind, by which columns, and what a deletion does.

A composite reference of which one column alone identifies the referenced row is a ForeignKey by that
column: it can be joined, filtered and assigned as any other, and deleting sets that column alone to NULL.
Every other composite one is a ForeignObject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from integrity.database.field_types import Family, FieldType
from integrity.database.identifiers import TableName
from integrity.database.schema import Action, Match, Table
from integrity.references.reference import Reference

if TYPE_CHECKING:
    from integrity.modelling.graph import TableModel

Types = Mapping[tuple[TableName, str], FieldType]


class RelationKind(StrEnum):
    """The field that a reference becomes."""

    FOREIGN_KEY = "ForeignKey"
    ONE_TO_ONE = "OneToOneField"
    FOREIGN_OBJECT = "ForeignObject"


@dataclass
class Relation:
    """One relation from a table to another.

    ``column`` holds its values, empty for a ForeignObject; ``referenced`` is the column there.
    ``to_field``, ``from_fields`` and ``to_fields`` are fields by name, once all are named.
    """

    kind: RelationKind
    parent: TableName
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    column: str = ""
    on_delete: str = "DO_NOTHING"
    enforced: bool = True
    nullable: bool = False
    primary: bool = False
    notes: list[str] = field(default_factory=list)
    name: str = ""
    related_name: str = ""
    to_field: str = ""
    from_fields: tuple[str, ...] = ()
    to_fields: tuple[str, ...] = ()

    def attach(self, model: TableModel, parent: TableModel) -> None:
        """Says by which fields the two sides meet, now that these have names."""
        if self.kind is RelationKind.FOREIGN_OBJECT:
            self.from_fields = tuple(model.names[name] for name in self.columns)
            self.to_fields = tuple(parent.names[name] for name in self.referenced)
        elif parent.key != self.referenced:
            self.to_field = parent.names[self.referenced[0]]


def relations_of(
    table: Table,
    models: Mapping[TableName, TableModel],
    references: Sequence[Reference],
    types: Types,
    vendor: str,
) -> list[Relation]:
    """Returns the relations that start at a table, in the order of its columns.

    What Django cannot follow is said in a note of the table's model: a referenced column that is not
    unique, types that the database does not compare, a column that refers to a second table.
    """
    found: list[Relation] = []
    model = models[table.name]
    for reference in _in_order(table, references):
        if reference.referenced_table not in models:
            model.notes.append(
                f"{_said(reference)}: that is a view, partition or other part without a model."
            )
        elif reference.match not in (Match.SIMPLE, Match.FULL):
            model.notes.append(f"{_said(reference)} by MATCH {reference.match}: Django has none.")
        else:
            made = _relation(reference, model, models[reference.referenced_table], types, vendor, found)
            if made is not None:
                found.append(made)
    return found


def _in_order(table: Table, references: Sequence[Reference]) -> list[Reference]:
    """Single columns first, so that a composite reference meets what they became."""
    place = {name: number for number, name in enumerate(table.column_names)}
    here = [each for each in references if each.table == table.name]
    return sorted(
        here,
        key=lambda each: (
            len(each.columns) > 1,
            tuple(place[name] for name in each.columns),
            not _holds(each),
            each.sides[2],
            each.sides[1],
        ),
    )


def _holds(reference: Reference) -> bool:
    return reference.declared is not None and reference.declared.enforced


def _relation(
    reference: Reference,
    model: TableModel,
    parent: TableModel,
    types: Types,
    vendor: str,
    found: Sequence[Relation],
) -> Relation | None:
    unlike = _unlike(reference, types) if vendor == "postgresql" else ""
    if unlike:
        model.notes.append(f"{_said(reference)}, but {unlike}: the database cannot compare them.")
        return None
    held = {each.column: each for each in found if each.column}
    pair = _identifying(reference, parent, set(held))
    if pair is not None:
        return _by_column(reference, model, parent, pair)
    merged = _merged(reference, parent, held)
    if merged is not None:
        merged.notes.append(_composite(reference))
        return None
    if len(reference.columns) == 1 and reference.columns[0] in held:
        model.notes.append(f"{_said(reference)} too: a column is one relation.")
        return None
    if not _has_key(parent, reference.referenced_columns):
        model.notes.append(f"{_said(reference)}, which is not unique there: no relation.")
        return None
    return _by_columns(reference, model)


def _identifying(reference: Reference, parent: TableModel, held: set[str]) -> tuple[str, str] | None:
    """The column that alone says which row is meant, with the one that it is compared with."""
    for column, referenced in reversed(reference.pairs):
        if column not in held and _has_key(parent, (referenced,)):
            return column, referenced
    return None


def _merged(reference: Reference, parent: TableModel, held: Mapping[str, Relation]) -> Relation | None:
    """The relation by a single column that says the same row already."""
    for column, referenced in reference.pairs:
        other = held.get(column)
        if other and other.parent == reference.referenced_table and other.referenced == (referenced,):
            return other
    return None


def _has_key(parent: TableModel, columns: tuple[str, ...]) -> bool:
    """Whether some unique of the parent has no other columns than these."""
    keys = [set(key.columns) for key in parent.table.keys if key.referenceable]
    stands_in = [set(parent.key)] if parent.key and not parent.table.keys else []
    return any(key and key <= set(columns) for key in [*keys, *stands_in])


def _by_column(
    reference: Reference, model: TableModel, parent: TableModel, pair: tuple[str, str]
) -> Relation:
    column, referenced = pair
    primary = model.key == (column,)
    single = primary or any(
        key.columns == (column,) and not key.where and not key.expressions for key in model.table.keys
    )
    nullable = model.table.column(column).nullable and column not in model.key
    relation = Relation(
        kind=RelationKind.ONE_TO_ONE if single else RelationKind.FOREIGN_KEY,
        parent=parent.table.name,
        columns=(column,),
        referenced=(referenced,),
        column=column,
        enforced=_holds(reference),
        nullable=nullable,
        primary=primary,
        notes=[_composite(reference)] if len(reference.columns) > 1 else [],
    )
    _say_deletion(relation, reference, nullable=nullable)
    return relation


def _by_columns(reference: Reference, model: TableModel) -> Relation:
    nullable = reference.nullable(model.table)
    relation = Relation(
        kind=RelationKind.FOREIGN_OBJECT,
        parent=reference.referenced_table,
        columns=reference.columns,
        referenced=reference.referenced_columns,
        nullable=nullable,
    )
    _say_deletion(relation, reference, nullable=False)
    return relation


_ON_DELETE = {Action.CASCADE: "CASCADE", Action.RESTRICT: "PROTECT"}


def _say_deletion(relation: Relation, reference: Reference, *, nullable: bool) -> None:
    """As the rule says. Django acts before the database does, with the same end, where it can."""
    action = reference.on_delete
    if action is Action.SET_NULL and nullable:
        relation.on_delete = "SET_NULL"
    elif action in (Action.SET_NULL, Action.SET_DEFAULT):
        relation.notes.append(f"on_delete: {action} is left to the database.")
    else:
        relation.on_delete = _ON_DELETE.get(action, "DO_NOTHING")


def _composite(reference: Reference) -> str:
    here, there = ", ".join(reference.columns), ", ".join(reference.referenced_columns)
    return (
        f"The rule is ({here}) to ({there}) of {reference.referenced_table.name}; one column finds the row, "
        "so that a row which breaks the rule in the others is followed all the same."
    )


def _said(reference: Reference) -> str:
    here, there = ", ".join(reference.columns), ", ".join(reference.referenced_columns)
    return f"{here} refers to {reference.referenced_table.name} ({there})"


def _unlike(reference: Reference, types: Types) -> str:
    for column, referenced in reference.pairs:
        here, there = types[reference.table, column], types[reference.referenced_table, referenced]
        same = here.family is there.family
        if not same or (here.family is Family.OTHER and here.name != there.name):
            return f"{column} is {_kind(here)} where {referenced} is {_kind(there)}"
    return ""


def _kind(type_: FieldType) -> str:
    return str(type_.family) if type_.family is not Family.OTHER else type_.name.rpartition(".")[2]
