"""No file and no function grows until nobody reads it whole."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.commands import CHECKOUT

LONGEST_FILE, LONGEST_FUNCTION = 350, 45
"""In lines; of a function without its docstring, which says what each of many arguments means."""


def files() -> list[Path]:
    """Return the code of the package; what Django wrote into its migrations is nobody's to shorten."""
    found = (CHECKOUT / "integrity").rglob("*.py")
    return sorted(each for each in found if each.parent != CHECKOUT / "integrity" / "migrations")


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            said = node.body[0] if ast.get_docstring(node) else None
            docstring = (said.end_lineno or 0) - said.lineno + 1 if said else 0
            yield node.name, (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lines = {each.relative_to(CHECKOUT): len(each.read_text().splitlines()) for each in files()}

    assert len(lines) > 100
    assert {file: count for file, count in lines.items() if count > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_be_seen_at_once() -> None:
    found = {(each.relative_to(CHECKOUT), name): count for each in files() for name, count in functions(each)}

    assert len(found) > 1_000
    assert {where: count for where, count in found.items() if count > LONGEST_FUNCTION} == {}
