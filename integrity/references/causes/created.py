"""When rows were created: the column that says so, and how orphans lie in time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.schema import Column, Table
from integrity.references.causes.timeline import moment, timeline

DAY = 86_400
MOST_BUCKETS = 4_000
MONTHS_SHOWN = 3

_NAMED = re.compile(
    r"^(created|creation|inserted|insertion|added|registered|joined|logged|recorded)([_ ]?(at|on|date|time|"
    r"datetime|timestamp|ts))*$|^(date|time|timestamp|ts)[_ ]?(created|inserted|added|joined)$",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(r"updat|modif|chang|expir|delet|last|due|next", re.IGNORECASE)
_NOW = re.compile(r"\bnow\b|current_timestamp|current_date|strftime|datetime\(|unixepoch", re.IGNORECASE)
_MOMENT = re.compile(r"^(timestamp|date|datetime)", re.IGNORECASE)


@dataclass(frozen=True)
class Span:
    """From when to when the rows of a table were created, in seconds since 1970."""

    column: str
    first: float
    last: float

    @property
    def length(self) -> float:
        """In seconds."""
        return self.last - self.first

    @property
    def early(self) -> float:
        """Where the oldest tenth ends."""
        return self.first + self.length / 10

    @property
    def bucket(self) -> int:
        """How many seconds are counted together: a day, or more where there are thousands of them."""
        return DAY * max(1, int(self.length // DAY // MOST_BUCKETS) + 1)


def created_column(vendor: str, table: Table) -> Column | None:
    """Returns the column that says when a row was created: by its name, else by its default of now."""
    named = [each for each in table.columns if _NAMED.match(_snake(each.name)) and _can_tell(vendor, each)]
    told = [
        each
        for each in table.columns
        if _MOMENT.match(each.type) and _NOW.search(each.default or "") and not _OTHERWISE.search(each.name)
    ]
    return next(iter([*named, *told]), None)


def _can_tell(vendor: str, column: Column) -> bool:
    return vendor == "sqlite" or _MOMENT.match(column.stored_type or column.type) is not None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


def profile(
    span: Span, days: Iterable[tuple[int, int]], first: float | None, last: float | None
) -> dict[str, Any]:
    """Returns how orphans lie in time, as plain values: empty where none of them says.

    Args:
        span: the table's rows, orphans or not.
        days: number of a bucket since 1970, and its orphans.
        first: when the first orphan was created.
        last: when the last one was.
    """
    if first is None or last is None:
        return {}
    days = list(days)
    newest = span.last - span.length / 10
    late = sum(rows for day, rows in days if (day + 1) * span.bucket > newest)
    return {
        "column": span.column,
        "first": moment(first),
        "last": moment(last),
        "table_first": moment(span.first),
        "table_last": moment(span.last),
        "months": _months(span, days),
        "timeline": timeline(days, span.bucket),
        "newest_tenth": late if last >= newest else 0,
        "still_growing": span.length >= DAY and last >= newest,
    }


def _months(span: Span, days: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """The months with most orphans."""
    months: dict[str, int] = {}
    for day, rows in days:
        month = moment(day * span.bucket)[:7]
        months[month] = months.get(month, 0) + rows
    top = sorted(months.items(), key=lambda each: (-each[1], each[0]))[:MONTHS_SHOWN]
    return [{"month": month, "rows": rows} for month, rows in top]
