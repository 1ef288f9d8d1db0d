"""Tables, columns, functions and triggers that scripts use and that nothing defines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from integrity.database.schema import did_you_mean
from integrity.references.severity import Severity
from integrity.scripts.body_uses import assigned_columns, body_uses
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.cursor import read_tokens
from integrity.scripts.definitions import Definition, Kind
from integrity.scripts.event_uses import Need, needs
from integrity.scripts.finding import Related, ScriptFinding
from integrity.scripts.known import Known
from integrity.scripts.statement import Dialect, Place
from integrity.scripts.survey import Step
from integrity.scripts.uses import Use

_IMPLICIT = ("_key", "_pkey", "_idx", "_seq", "_fkey")
_SHOWN = 5


@dataclass(frozen=True)
class _Undefined:
    """One use of something that nothing defines: ``subject`` is what the finding is about."""

    subject: str
    severity: Severity
    place: Place
    message: str
    hint: str = ""


class UndefinedReference(Check):
    """It fails when it is run, or, within a function or trigger, when that is called."""

    code: ClassVar[str] = "undefined_reference"
    title: ClassVar[str] = "A table, column, function or trigger is used that nothing defines."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields one finding for each file and object, with the other places of its use."""
        known = Known(inspection)
        if not known.defines_tables:
            return
        groups: dict[tuple[str, str], list[_Undefined]] = {}
        for step in inspection.survey.steps:
            if not step.statement.reverse:
                for each in _undefined(known, step):
                    groups.setdefault((each.place.file, each.subject), []).append(each)
        for found in groups.values():
            yield _finding(found)


def _finding(found: list[_Undefined]) -> ScriptFinding:
    first = max(found, key=lambda each: each.severity.rank)
    places = list(dict.fromkeys(each.place for each in found if each.place != first.place))
    others = [Related(place, "it is used here, too") for place in places[:_SHOWN]]
    more = (f"{len(places) - _SHOWN} more places of this file use it.",) if len(places) > _SHOWN else ()
    return ScriptFinding(
        code=UndefinedReference.code,
        severity=first.severity,
        place=first.place,
        object=first.subject.partition(" ")[2],
        message=f"{first.message}.",
        suggestion=first.hint or "Define it in a script that is run before, or give --target if it is live.",
        details=more,
        related=tuple(others),
        key=first.subject,
    )


def _undefined(known: Known, step: Step) -> Iterator[_Undefined]:
    for event in step.events:
        for need in needs(event):
            yield from _needed(known, step, need)
        if isinstance(event, Definition):
            yield from _in_body(known, step, event)
            yield from _in_rows(known, step, event)
    for use in step.uses:
        yield from _used(known, step, use, step.statement.place_at(use.offset), "")
    if not step.events or step.statement.text[:2].upper() == "DO":
        yield from _in_block(known, step)


def _needed(known: Known, step: Step, need: Need) -> Iterator[_Undefined]:
    table = known.table(need.name, step) if need.kind in (Kind.TABLE, Kind.VIEW) else None
    if need.column:
        if table is not None and table.lacks(need.column):
            hint = did_you_mean(need.column, sorted(table.columns))
            text = f"{_capital(need.by)} names {need.name}.{need.column}, a column that nothing defines"
            yield _Undefined(f"column {need.name}.{need.column}", Severity.ERROR, need.place, text, hint)
        return
    gone = known.gone(need.kind, need.name, step)
    if gone is not None:
        text = f"{_capital(need.by)} needs the {need.kind} {need.name}, which is dropped at {gone.place}"
        yield _Undefined(f"{need.kind} {need.name}", Severity.ERROR, need.place, text)
    elif not _is_there(known, step, need):
        verb = "calls" if need.kind is Kind.FUNCTION else "needs"
        shown = f"{need.name}()" if need.kind is Kind.FUNCTION else str(need.name)
        text = f"{_capital(need.by)} {verb} the {need.kind} {shown}, which nothing defines"
        yield _Undefined(f"{need.kind} {need.name}", Severity.ERROR, need.place, text, _hint(known, need))


def _is_there(known: Known, step: Step, need: Need) -> bool:
    if need.kind in (Kind.TABLE, Kind.VIEW):
        return known.elsewhere_owned(need.name) or known.table(need.name, step) is not None
    if need.kind is Kind.FUNCTION:
        return known.function(need.name)
    if need.kind in (Kind.INDEX, Kind.TRIGGER):
        implicit = need.kind is Kind.INDEX and need.name.name.endswith(_IMPLICIT)
        return implicit or known.has_named(need.kind, need.name)
    return True


def _hint(known: Known, need: Need) -> str:
    near = did_you_mean(need.name.name, known.names_like(need.kind, need.name.name))
    define = "Define it in a script that is run before."
    return f"{near} {define}" if near.startswith("Did you mean") else define


def _used(known: Known, step: Step, use: Use, place: Place, within: str) -> Iterator[_Undefined]:
    severity = Severity.WARNING if step.source.is_source or within else Severity.ERROR
    if use.kind is Kind.FUNCTION:
        if step.statement.engine is not Dialect.SQLITE and not known.function(use.name):
            text = f"{within}the function {use.name}() is called, which nothing defines"
            yield _Undefined(f"function {use.name}", Severity.WARNING, place, _capital(text))
        return
    if use.column:
        tables = [known.table(name, step) for name in use.of]
        if tables and all(table is not None and table.lacks(use.column) for table in tables):
            of = " or ".join(map(str, use.of))
            every = sorted({name for table in tables if table for name in table.columns})
            text = f"{of} has no column {use.column}"
            hint = did_you_mean(use.column, every)
            yield _Undefined(f"column {of}.{use.column}", severity, place, text, hint)
        return
    gone = known.gone(Kind.TABLE, use.name, step)
    if gone is not None:
        text = f"{within}the table {use.name} is used, which is dropped at {gone.place}"
        yield _Undefined(f"table {use.name}", severity, place, _capital(text))
    elif known.table(use.name, step) is None and not known.elsewhere_owned(use.name):
        text = f"{within}the table {use.name} is used, which nothing defines"
        need = Need(Kind.TABLE, use.name, place, "")
        yield _Undefined(f"table {use.name}", severity, place, _capital(text), _hint(known, need))


def _in_body(known: Known, step: Step, event: Definition) -> Iterator[_Undefined]:
    """The body of a function or trigger; a view's is parsed."""
    if event.kind not in (Kind.FUNCTION, Kind.TRIGGER) or not event.body:
        return
    if event.kind is Kind.FUNCTION and event.language not in ("sql", "plpgsql", ""):
        return
    within = f"in the {event.kind} {event.name}, "
    for use in body_uses(read_tokens(event.body), step.schema):
        place = step.statement.place_at(event.body_offset + use.offset)
        if use.name.name not in known.transition_tables:
            yield from _used(known, step, use, place, within)


def _in_block(known: Known, step: Step) -> Iterator[_Undefined]:
    """``DO $$ … $$``: what is in it is run like any statement, if its conditions hold."""
    tokens = read_tokens(step.statement.text) if step.statement.text[:2].upper() == "DO" else ()
    for token in tokens:
        if token.kind == "body":
            start = token.start + token.text.index("$", 1) + 1
            inner = read_tokens(token.text[start - token.start : -(start - token.start)])
            for use in body_uses(inner, step.schema):
                yield from _used(
                    known, step, use, step.statement.place_at(start + use.offset), "in a block, "
                )


def _in_rows(known: Known, step: Step, event: Definition) -> Iterator[_Undefined]:
    """``NEW.updated_at`` in a trigger, or in the function that it calls, on a table without that column."""
    if event.kind is not Kind.TRIGGER or event.table is None:
        return
    table = known.table(event.table, step)
    body = event.body or (known.body_of(event.calls) if event.calls else "")
    if table is None or not table.closed or "TG_TABLE_NAME" in body.upper() or "TG_RELID" in body.upper():
        return
    for column in sorted({name.lower() for name, _ in assigned_columns(read_tokens(body))}):
        if table.lacks(column):
            what = f"its function {event.calls}()" if event.calls else "it"
            text = (
                f"The trigger {event.name} on {event.table} will fail: {what} names the column {column}, "
                "which the table does not have"
            )
            subject = f"column {event.table}.{column}"
            yield _Undefined(
                subject,
                Severity.ERROR,
                event.place,
                text,
                f"Add {column} to {event.table}, or drop the trigger.",
            )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
