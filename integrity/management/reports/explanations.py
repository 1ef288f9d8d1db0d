"""What an explained error says to people."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.identifiers import TableName
from integrity.explaining import ErrorKind, Explanation
from integrity.management.blocks import Block, Code, Grid, Line, Title
from integrity.references.reference import written

_TITLES = {
    ErrorKind.MISSING_PARENT: "a row refers to a row that does not exist",
    ErrorKind.STILL_REFERENCED: "a row is still referred to",
    ErrorKind.FOREIGN_KEY: "a foreign key was violated",
    ErrorKind.DUPLICATE: "a value must be unique and is there already",
    ErrorKind.UNUSABLE_KEY: "a foreign key cannot be used",
    ErrorKind.UNKNOWN: "another rule",
}


def explanation_blocks(found: Explanation) -> Iterator[Block]:
    """Yields what happened, where, how many rows, why, and what to run."""
    yield Title(f"{found.target}: {_TITLES[found.kind]}" if found.target else _TITLES[found.kind])
    yield from (Line(each, "error" if place == 0 else "") for place, each in enumerate(found.why))
    yield Grid(("", "what it is about"), [each for each in _facts(found) if each[1] not in ("", None)])
    if found.causes:
        yield Title("Probable cause")
        yield from (Line(f"{each.sentence} ({each.confidence})", depth=1) for each in found.causes)
    if found.also:
        yield Title("Other references" if found.reference else "References that come into question")
        yield Grid(("reference", "rows"), [(each.reference, each.rows) for each in found.also])
    yield from _what_to_do(found)
    yield from (Line(each, "warning") for each in found.gaps)


def _facts(found: Explanation) -> Iterator[tuple[str, object]]:
    columns = written(TableName(found.schema, found.table), found.columns) if found.table else ""
    parent = TableName(found.referenced_schema, found.referenced_table)
    yield "reference" if found.referenced_table else "unique", columns
    yield "refers to", written(parent, found.referenced_columns) if found.referenced_columns else ""
    yield "constraint", " ".join(each for each in (found.constraint, found.constraint_state) if each)
    yield "value", ", ".join(found.values)
    yield "rows with it", _number(found.rows)
    yield "more like it", _number(found.more_like_it)
    yield "missing keys in all", _number(found.missing_keys)


def _number(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


def _what_to_do(found: Explanation) -> Iterator[Block]:
    if found.catalog_entry:
        yield Title("Nobody wrote this rule down: put it into the target's catalog.toml")
        yield Code(found.catalog_entry, "toml")
    if found.commands:
        yield Title("What to run")
        yield Code("\n".join(found.commands), "console")
    if found.queries:
        yield Title("The rows, by hand")
        yield Code("\n".join(found.queries))
