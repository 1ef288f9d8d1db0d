"""What a diagnosis of a column says to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity.diagnosis.columns import ColumnDiagnosis
from integrity.diagnosis.conversions import ConversionDiagnosis
from integrity.diagnosis.sources import Mention
from integrity.management.blocks import Block, Grid, Line, Title, count
from integrity.operations.removal_checks import literals
from integrity.references.mirror_entry import DriftRule
from integrity.references.mirror_survey import MirrorSurvey
from integrity.references.mirrored import MirrorState

_SAID = {
    MirrorState.EQUAL: "says what the table says",
    MirrorState.STALE: "says something else than the table",
    MirrorState.ONLY_IN_JSON: "the table has no row",
    MirrorState.ONLY_IN_TABLE: "JSON has none of the rows",
    MirrorState.COUNT_MISSING: "an object without a whole number as count",
    MirrorState.NULL: "NULL, or JSON's null",
    MirrorState.INVALID: "no JSON, or neither an object nor a list",
}


def column_blocks(target: str, found: Sequence[ColumnDiagnosis]) -> Iterator[Block]:
    """Yields each column: what it repeats, what uses it, which files name it."""
    for each in found:
        default = f", default {each.default}" if each.default is not None else ""
        null = "" if each.nullable else ", not null"
        yield Title(f"{target}: {each.column} ({each.type}{null}{default})")
        if each.mirror:
            yield from _mirror(each.mirror)
        yield from _conversion(each.conversion) if each.conversion else _dependents(each)
        yield from _sources(each)
        yield from (Line(f"Not looked at: {gap}", "warning") for gap in each.gaps)
        yield from _verdict(each)


def _mirror(found: MirrorSurvey) -> Iterator[Block]:
    name = found.mirror.reference.label
    style = "error" if found.drifted else "good"
    yield Line(f"{found.drifted:,} of {found.rows:,} rows say something else than {name}.", style)
    rows = [(str(state), found.states.get(state, 0), said) for state, said in _SAID.items()]
    yield Grid(("state", "rows", "meaning"), rows)
    if found.null_with_rows:
        yield Line(f"{count(found.null_with_rows, 'row')} of null although the table has some.", depth=1)
    if found.held:
        kept = "left alone" if found.spared else "only in the journal afterwards"
        yield Line(
            f"{count(found.held, 'row')} with what only JSON has, or that cannot be read: {kept} "
            f"(only_in_json = {found.mirror.only_in_json}).",
            "warning",
            depth=1,
        )
    if found.samples:
        yield Grid(
            ("state", "key", "JSON", "in JSON", "in the table"),
            [
                (str(each.state), ", ".join(map(str, each.key)), each.value, each.in_json, each.in_table)
                for each in found.samples
            ],
        )
    if found.drifted and found.mirror.drift is None:
        yield Line('Nobody decided: say drift = "table" or "keep" in the [[mirror]].', "warning")
    elif found.drifted and found.mirror.drift is DriftRule.TABLE:
        yield Line("integrity_makemigrations writes its rewriting before its removal.", "faint")


def _conversion(found: ConversionDiagnosis) -> Iterator[Block]:
    yield Line(f"{found.says}, by the catalog's [[column]]:")
    rows = [
        (one.column, f"{one.type} → {one.to}", one.values, one.unreadable, one.respelled)
        for one in found.columns
    ]
    if rows:
        yield Grid(("column", "type", "values", "cannot be read", "kept in the journal"), rows)
    for one in found.columns:
        if one.unreadable:
            yield Line(f"List those of {one.column} with: {one.listing}", depth=1)
    if found.refused:
        yield Line(f"It would stop before the first change: {found.refused}", "error")
    else:
        yield Line("Every value can be read, and comes back as it is written now.", "good")


def _dependents(each: ColumnDiagnosis) -> Iterator[Block]:
    if not each.dependents:
        yield Line("Nothing in the database uses it.", "good")
        return
    yield Title("What uses it")
    rows = [
        (one.label, str(one.fate), one.note, "yes" if one.label in each.acknowledged else "")
        for one in each.dependents
    ]
    yield Grid(("used by", "when the column goes", "", "acknowledged"), rows)


def _sources(each: ColumnDiagnosis) -> Iterator[Block]:
    if each.sources is None:
        yield Line("Source files were not searched: add --source PATH.", "faint")
        return
    read = count(each.sources.files, "file")
    if not each.sources.mentions:
        yield Line(f"None of {read} names it.", "good" if each.sources.files else "warning")
        return
    yield Title(f"Source files that name it ({read} read)")
    yield Grid(("file", "", "line"), [_mention(one) for one in each.sources.mentions])


def _mention(each: Mention) -> tuple[str, str, str]:
    return f"{each.file}:{each.line}", "certain" if each.certain else "possible", each.text


def _verdict(each: ColumnDiagnosis) -> Iterator[Block]:
    if each.blocking:
        names = ", ".join(one.label for one in each.blocking)
        yield Line(f"Change by hand before the column can go: {names}.", "error")
    waiting = [label for label in each.unacknowledged if label not in {one.label for one in each.blocking}]
    if waiting:
        listed = literals(waiting)
        yield Line(f"To be acknowledged in the catalog: acknowledged = [{listed}]", "warning")
