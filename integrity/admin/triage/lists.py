"""Lists of findings that take no longer when there are many: by index, and counted to a bound."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, reduce
from itertools import islice
from operator import or_
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from integrity import models

COUNTED_AT_MOST = 2_000
"""Beyond it a list says “more than”: to count further would read every finding of the list."""
SEARCHED = 5_000
"""So many of the worst and largest findings are searched for words within their names."""
FOUND_AT_MOST = 500
_WORDED = ("label", "referenced_table", "object", "message")

if TYPE_CHECKING:
    FindingPaginator = Paginator[Any]
else:
    FindingPaginator = Paginator


class BoundedPaginator(FindingPaginator):
    """Counts to a bound: whoever looks for more narrows the list."""

    @cached_property
    def count(self) -> int:
        """How many findings there are, as far as they are listed."""
        found = cast("QuerySet[Any]", self.object_list)
        return found.order_by()[: COUNTED_AT_MOST + 1].count()


class FindingList(ChangeList):
    """A list that says how many findings there are, as far as they are counted."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """By the one column that is asked for, and within it as its index goes."""
        ordering = cast("list[Any]", super().get_ordering(request, queryset))
        if ORDER_VAR not in self.params:
            return ordering
        return ["rows", "pk"] if ordering[0] == "rows" else [ordering[0], "-pk"]

    @property
    def more(self) -> bool:
        """Whether there are more than are counted."""
        return int(self.result_count) > COUNTED_AT_MOST

    @property
    def pages(self) -> list[Any]:
        """The numbers of the pages around this one; none where everything is on it."""
        return list(self.paginator.get_elided_page_range(self.page_num)) if self.multi_page else []

    @property
    def counted(self) -> int:
        """How many there are, as far as they are counted."""
        return min(int(self.result_count), COUNTED_AT_MOST)


def search(findings: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Returns the findings that a term names: by their table or the one that they refer to, however many
    findings there are; and by words within the names and messages of the worst and largest.

    They are looked for first, each way by its index, and then listed by their keys alone.
    """
    term = term.replace("\0", "").strip()
    if not term:
        return findings
    found = _within(findings, term.split())
    for looked in _named(findings, term):
        found |= set(looked.order_by().values_list("pk", flat=True)[:FOUND_AT_MOST])
    listed: QuerySet[Any] = findings.model._base_manager.filter(pk__in=found)
    listed.query.select_related = findings.query.select_related
    return listed.order_by(*findings.query.order_by)


def _named(findings: QuerySet[Any], term: str) -> Iterator[QuerySet[Any]]:
    """``orders`` is a table, or one that is referred to; ``public.orders`` or ``orders.customer_id`` is one
    with its schema or columns; ``orders customer`` has the second word somewhere."""
    yield findings.filter(table_name=term)
    yield findings.filter(referenced_table=term)
    first, *others = term.split()
    if "." in first:
        before, after = first.split(".")[:2]
        yield _worded(findings.filter(table_name__in=(before, after)), [first, *others])
        yield _worded(findings.filter(table_name=after, schema_name=before), others)
    elif others:
        yield _worded(findings.filter(table_name=first), others)


def _within(findings: QuerySet[Any], words: list[str]) -> set[int]:
    """Compared here: a database that is asked for a few of the first findings may read them all instead."""
    order = ["-rows", "-pk"] if findings.model is models.OrphanFinding else ["badness", "-rows", "-pk"]
    first = findings.order_by(*order).values_list("pk", *_WORDED)[:SEARCHED]
    wanted = [word.casefold() for word in words]
    texts = ((pk, "\n".join(said).casefold()) for pk, *said in first)
    return set(islice((pk for pk, text in texts if all(word in text for word in wanted)), FOUND_AT_MOST))


def _worded(findings: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
    for word in words:
        findings = findings.filter(reduce(or_, (Q(**{f"{name}__icontains": word}) for name in _WORDED)))
    return findings
