"""SQL of one engine where it is run on the other, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.definitions import Kind
from integrity.scripts.engine_features import Found, features_of
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.statement import Dialect, Script, Statement

_NAMES = {Dialect.POSTGRESQL: "PostgreSQL", Dialect.SQLITE: "SQLite"}


class DialectOnly(Check):
    """In a file meant for both engines what only one has, in a file meant for one what only the other has."""

    code: ClassVar[str] = "dialect_only"
    title: ClassVar[str] = "SQL of one engine stands where it is run on another."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields each thing once a statement, with what to write instead."""
        own = {definition.name.name for _, definition in inspection.survey.definitions(Kind.FUNCTION)}
        for script in inspection.survey.scripts:
            for statement in script.statements:
                yield from _findings(script, statement, own)


def _findings(script: Script, statement: Statement, own: set[str]) -> Iterator[ScriptFinding]:
    engine = statement.engine
    for found in features_of(statement.text):
        if found.feature.engine is engine or (found.feature.function and found.shown[:-2] in own):
            continue
        yield _finding(script, statement, found)


def _finding(script: Script, statement: Statement, found: Found) -> ScriptFinding:
    has, runs = _NAMES[found.feature.engine], statement.engine
    if runs is Dialect.SHARED:
        meant = "this file is meant for both engines"
    elif statement.condition is not Dialect.SHARED:
        meant = f"this statement is run for {_NAMES[runs]}"
    else:
        meant = f"this file is meant for {_NAMES[runs]}{f' ({script.deduced})' if script.deduced else ''}"
    return ScriptFinding(
        DialectOnly.code,
        found.feature.severity,
        statement.place_at(found.start),
        found.shown,
        f"{found.shown} is {has}'s alone, and {meant}.",
        found.feature.suggestion,
        portable=found.portable,
        length=found.end - found.start,
    )
