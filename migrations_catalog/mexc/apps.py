"""The target catalog of mexc as a Django app."""

from django.apps import AppConfig


class MexcCatalogConfig(AppConfig):
    """What should hold in mexc, and the migrations that make it so."""

    name = "migrations_catalog.mexc"
    label = "catalog_mexc"
    verbose_name = "Target catalog of mexc"
