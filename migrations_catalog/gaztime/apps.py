"""The target catalog of gaztime as a Django app."""

from django.apps import AppConfig


class GaztimeCatalogConfig(AppConfig):
    """What should hold in gaztime, and the migrations that make it so."""

    name = "migrations_catalog.gaztime"
    label = "catalog_gaztime"
    verbose_name = "Target catalog of gaztime"
