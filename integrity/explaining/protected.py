"""Django's own refusal to delete: PROTECT and RESTRICT are checked before the database is asked."""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from integrity.explaining.reported import ErrorKind, Reported

_REFUSED = re.compile(
    r"Cannot delete some instances of model '(?P<parent>\w+)' because they are referenced through "
    r"(?:protected|restricted) foreign keys: '(?P<model>\w+)\.(?P<field>\w+)'"
)


def read_refusal(text: str) -> Reported | None:
    """Returns what a ProtectedError or RestrictedError says, in the names of the database; None where the
    text is another one, or names a model that this site does not have."""
    match = _REFUSED.search(text)
    if match is None:
        return None
    for model in apps.get_models(include_auto_created=True):
        field = _field(model, match["field"]) if model.__name__ == match["model"] else None
        if field is not None:
            return Reported(
                ErrorKind.STILL_REFERENCED,
                message=" ".join(match.group(0).split()),
                table=_table(model),
                referenced_table=_table(field.target_field.model),
                columns=(field.column,),
            )
    return None


def _field(model: Any, name: str) -> Any:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if field.remote_field and field.concrete else None


def _table(model: Any) -> str:
    """The table alone; Django's own notation for a schema is ``schema"."table``."""
    return str(model._meta.db_table).strip('"').rpartition('"."')[2]
