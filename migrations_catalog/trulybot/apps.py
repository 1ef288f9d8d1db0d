"""The target catalog of trulybot as a Django app."""

from django.apps import AppConfig


class TrulybotCatalogConfig(AppConfig):
    """What should hold in trulybot, and the migrations that make it so."""

    name = "migrations_catalog.trulybot"
    label = "catalog_trulybot"
    verbose_name = "Target catalog of trulybot"
