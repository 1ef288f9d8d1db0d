"""A chart of when orphans were created has few stretches, misses none of them, and none of the rows."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrity.references.causes.timeline import moment, timeline

DAY = 86_400


def days_of(*days: str) -> list[tuple[int, int]]:
    return [((date.fromisoformat(day) - date(1970, 1, 1)).days, 1) for day in days]


@pytest.mark.parametrize(
    ("first", "last", "unit", "number", "begins"),
    [
        ("2026-03-03", "2026-03-05", "day", 3, "2026-03-03"),
        ("2026-01-01", "2026-12-31", "week", 53, "2025-12-29"),
        ("2023-02-14", "2026-03-05", "month", 38, "2023-02-01"),
        ("1990-06-01", "2026-03-05", "year", 37, "1990-01-01"),
        ("1895-06-01", "2026-03-05", "decade", 14, "1890-01-01"),
    ],
)
def test_the_smallest_unit_that_fits_is_taken(
    first: str, last: str, unit: str, number: int, begins: str
) -> None:
    found = timeline(days_of(first, last), DAY)

    assert (found["unit"], len(found["stretches"]), found["stretches"][0]["start"]) == (unit, number, begins)
    assert found["stretches"][0]["rows"] == found["stretches"][-1]["rows"] == 1


@given(
    st.lists(st.tuples(st.integers(-800_000, 3_000_000), st.integers(1, 9)), min_size=1, max_size=30),
    st.sampled_from([1, 2, 40]),
)
def test_every_orphan_stands_in_one_of_few_stretches(buckets: list[tuple[int, int]], days: int) -> None:
    found = timeline(buckets, days * DAY)
    starts = [each["start"] for each in found["stretches"]]

    assert sum(each["rows"] for each in found["stretches"]) == sum(rows for _, rows in buckets)
    assert starts == sorted(set(starts))
    assert len(starts) <= (60 if found["unit"] != "century" else 101)


def test_nothing_has_no_timeline() -> None:
    assert timeline([], DAY) == {}


def test_a_moment_beyond_the_calendar_is_its_end() -> None:
    assert moment(1e15) == "9999-12-31 23:59:59"
    assert moment(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) == "2026-03-03 00:00:00"
    assert moment(timedelta(days=-999_999_999).total_seconds()).endswith("01-01 00:00:00")
