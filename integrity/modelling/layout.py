"""Python as a formatter would lay it out, whatever the names in it.

What does not fit in a line of 88 characters stands one argument a line with a comma behind the last,
which ruff and black leave as it is at any line length.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

WIDTH = 88
STEP = 4


@dataclass(frozen=True)
class Raw:
    """Text that is Python already."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call: what is called, its arguments in order, each with its name or without (empty)."""

    name: str
    arguments: tuple[tuple[str, Node], ...]


@dataclass(frozen=True)
class Listed:
    """A list; ``spread`` keeps its parts on lines of their own."""

    parts: tuple[Node, ...]
    spread: bool = False


Node = Raw | Call | Listed


def literal(value: Any) -> Raw:
    """Returns a plain value as Python, its text in double quotes where that needs no other escapes."""
    text = repr(value)
    if isinstance(value, (list, tuple)):
        inner = ", ".join(literal(each).text for each in value)
        single = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return Raw(f"[{inner}]" if isinstance(value, list) else f"({inner}{single})")
    if isinstance(value, str) and text[0] == "'" and '"' not in text:
        return Raw(f'"{text[1:-1]}"')
    return Raw(text)


def assigned(name: str, node: Node, indent: int) -> str:
    """Returns ``name = node`` with its indentation."""
    start = " " * indent + f"{name} = "
    return start + laid_out(node, indent, WIDTH - len(start))


def laid_out(node: Node, indent: int, room: int) -> str:
    """Returns a node in one line where that has room, else spread over several."""
    text = flat(node)
    spread = isinstance(node, Listed) and node.spread and node.parts
    if isinstance(node, Raw) or (len(text) <= room and not spread):
        return text
    parts = node.arguments if isinstance(node, Call) else tuple(("", part) for part in node.parts)
    opening, closing = (f"{node.name}(", ")") if isinstance(node, Call) else ("[", "]")
    inner = " " * (indent + STEP)
    lines = []
    for name, part in parts:
        key = f"{name}=" if name else ""
        free = WIDTH - indent - STEP - len(key) - 1
        lines.append(f"{inner}{key}{laid_out(part, indent + STEP, free)},")
    return "\n".join([opening, *lines, " " * indent + closing])


def flat(node: Node) -> str:
    """Returns a node in one line."""
    if isinstance(node, Raw):
        return node.text
    if isinstance(node, Listed):
        return f"[{', '.join(flat(part) for part in node.parts)}]"
    arguments = (f"{name}={flat(part)}" if name else flat(part) for name, part in node.arguments)
    return f"{node.name}({', '.join(arguments)})"


def comment(text: str, indent: int) -> list[str]:
    """Returns a text as comment lines."""
    start = " " * indent + "# "
    return [start + line for line in wrap(printable(text), WIDTH - len(start), break_long_words=False)]


def docstring(text: str, indent: int) -> list[str]:
    """Returns a text as a docstring that any name may be part of."""
    safe = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    lines = wrap(safe, WIDTH - indent - 6, break_long_words=False) or [""]
    space = " " * indent
    if len(lines) == 1:
        return [f'{space}"""{lines[0]}"""']
    return [f'{space}"""{lines[0]}', *[space + line for line in lines[1:]], f'{space}"""']


def printable(text: str) -> str:
    """A text without what would end a line, or what Python cannot read."""
    return "".join(each if each.isprintable() else " " for each in text)
