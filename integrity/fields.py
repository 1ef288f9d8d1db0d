"""What the models of targets need and Django does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

if TYPE_CHECKING:
    JSONField = models.JSONField[Any, Any]
    TextField = models.TextField[Any, Any]
else:
    JSONField = models.JSONField
    TextField = models.TextField


class PlainJSONField(JSONField):
    """A column of type ``json`` rather than ``jsonb``: psycopg gives its values parsed already."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """As the column is."""
        return "json"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        """Parsed, by the driver or here."""
        if connection.vendor == "postgresql":
            return value
        return super().from_db_value(value, expression, connection)


class AsStoredField(TextField):
    """Values of SQLite as they are, whatever the column's declared type has the driver make of them.

    The driver goes by the declared type of a plain column (``detect_types``); an expression has none.
    """

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:
        """The plus changes nothing but that."""
        return (f"+{sql}" if compiler.connection.vendor == "sqlite" else sql), params


class NamedIndex(models.Index):
    """An index that stands under a longer name than Django would give (30 characters)."""

    max_name_length = 255


class _OnceGiven(DeferredAttribute):
    """Nothing until the database gave it."""

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        return self if instance is None else instance.__dict__.get(self.field.attname)


class RowPlaceField(TextField):
    """Where PostgreSQL keeps a row (``ctid``), for tables without a key.

    The database gives it, and another one after each change: it tells rows apart while nobody writes.
    """

    generated = True
    db_returning = True
    descriptor_class = _OnceGiven
