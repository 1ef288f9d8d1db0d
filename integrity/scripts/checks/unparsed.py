"""Statements that are not understood, so that nothing else is known of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from integrity.references.severity import Severity
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.statement import Statement

_SHOWN = 60


class Unparsed(Check):
    """What the parser does not understand and whose first words are not known either.

    Where a part of the statement is filled in by the program (``${…}``), it may be right all the same: that
    is said, and is no gap.
    """

    code: ClassVar[str] = "unparsed"
    title: ClassVar[str] = "A statement is not understood."
    severity: ClassVar[Severity] = Severity.WARNING

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields each, with the first words of it."""
        for step in inspection.survey.steps:
            if step.statement.unparsed:
                yield _finding(step.statement)


def _finding(statement: Statement) -> ScriptFinding:
    head = " ".join(statement.text.split())
    shown = head if len(head) <= _SHOWN else f"{head[: _SHOWN - 1]}…"
    return ScriptFinding(
        Unparsed.code,
        Severity.INFO if statement.dynamic else Unparsed.severity,
        statement.place,
        shown,
        f"{shown}: {statement.unparsed}",
        "Parts of it are filled in by the program: look at it yourself."
        if statement.dynamic
        else "Correct it, or silence it when it is right.",
        length=len(statement.text.split("\n")[0]),
    )
