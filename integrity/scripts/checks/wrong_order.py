"""Scripts whose order cannot work: one uses what a later one makes, or two have one number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import ClassVar

from integrity.references.severity import Severity
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.finding import Related, ScriptFinding
from integrity.scripts.making import Makers, Wanted, wanted
from integrity.scripts.statement import Dialect, Place, Script
from integrity.scripts.survey import Step

_PREFIX = re.compile(r"^[A-Za-z]?0*(\d+[A-Za-z]?)(?![A-Za-z\d])")


class WrongOrder(Check):
    """On an empty database it fails; on others it works only because it was run in another order once."""

    code: ClassVar[str] = "wrong_order"
    title: ClassVar[str] = "A script uses what a later one makes, or has another one's number."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields each use once a script, and each pair with one number."""
        makers = Makers(inspection.survey)
        seen: set[tuple[str, str]] = set()
        for step in inspection.survey.steps:
            for use in wanted(step):
                later = makers.only_later(step, use)
                if later is not None and (step.source.shown, use.shown) not in seen:
                    seen.add((step.source.shown, use.shown))
                    yield _finding(step, use, later)
        yield from _numbers(inspection.survey.scripts)


def _finding(step: Step, use: Wanted, later: tuple[Step, Place]) -> ScriptFinding:
    maker, place = later
    if maker.script == step.script:
        when, advice = f"on line {place.line} only", "Make it before."
    else:
        when = f"by {Path(place.file).name} only, which is run later"
        advice = "Move this statement there or behind it, or give the scripts other numbers."
    return ScriptFinding(
        WrongOrder.code,
        WrongOrder.severity,
        use.place,
        use.shown,
        f"{use.by} needs {use.kind} {use.shown}, which is made {when}.",
        advice,
        related=(Related(place, f"{use.shown} is made here"),),
    )


def _numbers(scripts: Sequence[Script]) -> Iterator[ScriptFinding]:
    groups: dict[tuple[Path, str], list[Script]] = defaultdict(list)
    for script in scripts:
        prefix = _PREFIX.match(script.path.name)
        if script.number is not None and prefix and not (script.is_source or script.reverse):
            groups[script.path.parent, prefix[1].lower()].append(script)
    for (_, number), found in groups.items():
        for first, second in combinations(found, 2):
            if not _is_pair(first, second):
                yield _same_number(number, first, second)


def _is_pair(first: Script, second: Script) -> bool:
    """Whether one is for one engine and one for the other."""
    meant = {first.dialect, second.dialect}
    return meant == {Dialect.POSTGRESQL, Dialect.SQLITE}


def _same_number(number: str, first: Script, second: Script) -> ScriptFinding:
    return ScriptFinding(
        WrongOrder.code,
        Severity.WARNING,
        Place(second.shown, 1, 1),
        number,
        f"{second.path.name} has the number of {first.path.name}: which of them is run first, and whether "
        "a ledger of numbers runs both, nobody knows.",
        "Give one of them another number.",
        related=(Related(Place(first.shown, 1, 1), "the other script of this number"),),
        key=first.path.name,
    )
