"""The addresses of rows: for the admin of findings about orphans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path

from integrity.admin.base import ReadOnlyAdmin
from integrity.admin.rows import chosen, files, keys, parents, referring, views

if TYPE_CHECKING:
    Pages = ReadOnlyAdmin
else:
    Pages = object


class RowPages(Pages):
    """Adds the pages of rows to an admin; all of them open the target for a short look."""

    def get_urls(self) -> list[URLPattern]:
        """Rows, missing keys, rows to refer to instead, what refers to them, and the file of all."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/rows/", view(self.rows_view), name="integrity_orphanfinding_rows"),
            path("<int:pk>/rows/csv/", view(self.rows_csv_view), name="integrity_orphanfinding_rows_csv"),
            path(
                "<int:pk>/rows/<str:decision>/",
                view(self.chosen_view),
                name="integrity_orphanfinding_rows_chosen",
            ),
            path("<int:pk>/keys/", view(self.keys_view), name="integrity_orphanfinding_keys"),
            path("<int:pk>/parents/", view(self.parents_view), name="integrity_orphanfinding_parents"),
            path("<int:pk>/referring/", view(self.referring_view), name="integrity_orphanfinding_referring"),
            *super().get_urls(),
        ]

    def rows_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """A page of orphans."""
        return views.rows_page(self, request, pk)

    def rows_csv_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """All orphans as a file."""
        return files.rows_file(self, request, pk)

    def chosen_view(self, request: HttpRequest, pk: int, decision: str) -> HttpResponseBase:
        """Leads on to the decision about the rows that were chosen."""
        return chosen.decide_about_chosen(self, request, pk, decision)

    def keys_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """A page of missing keys."""
        return keys.keys_page(self, request, pk)

    def parents_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Rows that the orphans could refer to instead."""
        return parents.parents_found(self, request, pk)

    def referring_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """How many rows refer to any of the orphans."""
        return referring.total_page(self, request, pk)
