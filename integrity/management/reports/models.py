"""Which models were or would be written, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings

from integrity import conf
from integrity.management.blocks import Block, Code, Grid, Line, Title, count
from integrity.management.reports.migrations import files_json
from integrity.modelling.graph import ModelGraph, TableModel
from integrity.modelling.relations import Relation
from integrity.references.reference import written
from integrity.tasks.modelling import Modelled


def models_blocks(alias: str, made: Modelled, *, dry_run: bool, texts: bool) -> Iterator[Block]:
    """Yields the models, the relations that could not be made, the files, and what comes next."""
    yield Title(f"Models of {alias}")
    models = made.graph.models.values()
    yield Grid(("model", "table", "key"), [_model_row(model) for model in models])
    relations = [_relation_row(model, each, made.graph) for model in models for each in model.relations]
    if relations:
        yield Title("Relations")
        yield Grid(("from", "to", "named there", "on delete", "enforced"), relations)
    for model in models:
        for note in model.notes:
            yield Line(f"{model.name}: {note}", "warning")
    yield Line(f"{count(len(made.graph.models), 'model')}, {count(made.graph.relations, 'relation')}.")
    yield from _files(made, dry_run=dry_run, texts=texts)
    if not dry_run:
        yield from _next(alias, made)


def _model_row(model: TableModel) -> tuple[Any, ...]:
    return model.name, written(model.table.name), ", ".join(model.key) or model.system_key


def _relation_row(model: TableModel, relation: Relation, graph: ModelGraph) -> tuple[Any, ...]:
    there = graph.models[relation.parent].name
    return (
        f"{model.name}.{relation.name}",
        there,
        f"{there}.{relation.related_name}",
        relation.on_delete,
        relation.enforced,
    )


def _files(made: Modelled, *, dry_run: bool, texts: bool) -> Iterator[Block]:
    files = made.written
    if files.up_to_date:
        yield Line("Everything is up to date.", "good")
        return
    yield Title("Would be written" if dry_run else "Written")
    for file in files.files:
        yield Line(str(file.path), depth=1)
        if texts and file.text:
            yield Code(file.text, "python")
    if files.emptied:
        yield Line(
            f"taken out: {files.emptied} (without a migration, Django would ask for a first one)", depth=1
        )
    for word, names in (("new in", files.added), ("taken out of", files.removed)):
        if names:
            more = f" and {len(names) - 10} more" if len(names) > 10 else ""
            yield Line(f"{word} models.py: {', '.join(names[:10])}{more}", "faint", 1)


def _next(alias: str, made: Modelled) -> Iterator[Block]:
    """What somebody has to do so that the models can be used."""
    package = made.written.package
    if not apps.is_installed(f"{conf.catalog_package()}.{package.name}"):
        yield Line(f'Add "{conf.catalog_package()}.{package.name}" to INSTALLED_APPS.')
    if not _is_routed():
        yield Line(
            f'Query with .using("{alias}"), or add "integrity.routers.CatalogRouter" to DATABASE_ROUTERS.'
        )


def _is_routed() -> bool:
    return any("CatalogRouter" in str(each) for each in settings.DATABASE_ROUTERS)


def models_json(alias: str, made: Modelled, *, dry_run: bool) -> dict[str, Any]:
    """Returns the same as plain values."""
    return {
        "target": alias,
        "dry_run": dry_run,
        "up_to_date": made.written.up_to_date,
        "models": [
            {
                "model": model.name,
                "table": written(model.table.name),
                "key": list(model.key) or [model.system_key],
                "relations": [
                    {
                        "name": each.name,
                        "kind": str(each.kind),
                        "to": made.graph.models[each.parent].name,
                        "related_name": each.related_name,
                        "on_delete": each.on_delete,
                        "enforced": each.enforced,
                    }
                    for each in model.relations
                ],
                "notes": model.notes,
            }
            for model in made.graph.models.values()
        ],
        "added": made.written.added,
        "removed": made.written.removed,
        "files": files_json(made.written.files),
    }
