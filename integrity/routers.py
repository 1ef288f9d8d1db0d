"""Sends the models of a target catalog to their target."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connections

from integrity import conf
from integrity.operations.migration import catalog_of


class CatalogRouter:
    """Reads and writes the models of a target catalog in their target, and leaves all others alone.

    ``DATABASE_ROUTERS = ["integrity.routers.CatalogRouter"]``. Where several aliases share a catalog, the
    one of its name is meant, else the first; ``.using()`` names another.
    """

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """The target, or for a related row the target that the first row came from."""
        return _alias_for(model, hints.get("instance"))

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """The same."""
        return _alias_for(model, hints.get("instance"))

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool | None:
        """Rows of one catalog belong together."""
        labels = {obj1._meta.app_label, obj2._meta.app_label}
        both = catalog_behind(obj1._meta.app_label) and len(labels) == 1
        return (obj1._state.db or obj2._state.db) == (obj2._state.db or obj1._state.db) if both else None

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """A model is of its target; the catalog's migrations look after themselves."""
        catalog = catalog_behind(app_label)
        return None if catalog is None or model_name is None else catalog_of(db) == catalog


def _alias_for(model: Any, instance: Any) -> str | None:
    label = model._meta.app_label
    catalog = catalog_behind(label)
    if catalog is None or model._meta.managed:
        return None
    if instance is not None and instance._meta.app_label == label and instance._state.db:
        return str(instance._state.db)
    return alias_of(catalog)


def catalog_behind(app_label: str) -> str | None:
    """Returns the target catalog that an app is, or None where it is another one."""
    config = apps.app_configs.get(app_label)
    package, _, name = config.name.rpartition(".") if config else ("", "", "")
    return name if config and package == conf.catalog_package() else None


def alias_of(catalog: str) -> str | None:
    """Returns the alias of a catalog's target: that of its name, else the first that has it; None: none."""
    aliases = [alias for alias in connections.databases if catalog_of(alias) == catalog]
    return catalog if catalog in aliases else next(iter(aliases), None)
