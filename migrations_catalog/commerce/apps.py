"""The target catalog of commerce as a Django app."""

from django.apps import AppConfig


class CommerceCatalogConfig(AppConfig):
    """What should hold in commerce, and the migrations that make it so."""

    name = "migrations_catalog.commerce"
    label = "catalog_commerce"
    verbose_name = "Target catalog of commerce"
