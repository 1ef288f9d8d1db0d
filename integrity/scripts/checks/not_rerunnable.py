"""Statements that fail, or do something else, when they are run a second time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import ClassVar

from integrity.references.severity import Severity
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.finding import Related, ScriptFinding
from integrity.scripts.rerunning import Once, is_guarded, once
from integrity.scripts.survey import Step, Survey

_SHOWN = 5


class NotRerunnable(Check):
    """Where scripts are meant to be run again, each statement that cannot be.

    They are where others of their folder, or of the same source, say IF NOT EXISTS or the like. Of a numbered
    script without any of that it is said once, for its runner may keep a ledger; of files that are neither
    numbered nor guarded nothing is, for they are schemas and dumps.
    """

    code: ClassVar[str] = "not_rerunnable"
    title: ClassVar[str] = "A statement cannot be run twice."
    severity: ClassVar[Severity] = Severity.WARNING

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields each statement, or each script."""
        survey = inspection.survey
        guarded = _guarded(survey)
        found: dict[str, list[Once]] = defaultdict(list)
        for _, steps in groupby(survey.steps, key=lambda each: each.script):
            run = [each for each in steps if not (each.statement.reverse or each.source.dumped)]
            for at, step in enumerate(run):
                found[step.source.shown] += once(survey, step, run[:at])
        for script in survey.scripts:
            if _group(script.is_source, script.shown, str(script.path.parent)) in guarded:
                yield from (_statement(each) for each in found[script.shown])
            elif script.number is not None and not script.is_source and found[script.shown]:
                yield _script(found[script.shown])


def _guarded(survey: Survey) -> set[str]:
    """The folders, and the sources, in which something is meant to be run again."""
    return {_of(step) for step in survey.steps if is_guarded(step)}


def _of(step: Step) -> str:
    script = step.source
    return _group(script.is_source, script.shown, str(script.path.parent))


def _group(is_source: bool, shown: str, folder: str) -> str:
    return shown if is_source else f"{folder}/"


def _statement(each: Once) -> ScriptFinding:
    return ScriptFinding(
        NotRerunnable.code,
        NotRerunnable.severity,
        each.place,
        each.object,
        f"{each.shown} cannot be run twice: {each.why}.",
        each.suggestion,
        key=each.shown,
    )


def _script(found: list[Once]) -> ScriptFinding:
    first, *rest = found
    return ScriptFinding(
        NotRerunnable.code,
        Severity.INFO,
        first.place,
        first.object,
        f"This script cannot be run twice: {', '.join(_some(found))}.",
        "Leave it so where a ledger sees that it is run once.",
        related=tuple(Related(each.place, each.shown) for each in rest[:_SHOWN]),
        key="script",
    )


def _some(found: list[Once]) -> Iterator[str]:
    yield from (each.shown for each in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"{len(found) - _SHOWN} more"
