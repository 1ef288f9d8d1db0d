"""The one shape of these pages: a sentence, where to go, a few numbers, tables, and facts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime

from integrity import models
from integrity.admin.base import ReadOnlyAdmin

LONGEST_NUMBER = 19
SHOWN_AT_MOST = 100


@dataclass(frozen=True)
class Way:
    """Where to go from here, or, where it ``posts``, what is started."""

    text: str
    url: str
    best: bool = False
    posts: bool = False


@dataclass(frozen=True)
class Tile:
    """A number that tells much, with a word about it; ``small`` where it is no number."""

    label: str
    value: str
    more: str = ""
    small: bool = False
    bad: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, and whether it holds numbers."""

    heading: str
    numbers: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its title; without rows it says ``empty``. The first cell of a row heads it."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    empty: str = ""
    more: str = ""
    way: Way | None = None

    @property
    def lines(self) -> list[list[tuple[Column, Any]]]:
        """Each row, its cells with their columns."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Record:
    """What the page of something kept says; ``near`` leads to what belongs to it."""

    title: str
    target: models.Target
    badge: str
    sentences: tuple[str, ...]
    error: str = ""
    quote: str = ""
    near: tuple[Way, ...] = ()
    ways: tuple[Way, ...] = ()
    tiles: tuple[Tile, ...] = ()
    tables: tuple[Table, ...] = ()
    facts: tuple[tuple[str, Any], ...] = ()


class RecordAdmin(ReadOnlyAdmin):
    """Each thing of a list has a page of that shape."""

    @abstractmethod
    def record(self, request: HttpRequest, found: Any) -> Record:
        """What the page of one says, as this user may read it."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows it; nothing here is edited."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        known = object_id.isdecimal() and len(object_id) < LONGEST_NUMBER
        found = self.get_queryset(request).filter(pk=object_id).first() if known else None
        if found is None:
            raise Http404
        record = self.record(request, found)
        return self.page(request, "record.html", record.title, record=record, **(extra_context or {}))


def moment(at: datetime | None) -> str:
    """A moment as people write it."""
    if at is None:
        return "–"
    here = localtime(at)
    return format_html(
        '<time datetime="{}">{}</time>', here.isoformat(), date_format(here, "DATETIME_FORMAT")
    )
