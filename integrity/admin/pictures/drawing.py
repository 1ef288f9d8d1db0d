"""What pictures have in common: elements with escaped text, and a name for who cannot see them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from django.utils.safestring import SafeString, mark_safe

CHARACTER = 8.5
"""Units that a letter of a label takes at most, at its largest size on narrow screens."""

LONGEST = 28
"""Letters of a label; the rest of a name is in its title."""
GAP = 6.0


def picture(kind: str, width: float, height: float, *, title: str, description: str) -> ET.Element:
    """Returns an empty picture that is read out as one thing.

    Args:
        kind: what follows ``integrity-`` in its class.
        width: in units; on the page it is as wide as there is room.
        height: in units.
        title: what it shows, in a few words.
        description: its facts in a sentence.
    """
    box = f"0 0 {plain(width)} {plain(height)}"
    svg = ET.Element("svg", {"class": f"integrity-picture integrity-{kind}", "viewBox": box, "role": "img"})
    ET.SubElement(svg, "title").text = title
    ET.SubElement(svg, "desc").text = description
    return svg


def add(parent: ET.Element, tag: str, text: str = "", /, **attributes: float | str) -> ET.Element:
    """Adds an element; ``class_`` becomes ``class``, ``text_anchor`` becomes ``text-anchor``."""
    written = {
        name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else plain(value)
        for name, value in attributes.items()
    }
    element = ET.SubElement(parent, tag, written)
    element.text = text or None
    return element


def plain(value: float) -> str:
    """A coordinate, whatever the language of the page."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def markup(svg: ET.Element) -> SafeString:
    """The picture for a page; ElementTree has escaped every text and attribute."""
    return mark_safe(ET.tostring(svg, encoding="unicode"))


def width_of(text: str) -> float:
    """How wide a label is at most."""
    return len(cut(text)) * CHARACTER


def cut(text: str) -> str:
    """A label that is no longer than it can be read."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def apart(centres: Sequence[float], texts: Sequence[str], order: Sequence[int]) -> set[int]:
    """Which labels can be written without one touching another; those that come first win.

    Args:
        centres: where each label is centred.
        texts: the labels; an empty one takes no room and is not written.
        order: positions, the most important first.
    """
    taken: list[tuple[float, float]] = []
    chosen: set[int] = set()
    for place in order:
        half = (width_of(texts[place]) + GAP) / 2
        left, right = centres[place] - half, centres[place] + half
        if texts[place] and all(right <= start or left >= end for start, end in taken):
            taken.append((left, right))
            chosen.add(place)
    return chosen
