"""Values of rows in a few words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from integrity.admin.cells import grouped
from integrity.repairs.values import Value


def value_text(value: Value) -> str:
    """A value as text alone, where no markup can be."""
    if value.masked:
        return _("(masked)")
    if value.null:
        return "NULL"
    return value.text if value.size is None else _("%(bytes)s bytes") % {"bytes": grouped(value.size)}
