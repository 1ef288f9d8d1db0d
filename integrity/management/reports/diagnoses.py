"""What a diagnosis says to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from integrity.diagnosis import Age, Diagnosis, DiagnosisResult
from integrity.management.blocks import Block, Code, Grid, Line, Title, count
from integrity.management.reports.audits import coverage_blocks
from integrity.models.target import server

_MONTHS = 24
"""More months than this are shown by year."""


def diagnosis_blocks(result: DiagnosisResult, catalog: Path | None = None) -> Iterator[Block]:
    """Yields each reference in depth, or a table of those that have orphans; ``catalog`` is the one lent."""
    lent = f" --catalog {catalog}" if catalog else ""
    name = f"{result.target}: {server(result.vendor, result.server_version)}"
    if result.in_depth:
        for each in result.references:
            yield Title(f"{name}, {each.reference} → {each.referenced}")
            yield from _reference(each)
            if each.orphans:
                yield Title("What to run next")
                command = f"manage.py integrity_plan {result.target} --reference {each.reference}"
                yield Code(f"{command}{lent}", "console")
    else:
        yield Title(f"{name}, diagnosis")
        yield from _brief(result, lent)
    yield from coverage_blocks(result.coverage)


def _brief(result: DiagnosisResult, lent: str) -> Iterator[Block]:
    if not result.references:
        yield Line("No reference has orphans.", "good" if result.coverage.complete else "warning")
        return
    heads = ("reference", "refers to", "orphans", "missing keys", "rows", "nulls", "parents", "types")
    yield Grid(heads, [_brief_row(each) for each in result.references])
    first = result.references[0].reference
    yield Line(f"In depth: manage.py integrity_diagnose {result.target} --reference {first}{lent}", "faint")


def _brief_row(each: Diagnosis) -> tuple[object, ...]:
    numbers = (each.orphans, each.missing_keys, each.rows, each.nulls, each.parents)
    types = dict.fromkeys(
        one.type if one.type == one.referenced_type else f"{one.type} to {one.referenced_type}"
        for one in each.types
    )
    return each.reference, each.referenced, *numbers, ", ".join(types)


def _reference(each: Diagnosis) -> Iterator[Block]:
    yield _verdict(each)
    yield Grid(
        ("question", "answer"),
        [
            ("parents", f"{each.parents:,}"),
            ("rows", f"{each.rows:,}"),
            ("refer to nothing (NULL)", f"{each.nulls:,}"),
            ("orphans", f"{each.orphans:,}"),
            ("missing keys", f"{each.missing_keys:,}"),
            ("constraint", " ".join((each.constraint or "(unnamed)", each.constraint_state))),
            ("on delete", each.on_delete),
        ],
    )
    yield from _types(each)
    yield from _orphans(each)
    if each.causes:
        yield Title("Probable cause")
        yield from (Line(f"{cause.sentence} ({cause.confidence})", depth=1) for cause in each.causes)
    if each.orphans:
        yield Title("Are they worth keeping?")
        yield from _worth(each)
    for table in each.tables:
        yield from _table(table)
    yield from (Line(f"Not answered: {gap}", "warning") for gap in each.gaps)


def _verdict(each: Diagnosis) -> Line:
    if not each.orphans:
        return Line("No row breaks it.", "good")
    share = 100 * each.orphans / each.rows
    values = count(each.missing_keys, "value")
    refer = "refers" if each.orphans == 1 else "refer"
    return Line(
        f"{count(each.orphans, 'row')} ({share:.1f} % of all) {refer} to {values} "
        f"that {each.referenced} does not have.",
        "error",
    )


def _types(each: Diagnosis) -> Iterator[Block]:
    yield Title("Key types")
    rows = [
        (one.column, one.type, one.referenced_column, one.referenced_type, one.comparison)
        for one in each.types
    ]
    yield Grid(("column", "type", "refers to", "its type", "compared as"), rows)
    for one in each.types:
        if one.stored_as or one.referenced_stored_as:
            yield Line(
                f"{one.column} is stored as {_stored(one.stored_as)}; "
                f"{one.referenced_column} as {_stored(one.referenced_stored_as)}.",
                "faint",
                1,
            )


def _stored(kinds: dict[str, int]) -> str:
    return ", ".join(f"{kind} ({rows:,})" for kind, rows in kinds.items()) or "nothing"


def _orphans(each: Diagnosis) -> Iterator[Block]:
    if each.top_missing_keys:
        yield Title("Missing keys")
        yield Grid(("key", "rows"), [(_key(top["key"]), top["rows"]) for top in each.top_missing_keys])
    if each.samples:
        yield Title("Some of the rows")
        names = tuple(each.samples[0])
        yield Grid(names, [[str(_shown(row[name])) for name in names] for row in each.samples])
    if each.masked:
        yield Line(f"Masked by the catalog and not shown: {', '.join(each.masked)}.", "faint")


def _key(values: list[Any]) -> str:
    return ", ".join(map(str, values))


def _shown(value: Any) -> Any:
    return "NULL" if value is None else value


def _worth(each: Diagnosis) -> Iterator[Block]:
    for age in each.ages:
        yield Line(
            f"By {age.column} they are from {age.first_orphan or '?'} to {age.last_orphan or '?'}; "
            f"all rows from {age.first_row or '?'} to {age.last_row or '?'}.",
            depth=1,
        )
        yield Grid(("when", "orphans"), _by_time(age))
    for amount in each.amounts:
        total = amount.total if amount.total is not None else 0
        yield Line(f"{amount.column}: {total} in {count(amount.rows, 'row')}.", depth=1)
    if each.referring:
        yield Line("Rows that refer to them:", depth=1)
        heads = ("reference", "rows", "levels away", "if they were deleted")
        yield Grid(heads, [(one.reference, one.rows, one.depth, one.change) for one in each.referring])
    else:
        yield Line("Nothing refers to them.", depth=1)
    if each.taken_with_them:
        more = count(each.taken_with_them, "row")
        yield Line(f"Deleting them would delete {more} of other tables too.", "warning", 1)
    if not each.ages and not each.amounts:
        yield Line("No column says when they were made or what they amount to.", "faint", 1)


def _by_time(age: Age) -> list[tuple[str, int]]:
    """By month, or by year where there are many."""
    if len(age.months) <= _MONTHS:
        return list(age.months)
    years: Counter[str] = Counter()
    for month, rows in age.months:
        years[month[:4]] += rows
    return sorted(years.items())


def _table(table: dict[str, Any]) -> Iterator[Block]:
    yield Title(f"{table['name']} ({table['kind']}{', row-level security' if table['row_security'] else ''})")
    rows = [
        (each["name"], each["type"], "" if each["nullable"] else "NOT NULL", each["default"] or "")
        for each in table["columns"]
    ]
    yield Grid(("column", "type", "null", "default"), rows)
    for each in table["keys"]:
        kind = "primary key" if each["primary"] else "unique"
        yield Line(f"{kind} {each['name']} ({', '.join(each['columns'])})".replace("  ", " "), depth=1)
    for each in table["foreign_keys"]:
        state = "" if each["validated"] and each["enforced"] else ", not for every row"
        yield Line(
            f"foreign key {each['name'] or '(unnamed)'} ({', '.join(each['columns'])}) "
            f"→ {each['referenced_table']} ({', '.join(each['referenced_columns'])}), "
            f"ON DELETE {each['on_delete']}{state}",
            depth=1,
        )
    for each in table["indexes"]:
        where = f" WHERE {each['where']}" if each["where"] else ""
        yield Line(f"index {each['name']} ({', '.join(each['columns']) or 'expressions'}){where}", depth=1)
    for each in table["triggers"]:
        yield Line(f"trigger {each['name']} on {', '.join(each['events'])} ({each['firing']})", depth=1)
