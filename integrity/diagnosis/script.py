"""A diagnosis as a SQL file, for a dashboard without a shell: each statement alone answers one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity.database.identifiers import Path
from integrity.database.session import Target
from integrity.diagnosis.dialects import structure
from integrity.diagnosis.questions import Questions
from integrity.exceptions import NotCheckable
from integrity.references.awaited import awaiting
from integrity.references.catalog import Catalog
from integrity.references.orphans import refuse_uncheckable
from integrity.references.reference import Reference, written
from integrity.references.resolve import choose, known_references

Asked = tuple[str, str]
_RULE = "-- " + "=" * 90


def script(
    target: Target, catalog: Catalog, *, only: Sequence[Path] = (), others: Sequence[Reference] = ()
) -> str:
    """Returns the questions of a diagnosis as SQL that changes nothing and runs anywhere.

    Args:
        target: whose structure the statements are for; no row is read.
        catalog: what should hold there; columns that it masks are not asked for.
        only: the references to ask about, all when empty.
        others: references known from elsewhere.

    Raises:
        ReferentialIntegrityError: when the target cannot be opened or the catalog has a mistake.
    """
    with target.reading() as session:
        schema, engine = session.schema(), session.engine
    known = known_references(schema, catalog, others)
    chosen = choose(known, schema, only, waiting=awaiting(schema, catalog))
    lines = [
        f"-- Diagnosis of {_one_line(target.alias)} ({schema.vendor}): {len(chosen)} references.",
        "-- Nothing here changes anything. Each statement runs alone; its comment says what it answers.",
        "-- Run it as a role that sees every row: rows that row-level security hides would look missing.",
    ]
    for reference in chosen:
        lines += ["", _RULE, f"-- {_one_line(str(reference))}", _RULE]
        lines += _section(Questions(engine, schema, catalog, known, reference))
    return "\n".join(lines).replace("%%", "%") + "\n"


def _section(asked: Questions) -> Iterator[str]:
    try:
        refuse_uncheckable(asked.schema, asked.reference)
        questions = [*_numbers(asked), *_worth(asked), *_structure(asked)]
    except NotCheckable as error:
        yield f"-- Not asked: {_one_line(str(error))}".replace("%", "%%")
        return
    for number, (about, sql) in enumerate(questions, start=1):
        yield ""
        yield f"-- {number}. {_one_line(about)}".replace("%", "%%")
        yield f"{sql};"


def _numbers(asked: Questions) -> Iterator[Asked]:
    label, parent = asked.reference.label, written(asked.parent.name)
    yield f"How many rows does {parent} have?", asked.count_parents()
    yield (
        f"How many rows does {written(asked.table.name)} have; how many refer to nothing?",
        asked.count_rows(),
    )
    yield f"How many rows break {label}, and how many values are missing?", asked.count_orphans()
    if not asked.masked:
        yield "Which values are missing most often?", asked.missing_keys()
    if asked.schema.vendor == "sqlite":
        yield f"In which form does {label} store its values?", asked.stored_types(parent=False)
        yield f"In which form does {parent} store them?", asked.stored_types(parent=True)


def _worth(asked: Questions) -> Iterator[Asked]:
    """Are the rows worth keeping?"""
    if asked.sample_columns:
        yield "Some of them.", asked.samples()
    for made in asked.made:
        yield f"By {made.name}: when were they made, compared with all rows?", asked.age(made)
        yield f"By {made.name}: how many in each month?", asked.months(made)
    for amount in asked.amounts:
        yield f"What do they amount to in {amount.name}?", asked.amount(amount)
    for other in asked.referring:
        if _askable(asked, other):
            yield f"How many rows of {other.label} refer to them?", asked.count_referring(other)


def _askable(asked: Questions, other: Reference) -> bool:
    try:
        refuse_uncheckable(asked.schema, other)
    except NotCheckable:
        return False
    return True


def _structure(asked: Questions) -> Iterator[Asked]:
    for table in dict.fromkeys((asked.table.name, asked.parent.name)):
        for about, sql in structure(asked.schema.vendor, table):
            yield f"{written(table)}: {about}", sql


def _one_line(text: str) -> str:
    return " ".join(text.split())
