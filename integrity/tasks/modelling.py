"""From a target's structure to models that somebody works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath

from integrity.database.session import Target
from integrity.modelling import ModelFiles, ModelGraph, model_graph, write_models
from integrity.references import known_references, load_catalog
from integrity.tasks.reading import others_of


@dataclass(frozen=True)
class Modelled:
    """The models of a target and the files that hold them."""

    graph: ModelGraph
    written: ModelFiles


def make_models(alias: str, *, catalog_file: FilePath | None = None, dry_run: bool = False) -> Modelled:
    """Writes the models of a target with its complete relation graph.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        dry_run: returns the files without writing them.

    Raises:
        CatalogError: a table or column that the target does not have, or ``models.py`` stands in the way.
    """
    target = Target(alias)
    catalog, others = load_catalog(alias, catalog_file), others_of(target)
    with target.reading() as session:
        schema = session.schema()
        types = session.engine.field_types(session, schema)
    graph = model_graph(schema, known_references(schema, catalog, others), types)
    return Modelled(graph, write_models(alias, graph, dry_run=dry_run))
