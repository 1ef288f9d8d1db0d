"""A small column chart: how many of what, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from django.utils.safestring import SafeString, mark_safe

from integrity.admin.cells import grouped
from integrity.admin.pictures.drawing import add, apart, cut, markup, picture, width_of

WIDTH, HEIGHT, ABOVE, BELOW = 480.0, 160.0, 24.0, 24.0
WIDEST, LEAST = 44.0, 2.0
MANY = 16
"""Columns among which there is no room for the value of each."""


@dataclass(frozen=True)
class Bar:
    """One column: its label below, its value, how the value is written, and whether it stands out."""

    label: str
    value: float
    text: str = ""
    marked: bool = False

    @property
    def written(self) -> str:
        """Its value as people read it."""
        return self.text or grouped(round(self.value))


def bars(points: Sequence[Bar], *, title: str, description: str) -> SafeString:
    """Returns a column chart as inline SVG; empty where there is nothing to show.

    Labels that would touch each other are left out, the least telling first; each column says its own
    when the pointer rests on it. Load ``integrity/charts.css`` on the page.

    Args:
        points: the columns, from left to right.
        title: what it shows, in a few words.
        description: its facts in a sentence, for who cannot see it.
    """
    if not points:
        return mark_safe("")
    svg = picture("bars", WIDTH, HEIGHT, title=title, description=description)
    slot = WIDTH / len(points)
    centres = [slot * (place + 0.5) for place in range(len(points))]
    most = max(max(point.value for point in points), 1e-9)
    values, labels = _said(points, centres)
    for place, point in enumerate(points):
        group = _column(svg, point, centres[place], slot, most)
        if place in values:
            above = _label(group, point.written, centres[place], _top(point, most) - 6)
            above.set("class", "integrity-value")
        if place in labels:
            _label(group, point.label, centres[place], HEIGHT - 6)
    base = HEIGHT - BELOW
    add(svg, "line", class_="integrity-axis", x1=0, y1=base, x2=WIDTH, y2=base)
    return markup(svg)


def _said(points: Sequence[Bar], centres: Sequence[float]) -> tuple[set[int], set[int]]:
    """Which values and which labels are written: marked and large ones, and both ends."""
    places = range(len(points))
    largest = sorted(places, key=lambda place: (not points[place].marked, -points[place].value))
    if len(points) > MANY:
        largest = [place for place in largest if points[place].marked] or largest[:1]
    values = _fitting([point.written if point.value > 0 else "" for point in points], centres, largest)
    marked = [place for place in places if points[place].marked]
    order = dict.fromkeys([*marked, 0, len(points) - 1, *places])
    return values, _fitting([point.label for point in points], centres, list(order))


def _fitting(texts: Sequence[str], centres: Sequence[float], order: Sequence[int]) -> set[int]:
    within = [_within(centre, text) for centre, text in zip(centres, texts, strict=True)]
    return apart(within, texts, order)


def _label(group: ET.Element, text: str, centre: float, y: float) -> ET.Element:
    return add(group, "text", cut(text), x=_within(centre, text), y=y, text_anchor="middle")


def _column(svg: ET.Element, point: Bar, centre: float, slot: float, most: float) -> ET.Element:
    group = add(svg, "g", class_="integrity-bar integrity-marked" if point.marked else "integrity-bar")
    add(group, "title", f"{point.label}: {point.written}")
    add(group, "rect", class_="integrity-slot", x=centre - slot / 2, y=0, width=slot, height=HEIGHT)
    top, width = _top(point, most), min(slot * 0.8, WIDEST)
    height = HEIGHT - BELOW - top
    if height > 0:
        add(group, "rect", x=centre - width / 2, y=top, width=width, height=height, rx=min(2.0, width / 4))
    return group


def _top(point: Bar, most: float) -> float:
    """Where a column ends: what is not nothing can be seen."""
    base = HEIGHT - BELOW
    if point.value <= 0:
        return base
    return base - max(LEAST, (base - ABOVE) * point.value / most)


def _within(centre: float, text: str) -> float:
    """Where a label is centred, so that it does not leave the picture."""
    half = min(width_of(text) / 2, WIDTH / 2)
    return min(max(centre, half), WIDTH - half)
