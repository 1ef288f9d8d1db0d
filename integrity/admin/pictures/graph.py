"""Tables and what refers to what, laid out by Graphviz and drawn in the admin's own colours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from math import ceil
from threading import Lock
from typing import Any
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

from django.utils.safestring import SafeString, mark_safe

from integrity.admin.pictures.drawing import add, cut, markup, plain

logger = logging.getLogger(__name__)

PIXELS = 1.25
"""How large a unit of the layout is on the page."""

_STEP, _LAST_STEP = 100, 14
"""Pictures up to 1,400 units wide have a class by their width, and may shrink a little to fit a page."""

_FONT = {"fontname": "Courier", "fontsize": "11"}
_GRAPH = {"rankdir": "LR", "nodesep": "0.22", "ranksep": "0.7"}
_NODE = {"shape": "box", "margin": "0.14,0.08", "height": "0.4", **_FONT}
_EDGE = {"arrowsize": "0.7", **_FONT}
_SVG = "{http://www.w3.org/2000/svg}"

_one_at_a_time = Lock()
"""Graphviz, in this process, is not made for threads."""


@dataclass(frozen=True)
class Node:
    """A table: ``lines`` are written in its box, ``title`` is said of it, ``url`` is where it leads."""

    lines: tuple[str, ...]
    title: str
    kind: str = ""
    url: str = ""


@dataclass(frozen=True)
class Edge:
    """A reference from one node to another, by their places; ``mark`` is written beside it."""

    start: int
    end: int
    title: str
    kind: str
    mark: str = ""
    url: str = ""


def available() -> bool:
    """Whether the extra ``graph`` is installed."""
    try:
        import_module("pygraphviz")
    except ImportError:
        return False
    return True


def graph(nodes: Sequence[Node], edges: Sequence[Edge], *, title: str, description: str) -> SafeString:
    """Returns the picture as inline SVG; empty without nodes, without the extra ``graph``, and
    where Graphviz fails.

    Nodes and edges bear the class ``integrity-`` and their kind. Load ``integrity/graph.css`` on the page.
    The layout takes a third of a second for 60 nodes and 120 edges, and minutes for ten times as many: give
    it no more than that.

    Args:
        nodes: the tables.
        edges: the references.
        title: what it shows, in a few words.
        description: its facts in a sentence.
    """
    if not nodes or not available():
        return mark_safe("")
    boxes = tuple(tuple(_measured(cut(line)) for line in node.lines) for node in nodes)
    ends = tuple((edge.start, edge.end, _measured(cut(edge.mark))) for edge in edges)
    try:
        laid_out = ET.fromstring(_layout(boxes, ends))
    except (OSError, RuntimeError, ValueError, ET.ParseError):
        logger.warning("Graphviz could not lay %s tables out", len(nodes), exc_info=True)
        return mark_safe("")
    return markup(_drawn(laid_out, nodes, edges, title, description))


def _measured(text: str) -> str:
    """A text as wide as this one, and without a letter that means something to Graphviz."""
    return "".join("xx" if east_asian_width(letter) in "WF" else "x" for letter in text)


@lru_cache(maxsize=64)
def _layout(boxes: tuple[tuple[str, ...], ...], ends: tuple[tuple[int, int, str], ...]) -> str:
    """Where everything is: Graphviz gets nothing but lengths, so that no name can disturb it."""
    pygraphviz: Any = import_module("pygraphviz")
    drawing = pygraphviz.AGraph(strict=False, directed=True, **_GRAPH)
    drawing.node_attr.update(**_NODE)
    drawing.edge_attr.update(**_EDGE)
    for place, lines in enumerate(boxes):
        drawing.add_node(f"n{place}", id=f"n{place}", label="\\n".join(lines))
    for place, (start, end, mark) in enumerate(ends):
        drawing.add_edge(f"n{start}", f"n{end}", key=f"e{place}", id=f"e{place}", label=mark)
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return str(drawing.draw(format="svg", prog="dot").decode())


def _drawn(
    laid_out: ET.Element, nodes: Sequence[Node], edges: Sequence[Edge], title: str, description: str
) -> ET.Element:
    """The picture anew: of what Graphviz drew, only the places are taken."""
    box = laid_out.get("viewBox", "")
    width, height = map(float, box.split()[2:])
    step = ceil(width / _STEP)
    shrinks = f" integrity-graph-{step}" if step <= _LAST_STEP else ""
    svg = ET.Element("svg", {
        "class": f"integrity-graph{shrinks}", "viewBox": box,
        "width": plain(width * PIXELS), "height": plain(height * PIXELS),
        "role": "group", "aria-label": title,
    })  # fmt: skip
    add(svg, "desc", description)
    group = laid_out.find(f"{_SVG}g")
    assert group is not None
    canvas = add(svg, "g", transform=group.get("transform", ""))
    places = {each.get("id", ""): each for each in group.findall(f"{_SVG}g")}
    for number, edge in enumerate(edges):
        _draw_edge(canvas, places[f"e{number}"], edge)
    for number, node in enumerate(nodes):
        _draw_node(canvas, places[f"n{number}"], node)
    return svg


def _draw_node(canvas: ET.Element, place: ET.Element, node: Node) -> None:
    shape = _thing(canvas, "node", node.kind, node.title, node.url)
    corners = [
        tuple(map(float, each.split(","))) for each in _one(place, "polygon").get("points", "").split()
    ]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    add(shape, "rect", x=left, y=top, width=right - left, height=bottom - top, rx=4)
    for number, (text, line) in enumerate(zip(place.iter(f"{_SVG}text"), node.lines, strict=True)):
        kind = "integrity-line-more" if number else "integrity-line-name"
        add(
            shape,
            "text",
            cut(line),
            class_=kind,
            x=text.get("x", ""),
            y=text.get("y", ""),
            text_anchor="middle",
        )


def _draw_edge(canvas: ET.Element, place: ET.Element, edge: Edge) -> None:
    shape = _thing(canvas, "edge", edge.kind, edge.title, edge.url)
    course = _one(place, "path").get("d", "")
    if edge.url:
        add(shape, "path", class_="integrity-reach", d=course)
    add(shape, "path", class_="integrity-course", d=course)
    add(shape, "polygon", points=_one(place, "polygon").get("points", ""))
    for text in place.iter(f"{_SVG}text"):
        add(
            shape,
            "text",
            cut(edge.mark),
            x=text.get("x", ""),
            y=float(text.get("y", 0)) - 2,
            text_anchor="middle",
        )


def _thing(canvas: ET.Element, what: str, kind: str, title: str, url: str) -> ET.Element:
    classes = f"integrity-{what} integrity-{kind}" if kind else f"integrity-{what}"
    if url:
        shape = add(canvas, "a", class_=classes, href=url, aria_label=title)
    else:
        shape = add(canvas, "g", class_=classes)
    add(shape, "title", title)
    return shape


def _one(place: ET.Element, tag: str) -> ET.Element:
    found = next(place.iter(f"{_SVG}{tag}"), None)
    assert found is not None, f"Graphviz drew no {tag}"
    return found
