"""Values of rows of targets, as every page shows them."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

from integrity.admin.cells import grouped
from integrity.database.identifiers import TableName
from integrity.references.reference import written
from integrity.repairs.values import Value

register = template.Library()


@register.filter
def shown(value: Value) -> str:
    """A value; what is no text of its own looks other than a text that reads alike."""
    if value.masked:
        return _quiet(_("(masked)"))
    if value.null:
        return _quiet("NULL")
    if value.size is not None:
        return _quiet(_("%(bytes)s bytes") % {"bytes": grouped(value.size)})
    if not value.text:
        return _quiet(_("(empty)"))
    return format_html("{}{}", value.text, "…" if value.cut else "")


def _quiet(text: str) -> str:
    return format_html('<span class="quiet">{}</span>', text)


@register.filter
def table_name(table: TableName) -> str:
    """A table as commands and catalogs write it."""
    return written(table)
