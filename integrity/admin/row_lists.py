"""Lists and cells of rows of targets: of any size, in a bounded number of looks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _

from integrity.admin.serving import reverse
from integrity.fields import RowPlaceField

LISTED_AT_MOST = 10_000

if TYPE_CHECKING:
    RowPaginator = Paginator[Any]
    AnyField = Field[Any, Any]
else:
    RowPaginator = Paginator
    AnyField = Field


class BoundedPaginator(RowPaginator):
    """Pages through the first rows and counts no further: both would take minutes on a large table."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, as far as they are listed."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:LISTED_AT_MOST].count()

    def _check_object_list_is_ordered(self) -> None:
        """Rows without a key have no order, and sorting them all for one page would be worse."""


class RowList(ChangeList):
    """In the order of the key, which is indexed; in none where there is no key."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """By the key, whatever the address says."""
        key = self.lookup_opts.pk
        backwards = str(self.params.get("o", "")).startswith("-")
        return [] if isinstance(key, RowPlaceField) else ["-pk" if backwards else "pk"]


def text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bytes | memoryview):
        return _("%(bytes)s bytes") % {"bytes": len(value)}
    return str(value)


def read_as(field: AnyField, term: str) -> Any:
    """A search term as a value of a column, None where it cannot be one."""
    target = field.target_field if field.is_relation else field  # type: ignore[attr-defined]
    try:
        value = target.to_python(term)
        return None if value in ("", None) else value
    except (ValidationError, ValueError, TypeError):
        return None


def page_of(model: type[Model], key: Any) -> str:
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(key)])
    except NoReverseMatch:
        return ""


def list_of(obj: Any, relation: Any) -> str:
    """The address of the list of rows that refer to this one by a relation."""
    pairs = [(here.name, getattr(obj, there.attname)) for here, there in relation.field.related_fields]
    if any(value is None for _name, value in pairs):
        return ""
    opts = relation.related_model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return f"{url}?{urlencode({f'{name}__exact': value for name, value in pairs})}"
