"""References that the site's own models declare, whether or not a constraint enforces them.

A ``ForeignKey`` with ``db_constraint=False`` is a reference that nothing enforces, and so is one whose
table was made by something else than migrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import router

from integrity import conf
from integrity.database.identifiers import Path, TableName
from integrity.database.schema import Action, Schema
from integrity.database.session import Target
from integrity.references.reference import Reference, Source
from integrity.references.resolve import default_name

_ACTIONS = {
    "CASCADE": Action.CASCADE,
    "SET_NULL": Action.SET_NULL,
    "SET_DEFAULT": Action.SET_DEFAULT,
    "PROTECT": Action.RESTRICT,
    "RESTRICT": Action.RESTRICT,
    "DB_CASCADE": Action.CASCADE,
    "DB_SET_NULL": Action.SET_NULL,
    "DB_SET_DEFAULT": Action.SET_DEFAULT,
}


def has_models(alias: str) -> bool:
    """Whether any of the site's models live in the database of this alias."""
    return any(True for _ in _models(alias))


def others_of(target: Target) -> list[Reference]:
    """Returns the references that the site's models declare in a target; none where no model lives."""
    if not has_models(target.alias):
        return []
    with target.reading() as session:
        return model_references(target.alias, session.schema())


def model_references(alias: str, schema: Schema) -> list[Reference]:
    """Returns the references that the models which live in a database declare.

    Args:
        alias: the database, as the router gives it for reading and writing.
        schema: its structure; a relation whose tables or columns are not there is left out.
    """
    found = [_reference(schema, field) for model in _models(alias) for field in _relations(model)]
    return [each for each in found if each is not None]


def _models(alias: str) -> Iterator[Any]:
    """The models of this database; those that describe target catalogs speak of another one."""
    foreign = f"{conf.catalog_package()}."
    for model in apps.get_models(include_auto_created=True):
        described = apps.get_app_config(model._meta.app_label).name.startswith(foreign)
        if not described and not model._meta.proxy and router.db_for_write(model) == alias:
            yield model


def _relations(model: Any) -> Iterator[Any]:
    for field in model._meta.local_concrete_fields:
        if field.many_to_one or field.one_to_one:
            yield field


def _reference(schema: Schema, field: Any) -> Reference | None:
    table, parent = _table(schema, field.model), _table(schema, field.target_field.model)
    columns, referenced = (field.column,), (field.target_field.column,)
    if table is None or parent is None:
        return None
    known = schema.table(table).has_columns(columns) and schema.table(parent).has_columns(referenced)
    if not known:
        return None
    return Reference(
        table=table,
        columns=columns,
        referenced_table=parent,
        referenced_columns=referenced,
        source=Source.DJANGO,
        name=default_name(Path((table.name,), columns)),
        on_delete=_ACTIONS.get(field.remote_field.on_delete.__name__, Action.NO_ACTION),
        rationale=f"{field.model._meta.label}.{field.name}",
    )


def _table(schema: Schema, model: Any) -> TableName | None:
    """The table of a model; Django's own notation for a schema is ``schema"."table``."""
    first, _, second = model._meta.db_table.strip('"').partition('"."')
    name = TableName(first, second) if second else TableName(schema.default_schema, first)
    return name if name in schema.tables else None
