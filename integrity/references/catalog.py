"""A target catalog: what should hold in a target, as ``catalog.toml`` says it.

Reading checks the text alone (words, types, notation); :func:`integrity.references.resolve`
holds it against a schema.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path as FilePath

from django.db import connections

from integrity import conf
from integrity.exceptions import CatalogError, CatalogMissing
from integrity.references.catalog_reading import CatalogReader
from integrity.references.entries import Catalog

__all__ = ["Catalog", "catalog_file", "load_catalog"]


def catalog_file(target: str) -> FilePath:
    """Where a target's catalog is kept, whether or not it exists: several aliases may share one."""
    name = connections.databases.get(target, {}).get("CATALOG", target)
    return conf.catalog_root() / str(name) / "catalog.toml"


def load_catalog(target: str, lent: FilePath | None = None, *, required: bool = False) -> Catalog:
    """Reads a target's catalog, or the one lent to it for one run.

    Args:
        target: the target's alias.
        lent: a file given with ``--catalog``.
        required: whether a target without a catalog is an error.

    Raises:
        CatalogMissing: when required, or lent and not there.
        CatalogError: with file, entry and the nearest right word.
    """
    file = lent or catalog_file(target)
    if not file.is_file():
        if lent or required:
            raise CatalogMissing(
                f"{target} has no target catalog",
                where=str(file),
                hint=f"Make one with: manage.py integrity_startcatalog {target}, "
                "or lend one with --catalog FILE.",
            )
        return Catalog()
    try:
        return _read(file, file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(
            f"The catalog is not TOML: {error}", where=str(file), hint="Correct that line."
        ) from error


@lru_cache(32)
def _read(file: FilePath, text: str) -> Catalog:
    """The same text says the same: pages and steps of one command ask for it again and again."""
    return CatalogReader(file, tomllib.loads(text)).catalog()
