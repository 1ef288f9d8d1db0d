"""Small charts say what they show to everybody, and no label lies upon another."""

import itertools
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from integrity.admin.pictures.bars import Bar, bars
from integrity.admin.pictures.lines import Point, area, sparkline

HOSTILE = '<script>alert("1")</script>&amp;'
BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)


def texts(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter("text"))


def test_a_chart_is_named_and_its_texts_are_escaped() -> None:
    svg = bars([Bar(HOSTILE, 3, HOSTILE)], title=HOSTILE, description="one column")
    root = ET.fromstring(svg)
    assert "<script" not in svg
    assert (root.findtext("title"), root.findtext("desc")) == (HOSTILE, "one column")
    assert root.get("role") == "img"
    assert "style=" not in svg


def test_labels_of_many_columns_do_not_touch() -> None:
    svg = bars([Bar(f"2025-{n:02}", n) for n in range(1, 61)], title="t", description="d")
    labels = [each for each in texts(svg) if each.get("class") is None]
    places = [float(each.get("x", 0)) for each in labels]
    assert [labels[0].text, labels[-1].text] == ["2025-01", "2025-60"]
    assert all(right - left >= 7 * 8.5 for left, right in itertools.pairwise(places))
    assert len(list(ET.fromstring(svg).iter("g"))) == 60


def test_a_marked_column_is_told_by_its_outline_and_its_words() -> None:
    svg = bars([Bar(str(n), n, marked=n == 3) for n in range(40)], title="t", description="d")
    group = next(each for each in ET.fromstring(svg).iter("g") if "marked" in str(each.get("class")))
    assert [each.text for each in group.iter("text")] == ["3", "3"]


def test_what_is_not_nothing_can_be_seen_and_nothing_cannot() -> None:
    svg = bars([Bar("a", 0), Bar("b", 1), Bar("c", 10_000_000)], title="t", description="d")
    columns = [each for each in ET.fromstring(svg).iter("rect") if each.get("class") is None]
    assert next(float(each.get("height", 0)) for each in columns) == 2
    assert len(columns) == 2


def test_a_line_goes_by_time_and_begins_at_nothing() -> None:
    points = [Point(BEGIN, 10), Point(BEGIN + timedelta(days=1), 0), Point(BEGIN + timedelta(days=10), 5)]
    line = next(each for each in ET.fromstring(area(points, title="t", description="d")).iter("path")
                if each.get("class") == "integrity-line")  # fmt: skip
    placed = [tuple(map(float, each.split())) for each in str(line.get("d"))[1:].split(" L")]
    (first, top), (second, bottom), (last, middle) = placed
    assert (second - first) * 9 - (last - second) < 1
    assert top < middle < bottom == 126


def test_a_line_needs_two_points_and_bears_one_moment() -> None:
    assert sparkline([Point(BEGIN, 1)], title="t", description="d") == ""
    assert "NaN" not in sparkline([Point(BEGIN, 0), Point(BEGIN, 0)], title="t", description="d")
    assert bars([], title="t", description="d") == ""
