"""The text of ``generated.py``: one abstract model a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from integrity.database.field_types import AUTOMATIC, FieldType
from integrity.database.schema import Index, Key
from integrity.modelling.graph import ModelGraph, TableModel
from integrity.modelling.layout import Call, Listed, Node, Raw, assigned, comment, docstring, literal
from integrity.modelling.names import one_of, snake
from integrity.modelling.parts import (
    field_call,
    in_sql,
    is_whole,
    listed,
    plain_index,
    raw_sql,
    type_arguments,
)
from integrity.modelling.relations import Relation, RelationKind

BASE = "Base"
"""What the name of an abstract model ends in."""

DJANGO_NAMES_AT_MOST = 30
_IMPORTS = {
    "postgres": "from django.contrib.postgres import fields as postgres",
    "models": "from django.db import models",
    "RawSQL": "from django.db.models.expressions import RawSQL",
    "fields": "from integrity import fields",
}
_HEAD = """Models of {target}, one a table, as integrity_models found it.

Written anew by: manage.py integrity_models {target}. What is added here is lost:
methods, managers, __str__ and more go into models.py. The tables are not this site's,
nothing here is migrated. on_delete is what the rule says; where the database enforces
the rule, Django does the same before it, row by row, and sends its signals.
"""


def generated_text(target: str, app_label: str, graph: ModelGraph, elsewhere: Collection[str]) -> str:
    """Returns the text of ``generated.py``.

    Args:
        target: the name of the target catalog.
        app_label: its app's label.
        graph: the models.
        elsewhere: names of indexes and constraints that models of other apps have: Django wants each
            once in a site (models.E030, models.E032).
    """
    body = "\n\n\n".join(
        _Class(model, graph, target, app_label, elsewhere).text() for model in graph.models.values()
    )
    used = [line for name, line in _IMPORTS.items() if re.search(rf"(?<![\w.\"]){name}\b[.(]", body)]
    ours = [line for line in used if line.startswith("from integrity")]
    theirs = [line for line in used if line not in ours]
    imports = "\n\n".join("\n".join(lines) for lines in (theirs, ours) if lines)
    head = _HEAD.format(target=target)
    return f'"""{head}"""\n\n{imports}\n\n\n{body}\n' if body else f'"""{head}"""\n'


_NULLS = literal("supports_nulls_distinct_unique_constraints")
"""Without this, Django warns of each such unique on every other database (models.W047)."""


class _Class:
    """One model's text."""

    def __init__(
        self, model: TableModel, graph: ModelGraph, target: str, app_label: str, elsewhere: Collection[str]
    ) -> None:
        self.model, self.graph, self.target, self.app_label = model, graph, target, app_label
        self.elsewhere = elsewhere

    def text(self) -> str:
        lines = [f"class {self.model.name}{BASE}(models.Model):"]
        lines += docstring(f"A row of {self._table_name()}.", 4)
        notes = [line for note in self.model.notes for line in comment(note, 4)]
        lines += ["", *notes] if notes else []
        lines += ["", *self._fields(), "", *self._meta()]
        return "\n".join(lines)

    def _table_name(self) -> str:
        table = self.model.table.name
        return table.name if table.schema == self.graph.schema.default_schema else str(table)

    def _fields(self) -> Iterator[str]:
        if len(self.model.key) > 1:
            parts = tuple(("", literal(self._attribute(name))) for name in self.model.key)
            yield assigned("pk", Call("models.CompositePrimaryKey", parts), 4)
        if self.model.system_key:
            yield assigned(self.model.names[self.model.system_key], self._system_key(), 4)
        for column in self.model.table.column_names:
            relation = self.model.relation_on(column)
            yield from self._column(column) if relation is None else self._relation(relation)
        for relation in self.model.relations:
            if not relation.column:
                yield from self._relation(relation)

    def _attribute(self, column: str) -> str:
        """What holds the value itself: of a relation the key."""
        name = self.model.names[column]
        return f"{name}_id" if self.model.relation_on(column) else name

    def _system_key(self) -> Node:
        kind = "models.BigAutoField" if self.graph.schema.vendor == "sqlite" else "fields.RowPlaceField"
        return Call(
            kind, (("primary_key", Raw("True")), ("db_column", literal(in_sql(self.model.system_key))))
        )

    # -- columns -----------------------------------------------------------------------------

    def _column(self, column: str) -> Iterator[str]:
        kind = self.graph.types[self.model.table.name, column]
        computed = self.model.table.column(column).generated
        numbered = kind.automatic and self.model.key != (column,)
        notes = [
            kind.note,
            "Numbered by the database." if numbered else "",
            "Computed by the database: not to be written." if computed and not kind.expression else "",
        ]
        if any(notes):
            yield from comment(" ".join(filter(None, notes)), 4)
        name = self.model.names[column]
        yield assigned(name, self._generated(column, kind) if computed else self._plain(column, kind), 4)

    def _plain(self, column: str, kind: FieldType) -> Node:
        key = self.model.key == (column,)
        nullable = self.model.table.column(column).nullable and column not in self.model.key
        arguments: list[tuple[str, Node]] = [
            *type_arguments(kind),
            *([("primary_key", Raw("True"))] if key else []),
            *([("unique", Raw("True"))] if not key and self._unique(column) else []),
            *([("null", Raw("True")), ("blank", Raw("True"))] if nullable else []),
            *([] if kind.automatic else self._default(column)),
            *self._named(column, self.model.names[column]),
        ]
        return Call(
            AUTOMATIC.get(kind.name, kind.name) if key and kind.automatic else kind.name, tuple(arguments)
        )

    def _default(self, column: str) -> list[tuple[str, Node]]:
        """What the database puts where nothing is given, so that it still does."""
        default = self.model.table.column(column).default or ""
        return [] if default.upper() in ("", "NULL") else [("db_default", raw_sql(default))]

    def _generated(self, column: str, kind: FieldType) -> Node:
        named = self._named(column, self.model.names[column])
        if not kind.expression:
            return Call(
                kind.name, (*type_arguments(kind), ("null", Raw("True")), ("editable", Raw("False")), *named)
            )
        arguments: list[tuple[str, Node]] = [
            ("expression", raw_sql(kind.expression)),
            ("output_field", field_call(kind)),
            ("db_persist", Raw("True")),
            *([("unique", Raw("True"))] if self._unique(column) else []),
            *named,
        ]
        return Call("models.GeneratedField", tuple(arguments))

    def _unique(self, column: str) -> bool:
        return any(
            key.columns == (column,) and is_whole(key) and key.nulls_distinct for key in self.model.table.keys
        )

    def _named(self, column: str, default: str) -> list[tuple[str, Node]]:
        written = in_sql(column)
        return [] if written == default else [("db_column", literal(written))]

    # -- relations ---------------------------------------------------------------------------

    def _relation(self, relation: Relation) -> Iterator[str]:
        kind = self.graph.types.get((self.model.table.name, relation.column))
        for note in [*relation.notes, *([kind.note] if kind and kind.note else [])]:
            yield from comment(note, 4)
        own = relation.parent == self.model.table.name
        target = "self" if own else self.graph.models[relation.parent].name
        arguments: list[tuple[str, Node]] = [("", literal(target)), ("", Raw(f"models.{relation.on_delete}"))]
        if relation.kind is RelationKind.FOREIGN_OBJECT:
            arguments += [
                ("from_fields", listed(list(relation.from_fields))),
                ("to_fields", listed(list(relation.to_fields))),
            ]
        arguments += [("to_field", literal(relation.to_field))] if relation.to_field else []
        arguments += [("related_name", literal(relation.related_name))]
        arguments += [("primary_key", Raw("True"))] if relation.primary else []
        arguments += [("null", Raw("True")), ("blank", Raw("True"))] if relation.nullable else []
        if relation.column:
            arguments += self._named(relation.column, f"{relation.name}_id")
            arguments += [("db_constraint", Raw("False"))] if not relation.enforced else []
        yield assigned(relation.name, Call(f"models.{relation.kind}", tuple(arguments)), 4)

    # -- Meta --------------------------------------------------------------------------------

    def _meta(self) -> Iterator[str]:
        words = self.model.table.name.name
        several = snake(words).replace("_", " ") or words
        one = one_of(words).replace("_", " ") or words
        yield "    class Meta:"
        yield "        abstract = True"
        yield "        managed = False"
        yield assigned("app_label", literal(self.app_label), 8)
        yield assigned("db_table", literal(self._db_table()), 8)
        yield assigned("verbose_name", literal(one), 8)
        yield assigned("verbose_name_plural", literal(several), 8)
        yield "        default_permissions = ()"
        constraints = tuple(self._constraints())
        if constraints:
            yield assigned("constraints", Listed(constraints, spread=True), 8)
            if any(not key.nulls_distinct for key in self._several()):
                yield f"        required_db_features = {{{_NULLS.text}}}"
        indexes = [index for index in self._ordinary_indexes() if plain_index(index)]
        if indexes:
            yield assigned("indexes", Listed(tuple(map(self._index, indexes)), spread=True), 8)
        for text in self._left_out():
            yield from comment(text, 8)

    def _db_table(self) -> str:
        """Django puts one pair of quotes around it: a schema comes in between them.

        Of two tables of one name both need theirs, or a join could not tell them apart.
        """
        name = self.model.table.name
        alone = sum(other.name == name.name for other in self.graph.models) == 1
        if name.schema == self.graph.schema.default_schema and alone:
            return in_sql(name.name)
        return f'{in_sql(name.schema)}"."{in_sql(name.name)}'

    def _several(self) -> list[Key]:
        """The uniques that no single field can say."""
        return [
            key
            for key in sorted(self.model.table.keys, key=lambda key: key.name)
            if not key.primary and is_whole(key) and key.columns != self.model.key
            if len(key.columns) > 1 or not key.nulls_distinct
        ]

    def _constraints(self) -> Iterator[Node]:
        for key in self._several():
            arguments: list[tuple[str, Node]] = [
                ("fields", listed([self.model.names[name] for name in key.columns])),
                ("name", literal(self._object_name(key.name, key.columns))),
                *([] if key.nulls_distinct else [("nulls_distinct", Raw("False"))]),
            ]
            yield Call("models.UniqueConstraint", tuple(arguments))

    def _index(self, index: Index) -> Node:
        name = self._object_name(index.name, index.columns)
        kind = "models.Index" if len(name) <= DJANGO_NAMES_AT_MOST else "fields.NamedIndex"
        names = [self.model.names[column] for column in index.columns]
        return Call(kind, (("fields", listed(names)), ("name", literal(name))))

    def _object_name(self, name: str, columns: tuple[str, ...]) -> str:
        """The database's name, unless Django could not have it or another app has it."""
        if name.startswith("sqlite_autoindex_"):
            name = snake("_".join([self.model.table.name.name, *columns, "uniq"]))
        odd = name[:1] in "_0123456789" or name in self.elsewhere or self._twice(name)
        return f"{self.target}_{snake(self._table_name())}_{name}" if odd else name

    def _twice(self, name: str) -> bool:
        """PostgreSQL wants a name once a schema only."""
        tables = self.graph.models.values()
        return sum(index.name == name for model in tables for index in model.table.indexes) > 1

    def _ordinary_indexes(self) -> list[Index]:
        found = [index for index in self.model.table.indexes if not index.unique]
        return sorted(found, key=lambda index: index.name)

    def _left_out(self) -> Iterator[str]:
        """What Django could only say with more than the structure's facts."""
        for key in sorted(self.model.table.keys, key=lambda key: key.name):
            if not key.primary and not is_whole(key):
                part = f" where {key.where}" if key.where else ""
                yield f"Unique {key.name} of ({', '.join(key.columns)}{' …' * key.expressions}){part}."
        for index in self._ordinary_indexes():
            if not plain_index(index):
                yield f"Index {index.name}: {index.definition or ', '.join(index.columns)}"
