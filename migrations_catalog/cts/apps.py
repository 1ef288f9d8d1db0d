"""The target catalog of cts as a Django app."""

from django.apps import AppConfig


class CtsCatalogConfig(AppConfig):
    """What should hold in cts, and the migrations that make it so."""

    name = "migrations_catalog.cts"
    label = "catalog_cts"
    verbose_name = "Target catalog of cts"
