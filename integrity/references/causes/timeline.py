"""How orphans lie in time as a chart shows it: a bounded number of equal stretches, empty ones included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

MOST_STRETCHES = 60
"""So many columns can be told apart in a chart."""

_DAY = 86_400
_EPOCH = date(1970, 1, 1)


def _day(day: date) -> date:
    return day


def _week(day: date) -> date:
    return day - timedelta(days=min(day.weekday(), (day - date.min).days))


def _month(day: date) -> date:
    return day.replace(day=1)


def _years(several: int) -> Callable[[date], date]:
    return lambda day: date(max(1, day.year - day.year % several), 1, 1)


_UNITS: Sequence[tuple[str, int, Callable[[date], date]]] = (
    ("day", 1, _day),
    ("week", 7, _week),
    ("month", 31, _month),
    ("year", 366, _years(1)),
    ("decade", 3_653, _years(10)),
    ("century", 36_525, _years(100)),
)
"""Each with the most days that it has, and the first day of the one that a day is in."""


def timeline(buckets: Sequence[tuple[int, int]], width: int) -> dict[str, Any]:
    """Returns ``{"unit": "month", "stretches": [{"start": "2026-03-01", "rows": 17}, …]}``, in UTC.

    Args:
        buckets: the number of a bucket since 1970, and its orphans.
        width: how long a bucket is, in seconds.

    Returns:
        The smallest unit of which no more than :data:`MOST_STRETCHES` reach from the first orphan to the
        last (centuries: as many as there are), empty where there is none.
    """
    counted = [(_date(number * width), rows) for number, rows in sorted(buckets)]
    if not counted:
        return {}
    first, last = counted[0][0], counted[-1][0]
    fitting = (
        (name, start)
        for name, days, start in _UNITS
        if days * _DAY >= width and _number(start, first, last) <= MOST_STRETCHES
    )
    unit, start = next(fitting, (_UNITS[-1][0], _UNITS[-1][2]))
    found: Counter[date] = Counter()
    for day, rows in counted:
        found[start(day)] += rows
    listed = _stretches(start, first, last)
    return {
        "unit": unit,
        "stretches": [{"start": each.isoformat(), "rows": found[each]} for each in listed],
    }


def _number(start: Callable[[date], date], first: date, last: date) -> int:
    """How many stretches reach from one day to another, as far as it matters."""
    number = 0
    for number, _stretch in enumerate(_stretches(start, first, last), start=1):
        if number > MOST_STRETCHES:
            break
    return number


def _stretches(start: Callable[[date], date], first: date, last: date) -> Iterator[date]:
    """The first day of each stretch that has a day between two."""
    current = start(first)
    while current <= last:
        yield current
        following = _next(start, current)
        if following is None:
            return
        current = following


def _next(start: Callable[[date], date], current: date) -> date | None:
    for days in (1, 7, 31, 366, 3_653, 36_525):
        if current > date.max - timedelta(days=days):
            return None
        after = start(current + timedelta(days=days))
        if after > current:
            return after
    return None


def _date(seconds: float) -> date:
    """The day of a moment; what no calendar here reaches is its first or last day."""
    days = seconds // _DAY
    least, most = (date.min - _EPOCH).days, (date.max - _EPOCH).days
    return _EPOCH + timedelta(days=max(least, min(most, int(days))))


def moment(seconds: float) -> str:
    """Seconds since 1970 as people write a moment in UTC; beyond the calendar, its first or last second."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    earliest = (datetime.min.replace(tzinfo=UTC) - epoch).total_seconds()
    latest = (datetime.max.replace(tzinfo=UTC, microsecond=0) - epoch).total_seconds()
    bounded = max(earliest, min(latest, round(seconds)))
    return (epoch + timedelta(seconds=bounded)).strftime("%Y-%m-%d %H:%M:%S")
