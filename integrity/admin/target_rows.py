"""Rows of targets, to look at: read-only, by a permission of our own, bounded in what a page asks for.

Models of a target catalog are registered where ``ADMIN_MODELS`` names it. Masked columns are masked on
every page, and neither searched nor filtered by: an answer would tell their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrity import conf
from integrity.admin.base import ReadOnlyAdmin, may
from integrity.admin.row_lists import (
    LISTED_AT_MOST,
    AnyField,
    BoundedPaginator,
    RowList,
    list_of,
    page_of,
    read_as,
    text,
)
from integrity.admin.serving import reverse
from integrity.database.identifiers import TableName
from integrity.database.session import Target
from integrity.exceptions import ReferentialIntegrityError
from integrity.fields import RowPlaceField
from integrity.references import load_catalog
from integrity.references.masking import MASKED, is_masked
from integrity.routers import alias_of, catalog_behind

PERMISSION = "view_sample_rows"
COLUMNS_AT_MOST = 8
LETTERS_AT_MOST = 80


class TargetRowAdmin(ReadOnlyAdmin):
    """The rows of one table."""

    actions = None
    paginator = BoundedPaginator
    change_form_template = None

    @property
    def search_helptext(self) -> str | Promise:
        """By what a row is found, and where the list ends."""
        names = ", ".join(str(field.verbose_name) for field in self._searched())
        ends = _("The list ends after %(rows)s rows.") % {"rows": f"{LISTED_AT_MOST:,}"}
        return _("An exact value of: %(names)s.") % {"names": names} + f" {ends}" if names else ends

    # -- who may ---------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """One permission for the rows of all targets: Django's own, one a model, count for nothing here."""
        return may(request, PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Somebody without it sees nothing."""
        return may(request, PERMISSION)

    # -- where from --------------------------------------------------------------------------

    @property
    def alias(self) -> str:
        """The target."""
        catalog = catalog_behind(self.opts.app_label)
        return str(catalog and alias_of(catalog))

    def get_queryset(self, request: HttpRequest) -> Any:
        """From the target, with or without a router."""
        return super().get_queryset(request).using(self.alias)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Ordered by what is indexed."""
        return RowList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Says in a line why a target cannot be read."""
        return self._read(
            request, lambda: super(TargetRowAdmin, self).changelist_view(request, extra_context)
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The same, without Django's transaction: nothing is written."""
        view = super()._changeform_view  # type: ignore[misc]
        return self._read(request, lambda: view(request, object_id, form_url, extra_context))

    def _read(self, request: HttpRequest, view: Callable[[], Any]) -> HttpResponse:
        try:
            response: HttpResponse = view()
            if isinstance(response, TemplateResponse):
                response.render()
            return response
        except (DatabaseError, ReferentialIntegrityError) as error:
            what = str(error).strip().partition("\n")[0]
            messages.error(
                request, _("%(table)s cannot be read: %(what)s") % {"table": self._name(), "what": what}
            )
            return HttpResponseRedirect(reverse("admin:index"))

    def _name(self) -> str:
        return f"{self.alias}, {self.opts.verbose_name_plural}"

    # -- what is shown -----------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> Any:
        """The key and the first columns."""
        fields = sorted(self._fields(), key=lambda field: not field.primary_key)[:COLUMNS_AT_MOST]
        masked = self._masked()
        return [self._cell(field, hidden=field.column in masked, short=True) for field in fields]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """The key, unless that must not be shown: an address would."""
        return None if self.opts.pk.column in self._masked() else list_display[:1]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """No column: sorting a table of any size by one would take as long as it likes."""
        return ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Every column, and the rows that refer to this one."""
        masked = self._masked()
        cells = [self._cell(field, hidden=field.column in masked, short=False) for field in self._fields()]
        return [*cells, self.rows_that_refer] if any(self._referring()) else cells

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All."""
        return self.get_fields(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """One."""
        return [(None, {"fields": self.get_fields(request, obj)})]

    @admin.display(description=gettext_lazy("rows that refer to it"))
    def rows_that_refer(self, obj: Any) -> str:
        """Lists of them, not counted: that could take as long as it likes."""
        links = ((list_of(obj, relation), relation.get_accessor_name()) for relation in self._referring())
        found = ((url, name) for url, name in links if url)
        return format_html_join("", '<div><a href="{}">{}</a></div>', found) or "–"

    def _referring(self) -> Iterator[Any]:
        for relation in self.opts.related_objects:
            if self.admin_site.is_registered(relation.related_model):
                yield relation

    def _fields(self) -> list[AnyField]:
        return list(self.opts.concrete_fields)

    def _cell(self, field: AnyField, *, hidden: bool, short: bool) -> Callable[[Any], Any]:
        """What shows a column; a reference leads to its row without reading it."""

        @admin.display(description=field.column or field.name)
        def show(obj: Any) -> Any:
            value = getattr(obj, field.attname)
            if hidden and value is not None:
                return MASKED
            shown = Truncator(text(value)).chars(LETTERS_AT_MOST) if short else text(value)
            return self._linked(field, value, shown)

        show.__name__ = field.attname
        return show

    def _linked(self, field: AnyField, value: Any, shown: str) -> str:
        there = field.remote_field and field.target_field  # type: ignore[attr-defined]
        if value is None or not there or not there.primary_key:
            return shown
        if not self.admin_site.is_registered(there.model):
            return shown
        url = page_of(there.model, value)
        return format_html('<a href="{}">{}</a>', url, shown) if url else shown

    # -- what is asked for -------------------------------------------------------------------

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Rows by the columns of a key or a reference, exactly; never by what is masked."""
        return lookup in {f"{field.name}__exact" for field in self._searched()}

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Rows are known by their key alone."""
        return to_field == self.opts.pk.name

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Whether there is anything to search by."""
        return [field.name for field in self._searched()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Rows of which an indexed column has exactly this value."""
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        found = Q()
        for field in self._searched():
            value = read_as(field, term)
            if value is not None:
                found |= Q(**{f"{field.attname}__exact": value})
        return (queryset.filter(found) if found else queryset.none()), False

    def _searched(self) -> list[AnyField]:
        """The columns that an index leads with or that refer to something, none of them masked."""
        wanted = {index.fields[0] for index in self.opts.indexes if index.fields}
        wanted |= {name for each in self.opts.total_unique_constraints for name in each.fields[:1]}
        for relation in self.opts.local_fields:
            if relation.is_relation:
                wanted |= {field.name for field in relation.local_related_fields}  # type: ignore[attr-defined]
        masked = self._masked()
        return [
            field
            for field in self._fields()
            if (field.unique or field.name in wanted)
            and field.column not in masked
            and not isinstance(field, RowPlaceField)
        ]

    def _masked(self) -> set[str]:
        """The columns whose values must not be shown."""
        catalog = load_catalog(self.alias)
        first, _quotes, second = self.opts.db_table.partition('"."')
        schema, name = (first, second) if second else (Target(self.alias).engine.default_schema, first)
        table = TableName(_as_named(schema), _as_named(name))
        columns = (str(field.column) for field in self._fields())
        return {column for column in columns if is_masked(catalog, table, _as_named(column))}


def _as_named(name: str) -> str:
    """A name as the database has it: in models quotes and percent signs are doubled."""
    return name.replace('""', '"').replace("%%", "%")


def register_target_models(site: admin.AdminSite = admin.site) -> None:
    """Registers the models of the catalogs that ``ADMIN_MODELS`` names.

    Django's admin takes no composite key, so that such tables are left out; a model that is registered
    already keeps the page that somebody made for it.
    """
    for name in conf.admin_models():
        label = f"catalog_{name}"
        for model in apps.get_app_config(label).get_models() if label in apps.app_configs else ():
            ours = not (model._meta.managed or model._meta.proxy or model._meta.is_composite_pk)
            if ours and not site.is_registered(model):
                site.register(model, TargetRowAdmin)
