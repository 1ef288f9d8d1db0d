"""What an explained error calls for: the reasons, the commands, the SQL that shows the rows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from integrity.database.identifiers import literal, quote, shown
from integrity.detectors.duplicate_rows import kind_of_unique
from integrity.exceptions import NotCheckable
from integrity.explaining.explanation import Explanation
from integrity.explaining.place import Known, Place
from integrity.explaining.reported import ErrorKind, Reported
from integrity.explaining.wording import parts
from integrity.references.catalog import Catalog, catalog_file
from integrity.references.masking import MASKED
from integrity.references.orphans import orphaned, refuse_uncheckable
from integrity.references.reference import Reference, Resolution, Source, written
from integrity.references.uniques import bound, terms

_MANY = 3


def advised(said: Explanation, reported: Reported, known: Known, place: Place) -> Explanation:
    """Returns an answer with reasons and what to do."""
    reference = place.references[0] if len(place.references) == 1 else None
    lent = lent_option(known.catalog, said.target)
    return replace(
        said,
        why=tuple(_why(said, reference, place)),
        commands=tuple(f"{each}{lent}" for each in _commands(said, reference, place)),
        queries=tuple(_queries(said, reported, known, place)),
        catalog_entry=_entry(reference) if reference and not place.known else _unique_entry(said, place),
    )


# -- why -------------------------------------------------------------------------------------


def _why(said: Explanation, reference: Reference | None, place: Place) -> Iterator[str]:
    if said.kind is ErrorKind.DUPLICATE:
        yield from _why_duplicate(said, place)
    elif reference is None:
        yield from _why_open(said)
    elif said.kind is ErrorKind.STILL_REFERENCED:
        yield from _why_referenced(said, reference)
    elif said.kind is ErrorKind.UNUSABLE_KEY:
        parent = written(reference.referenced_table, reference.referenced_columns)
        yield f"{parent} is not unique, so that the foreign key cannot be used: writes to {said.table} fail."
    else:
        yield from _why_missing(said, reference)


def _why_missing(said: Explanation, reference: Reference) -> Iterator[str]:
    parent = written(reference.referenced_table, reference.referenced_columns)
    values = ", ".join(said.values) or "a value"
    orphans = (said.rows or 0) + (said.more_like_it or 0)
    if said.rows == 0:
        yield (
            f"No row of {said.table} refers to {values} in vain: the statement was refused and nothing of it "
            f"was kept, or {parent} has the value by now."
        )
    elif said.rows:
        refer = f"{_rows(said.rows)} of {reference.label} {_refer(said.rows)}"
        yield f"{refer} to {values}, which {parent} does not have."
    if said.constraint_state == "is not there":
        yield (
            f"{said.constraint} is not there: it cannot be added while {_rows(orphans)} "
            f"{'breaks' if orphans == 1 else 'break'} it."
            if orphans
            else f"{said.constraint} is not there, and no row breaks it now: it can be added."
        )
    elif said.constraint_state == "binds new rows only" and orphans:
        yield f"{said.constraint} binds new rows only, so {_rows(orphans)} from before can still break it."
    elif said.constraint_state == "is not enforced":
        yield f"{said.constraint} is there, but the database does not enforce it."


def _why_referenced(said: Explanation, reference: Reference) -> Iterator[str]:
    values = ", ".join(said.values) or "the row"
    if said.rows:
        yield (
            f"{_rows(said.rows)} of {reference.label} {_refer(said.rows)} to {values} of "
            f"{written(reference.referenced_table)}, and ON DELETE {reference.on_delete} lets it neither go "
            "nor change its key."
        )
    elif said.rows == 0:
        yield f"No row of {reference.label} refers to {values} now: the same statement may work."
    for each in said.also:
        yield f"{_rows(each.rows)} of {each.reference} {_refer(each.rows)} to it, too."


def _why_open(said: Explanation) -> Iterator[str]:
    broken = [each for each in said.also if each.rows]
    yield (
        "The database does not say which foreign key was violated; "
        f"{len(said.also)} of {said.target} come into question."
    )
    if broken:
        are = "is" if len(broken) == 1 else "are"
        yield f"{len(broken)} of them {are} broken by rows that stand there now."
    else:
        yield (
            "No row breaks any of them now: the refused statement itself referred to a row that is not "
            "there, or deleted one that others refer to."
        )


def _why_duplicate(said: Explanation, place: Place) -> Iterator[str]:
    kind = kind_of_unique(place.rule) if place.rule else ""
    unique = f"{said.table} ({', '.join(said.columns)})"
    values, name = ", ".join(said.values) or "The value", said.constraint or "its key"
    if place.key is None:
        yield f"{said.constraint or 'The unique'} is not there: {unique} holds values more than once{kind}."
    elif said.rows == 0:
        yield f"{values} does not stand in {unique} now: whoever had it is gone, or not committed yet."
    else:
        yield f"{values} stands in {unique} already; {name} allows it once{kind}."
    if place.rule is not None and place.rule.rationale:
        yield f"{place.rule.name or place.rule.label}: {place.rule.rationale}."


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _refer(count: int) -> str:
    return "refers" if count == 1 else "refer"


# -- commands --------------------------------------------------------------------------------


def _commands(said: Explanation, reference: Reference | None, place: Place) -> Iterator[str]:
    target = said.target
    if said.kind is ErrorKind.DUPLICATE:
        yield from _commands_for_duplicates(said, place)
    elif reference is None:
        broken = [each.reference for each in said.also if each.rows] or [each.reference for each in said.also]
        yield from (
            f"manage.py integrity_diagnose {target} --reference {_word(label)}" for label in broken[:_MANY]
        )
        yield f"manage.py integrity_audit {target}"
    elif said.kind is ErrorKind.UNUSABLE_KEY:
        yield f"manage.py integrity_audit {target} --reference {_word(reference.label)}"
        yield f"manage.py integrity_verify {target} --reference {_word(reference.label)}"
    elif place.known:
        yield f"manage.py integrity_diagnose {target} --reference {_word(reference.label)}"
        yield from _resolving(said, reference)
    else:
        yield f"manage.py integrity_startcatalog {target}"
        yield f"manage.py integrity_diagnose {target} --reference {_word(reference.label)}"


def _commands_for_duplicates(said: Explanation, place: Place) -> Iterator[str]:
    """Where the unique stands, there are none: the row that was refused is the application's affair."""
    if place.key is not None:
        return
    yield f"manage.py integrity_audit {said.target}"
    if place.rule is not None and place.rule.source is Source.CATALOG:
        if said.rows or said.more_like_it:
            yield f"manage.py integrity_deduplicate {said.target} --unique {_word(place.rule.label)}"
        yield f"manage.py integrity_makemigrations {said.target}"
        yield f"manage.py integrity_migrate {said.target}"


def _resolving(said: Explanation, reference: Reference) -> Iterator[str]:
    """From orphans to a constraint that holds."""
    if said.kind is ErrorKind.STILL_REFERENCED:
        return
    target, label = said.target, _word(reference.label)
    if (said.rows or 0) + (said.more_like_it or 0):
        suggestion = reference.suggestion
        decided = f" --action {suggestion}" if suggestion and not reference.policy else ""
        action = decided if suggestion else f" --action {'|'.join(Resolution)}"
        yield f"manage.py integrity_plan {target} --reference {label}{action}"
        yield f"manage.py integrity_cleanup {target} --plan HASH"
    if said.constraint_state != "holds for every row":
        if reference.source is Source.CATALOG and said.constraint_state == "is not there":
            yield f"manage.py integrity_makemigrations {target}"
        yield f"manage.py integrity_migrate {target}"


def _word(label: str) -> str:
    """A reference as one word of a shell."""
    return label if label.replace("_", "").replace(".", "").replace(",", "").isalnum() else f"'{label}'"


def lent_option(catalog: Catalog, target: str) -> str:
    """The option that lends a catalog again, empty for the target's own."""
    lent = catalog.file is not None and catalog.file != catalog_file(target)
    return f" --catalog {shlex.quote(str(catalog.file))}" if lent else ""


# -- SQL -------------------------------------------------------------------------------------


def _queries(said: Explanation, reported: Reported, known: Known, place: Place) -> Iterator[str]:
    if said.kind is ErrorKind.DUPLICATE:
        yield from _duplicate_queries(said, reported, known, place)
        return
    for reference in place.references[:1] if len(place.references) == 1 else ():
        source = known.session.engine.source(known.schema.table(reference.table))
        values = parts(reported.values, len(reference.columns)) if reported.keys else ()
        if values and MASKED not in said.values and said.rows != 0:
            yield shown(f"SELECT * FROM {source} c WHERE {_equal(reference.columns, values)};")
        if said.kind is not ErrorKind.STILL_REFERENCED and _checkable(known, reference):
            where = orphaned(known.session.engine, known.schema, reference).sql
            yield shown(f"SELECT * FROM {source} c WHERE {where};")


def _duplicate_queries(said: Explanation, reported: Reported, known: Known, place: Place) -> Iterator[str]:
    rule = place.rule
    if place.table is None or rule is None:
        return
    engine, table = known.session.engine, known.schema.table(place.table)
    source, compared = engine.source(table), terms(engine, table, rule)
    part = f" AND ({rule.where.replace('%', '%%')})" if rule.where else ""
    values = parts(reported.values, len(place.columns)) if reported.keys else ()
    if values and MASKED not in said.values:
        pairs = zip(compared, values, strict=True)
        same = " AND ".join(f"{sql} = {literal(value).replace('%', '%%')}" for sql, value in pairs)
        yield shown(f"SELECT * FROM {source} c WHERE {same}{part};")
    if place.key is None:
        keys, where = ", ".join(compared), bound(rule, engine, table).sql
        yield shown(
            f"SELECT {keys}, count(*) FROM {source} c WHERE {where} GROUP BY {keys} HAVING count(*) > 1;"
        )


def _equal(columns: Sequence[str], values: Sequence[str]) -> str:
    tests = zip(columns, values, strict=True)
    return " AND ".join(f"c.{quote(name)} = {literal(value).replace('%', '%%')}" for name, value in tests)


def _checkable(known: Known, reference: Reference) -> bool:
    try:
        refuse_uncheckable(known.schema, reference)
    except NotCheckable:
        return False
    return True


# -- what is not written down ----------------------------------------------------------------


def _entry(reference: Reference) -> str:
    lines = [
        "[[reference]]",
        f"from = {_toml(reference.label)}",
        f"to = {_toml(written(reference.referenced_table, reference.referenced_columns))}",
        *([f"name = {_toml(reference.name)}"] if reference.name else []),
        'on_delete = "…"  # CASCADE, SET NULL, RESTRICT or NO ACTION',
    ]
    return "\n".join(lines) + "\n"


def _unique_entry(said: Explanation, place: Place) -> str:
    if said.kind is not ErrorKind.DUPLICATE or place.key or place.sure or place.table is None:
        return ""
    columns = ", ".join(map(_toml, place.columns))
    name = f"name = {_toml(said.constraint)}\n" if said.constraint else ""
    return f"[[unique]]\ntable = {_toml(written(place.table))}\ncolumns = [{columns}]\n{name}"


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
