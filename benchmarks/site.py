"""Enough of Django for the product's functions, without a site."""

from pathlib import Path

import django
from django.conf import settings
from django.db import connections

from integrity_project.targets import database_settings

CHECKOUT = Path(__file__).resolve().parent.parent


def add_target(alias: str, url: str, *, catalog: str = "") -> None:
    """Makes a URL known as a target, with the catalog of another name where it has none of its own."""
    if not settings.configured:
        own = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        settings.configure(BASE_DIR=CHECKOUT, DATABASES={"default": own}, SECRET_KEY="benchmarks")
        django.setup()
    connections.databases[alias] = database_settings(url, alias=alias)
    if catalog:
        connections.databases[alias]["CATALOG"] = catalog
    connections.configure_settings(connections.databases)
