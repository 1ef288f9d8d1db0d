"""Tables, views, indexes, functions and triggers that scripts define more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from integrity.references.severity import Severity
from integrity.scripts.authority import Authority, authority_for
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.cursor import ObjectName, joined, read_tokens
from integrity.scripts.definitions import Definition, Kind
from integrity.scripts.finding import Related, ScriptFinding
from integrity.scripts.shapes import differences, shape_of
from integrity.scripts.survey import Placed, Survey

_KINDS = (Kind.TABLE, Kind.VIEW, Kind.INDEX, Kind.FUNCTION, Kind.TRIGGER)


@dataclass(frozen=True)
class _Pair:
    """Two definitions of one object."""

    first: Placed
    second: Placed
    survey: Survey

    @property
    def definitions(self) -> tuple[Definition, Definition]:
        one, other = self.first.event, self.second.event
        assert isinstance(one, Definition)
        assert isinstance(other, Definition)
        return one, other

    @property
    def ordered(self) -> bool:
        return self.first.step.before(self.second.step)

    def compared(self) -> tuple[Definition, Definition]:
        """Both as they are when they meet: the first with what was altered in it until then."""
        one, other = self.definitions
        if self.ordered:
            return self.survey.grown(self.first.step, one, self.second.step), other
        return self.survey.grown(self.first.step, one), self.survey.grown(self.second.step, other)


class DuplicateDefinition(Check):
    """One hides the other, or the second fails; which one counts depends on what is run first."""

    code: ClassVar[str] = "duplicate_definition"
    title: ClassVar[str] = "A table, view, index, function or trigger is defined more than once."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields a finding for each definition after the first, held against the first."""
        for kind in _KINDS:
            for pair in _pairs(inspection.survey, kind):
                yield _finding(inspection, pair)


def _pairs(survey: Survey, kind: Kind) -> Iterator[_Pair]:
    groups: dict[tuple[ObjectName, str, ObjectName | None], list[Placed]] = defaultdict(list)
    for placed in survey.placed:
        event = placed.event
        if isinstance(event, Definition) and event.kind is kind and event.name.name and not event.temporary:
            groups[event.name, event.arguments, event.table if kind is Kind.TRIGGER else None].append(placed)
    for group in groups.values():
        for at, second in enumerate(group):
            first = next((each for each in group[:at] if _collide(survey, each, second)), None)
            if first is not None:
                yield _Pair(first, second, survey)


def _collide(survey: Survey, first: Placed, second: Placed) -> bool:
    if first.step == second.step or not first.event.engines & second.event.engines:
        return False
    if isinstance(second.event, Definition) and second.event.or_replace:
        return False
    return not survey.replaced(first, second)


def _finding(inspection: ScriptInspection, pair: _Pair) -> ScriptFinding:
    one, other = pair.definitions
    differ = _differences(*pair.compared())
    authority = authority_for(inspection, other)
    verdict = "differently" if differ else "in the same way"
    details = list(differ)
    if authority is not None:
        details += [f"held against {authority.name}, {line}" for line in authority.differences(other)]
    return ScriptFinding(
        code=DuplicateDefinition.code,
        severity=_severity(pair, differ),
        place=other.place,
        object=str(other.name),
        message=f"The {other.kind} {_shown(other)} is defined {verdict} at {one.place}, too; "
        f"{_effect(pair)}.",
        suggestion=_suggestion(pair, differ, authority),
        details=tuple(details),
        related=(Related(one.place, _said(one, authority)),),
        key=f"{other.kind} {one.place.file}",
    )


def _shown(definition: Definition) -> str:
    return f"{definition.name} on {definition.table}" if definition.table else str(definition.name)


def _effect(pair: _Pair) -> str:
    second = pair.definitions[1]
    silent = second.if_not_exists or second.conditional
    if pair.ordered:
        return "this one is never made" if silent else "this one fails, for it is there already"
    return "whichever is run first stays" if silent else "whichever is run second fails"


def _severity(pair: _Pair, differ: list[str]) -> Severity:
    if differ:
        return Severity.ERROR
    silent = pair.definitions[1].if_not_exists or pair.definitions[1].conditional
    return Severity.INFO if silent else Severity.WARNING


def _differences(one: Definition, other: Definition) -> list[str]:
    """How they differ, seen from the second."""
    if other.kind is Kind.TABLE:
        return differences(shape_of(other), shape_of(one))
    found = [
        f"{what}: {here or 'none'} here, {there or 'none'} there"
        for what, here, there in (
            ("table", str(other.table or ""), str(one.table or "")),
            (
                "columns" if other.kind is Kind.INDEX else "when",
                ", ".join(_plain(other.terms)),
                ", ".join(_plain(one.terms)),
            ),
            ("condition", *_plain((other.where, one.where))),
            ("function", str(other.calls or ""), str(one.calls or "")),
            ("unique", "yes" if other.unique else "", "yes" if one.unique else ""),
            ("language", other.language, one.language),
        )
        if here != there
    ]
    if other.kind is not Kind.INDEX and _body(one) != _body(other):
        found.append("what it does is written differently")
    return found


def _plain(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(joined([*read_tokens(text)]).lower().replace('"', "") for text in texts)


def _body(definition: Definition) -> str:
    start = definition.body_offset if definition.kind is Kind.VIEW else 0
    return " ".join(token.text.lower() for token in read_tokens(definition.body[start:]) if token.text != ";")


def _said(definition: Definition, authority: Authority | None) -> str:
    if authority is None:
        return "the other definition"
    agrees = not authority.differences(definition)
    return f"the other definition, {'as' if agrees else 'other than'} {authority.name} has it"


def _suggestion(pair: _Pair, differ: list[str], authority: Authority | None) -> str:
    one, other = pair.definitions
    if not differ:
        return "Keep one of them."
    if authority is None:
        return (
            "Nothing decides which one is right: give --target with a live database, or a catalog with a "
            "[[required_table]]. Then keep one definition, and change the table by ALTER TABLE."
        )
    right = [each for each in (one, other) if not authority.differences(each)]
    if len(right) == 1:
        return f"{authority.title} decides: keep the definition at {right[0].place} and remove the other."
    if right:
        return f"{authority.title} decides, and has no quarrel with either: keep one of them."
    return f"{authority.title} decides, and neither agrees with it: write it as there, once."
