"""A small line: how a number went over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from xml.etree import ElementTree as ET

from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from integrity.admin.cells import grouped
from integrity.admin.pictures.drawing import add, markup, picture, plain, width_of

NARROW, LOW = 160.0, 36.0
WIDTH, HEIGHT, ABOVE, BELOW, SIDE = 480.0, 150.0, 24.0, 24.0, 6.0
MARGIN = 4.0


class Point(NamedTuple):
    """A number at a moment."""

    moment: datetime
    value: float


def sparkline(points: Sequence[Point], *, title: str, description: str) -> SafeString:
    """Returns a line without words, as small as a word; empty with fewer than two points.

    Args:
        points: in the order of time.
        title: what it shows, in a few words.
        description: its facts in a sentence, for who cannot see it.
    """
    if len(points) < 2:
        return mark_safe("")
    svg = picture("sparkline", NARROW, LOW, title=title, description=description)
    _draw(svg, _placed(points, MARGIN, NARROW - MARGIN, MARGIN, LOW - MARGIN), LOW)
    return markup(svg)


def area(points: Sequence[Point], *, title: str, description: str, width: float = WIDTH) -> SafeString:
    """Returns a line with what lies below it, its first and last day, its highest and last value.

    Empty with fewer than two points. Load ``integrity/charts.css`` on the page.

    Args:
        points: in the order of time.
        title: what it shows, in a few words.
        description: its facts in a sentence, for who cannot see it.
        width: about how many pixels there are for it, by which its words are as large as others.
    """
    if len(points) < 2:
        return mark_safe("")
    kind = "area integrity-narrow" if width < WIDTH else "area"
    svg = picture(kind, width, HEIGHT, title=title, description=description)
    base = HEIGHT - BELOW
    placed = _placed(points, SIDE, width - SIDE, ABOVE, base)
    add(svg, "line", class_="integrity-axis", x1=0, y1=base, x2=width, y2=base)
    _draw(svg, placed, base)
    _dots(svg, points, placed)
    _values(svg, points, placed, width)
    first, last = _day(points[0]), _day(points[-1])
    add(svg, "text", first, x=0, y=HEIGHT - 6)
    if last != first and width_of(first) + width_of(last) < width:
        add(svg, "text", last, x=width, y=HEIGHT - 6, text_anchor="end")
    return markup(svg)


def _placed(
    points: Sequence[Point], left: float, right: float, top: float, base: float
) -> list[tuple[float, float]]:
    """Where the points are: in proportion to time, and nothing at the bottom."""
    begin, most = points[0].moment, max(max(point.value for point in points), 1e-9)
    whole = (points[-1].moment - begin).total_seconds()
    placed = []
    for place, point in enumerate(points):
        passed = (point.moment - begin).total_seconds() / whole if whole > 0 else place / (len(points) - 1)
        placed.append((left + passed * (right - left), base - point.value / most * (base - top)))
    return placed


def _draw(svg: ET.Element, placed: Sequence[tuple[float, float]], base: float) -> None:
    line = " L".join(f"{plain(x)} {plain(y)}" for x, y in placed)
    first, last = plain(placed[0][0]), plain(placed[-1][0])
    add(svg, "path", class_="integrity-below", d=f"M{first} {plain(base)} L{line} L{last} {plain(base)} Z")
    add(svg, "path", class_="integrity-line", d=f"M{line}")
    add(svg, "circle", class_="integrity-last", cx=placed[-1][0], cy=placed[-1][1], r=3)


def _dots(svg: ET.Element, points: Sequence[Point], placed: Sequence[tuple[float, float]]) -> None:
    for point, (x, y) in zip(points, placed, strict=True):
        dot = add(svg, "circle", class_="integrity-dot", cx=x, cy=y, r=5)
        add(dot, "title", f"{_day(point)}: {grouped(round(point.value))}")


def _values(
    svg: ET.Element, points: Sequence[Point], placed: Sequence[tuple[float, float]], width: float
) -> None:
    """The last value, and the highest where both find room."""
    last = len(points) - 1
    highest = max(range(len(points)), key=lambda place: points[place].value)
    begins = _value(svg, points[last], placed[last], width)
    if highest != last and placed[highest][0] + width_of(_number(points[highest])) < begins:
        _value(svg, points[highest], placed[highest], width)


def _value(svg: ET.Element, point: Point, place: tuple[float, float], width: float) -> float:
    text = _number(point)
    half = width_of(text) / 2
    x = min(max(place[0], half), width - half)
    add(svg, "text", text, class_="integrity-value", x=x, y=place[1] - 9, text_anchor="middle")
    return x - half


def _number(point: Point) -> str:
    return grouped(round(point.value))


def _day(point: Point) -> str:
    return date_format(localtime(point.moment), "DATE_FORMAT")
