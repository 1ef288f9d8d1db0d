"""For which engine scripts are that say nothing of it: for the one whose SQL they have, where that is one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from integrity.scripts.effects import FRAME
from integrity.scripts.engine_features import features_of
from integrity.scripts.statement import Dialect, Script, Statement

_SHOWN = 3
_TABLES_OF_A_SCHEMA = 5
_TABLE = re.compile(r"CREATE\s+(?:VIRTUAL\s+)?TABLE\b", re.IGNORECASE)
_NAMES = {Dialect.POSTGRESQL: "PostgreSQL", Dialect.SQLITE: "SQLite"}


def assume_engine(scripts: Sequence[Script], vendor: str = "") -> tuple[list[Script], str]:
    """Returns scripts, those of unknown purpose taken for the one engine that is met, and why.

    SQL of one engine in a file meant for both can only be told where both are met: in what files, folders
    or comments say, in the program around the SQL, or in the SQL itself. Where nothing speaks of the other
    engine, nothing says that the file is for it; nor of a file that is a schema by itself. A target of the
    other engine, which the scripts are held against, speaks of it: then only those are taken that have such
    SQL in every statement.

    Args:
        scripts: the scripts.
        vendor: the engine of the target that they are held against, if any.
    """
    unknown = [
        each for each in scripts if each.dialect is Dialect.SHARED and not each.deduced and each.statements
    ]
    units = [[each] for each in unknown if _is_whole(each)]
    if not any(_is_said(each) for each in scripts):
        units.append([each for each in unknown if not _is_whole(each)])
    taken: dict[str, Dialect] = {}
    met: list[tuple[Dialect, str]] = []
    for unit in units:
        found = _met(unit)
        engines = {engine for engine, _ in found}
        if len(engines) == 1:
            alone = [each for each in unit if not vendor or vendor in engines or _is_all_of_it(each)]
            taken.update({each.shown: found[0][0] for each in alone})
            met += found
    known = [_taken(each, taken[each.shown]) if each.shown in taken else each for each in scripts]
    return known, _why(met) if met else ""


def _why(met: Sequence[tuple[Dialect, str]]) -> str:
    told = []
    for engine, name in _NAMES.items():
        features = list(dict.fromkeys(shown for of, shown in met if of is engine))
        more = ", …" if len(features) > _SHOWN else ""
        if features:
            told.append(f"{name}'s ({', '.join(features[:_SHOWN])}{more})")
    return (
        f"taken as {' and '.join(told)}, for nothing in them is of another engine; "
        "say --dialect shared where they are meant for both"
    )


def _is_whole(script: Script) -> bool:
    """Whether a file is a schema by itself, and no part of what others of its folder make."""
    if script.number is not None or script.is_source or _names_both(script.text):
        return False
    made = sum(_TABLE.match(each.text) is not None for each in script.statements)
    return made >= _TABLES_OF_A_SCHEMA


def _is_said(script: Script) -> bool:
    """Whether something says that there is more than one engine, or which one a script is for."""
    if (script.deduced and not script.dumped) or _names_both(script.text):
        return True
    return any(each.condition is not Dialect.SHARED for each in script.statements)


def _names_both(text: str) -> bool:
    """Whether a script or source speaks of both: in a comment, in what a program imports."""
    lower = text.lower()
    return "sqlite" in lower and "postgres" in lower


def _met(scripts: Iterable[Script]) -> list[tuple[Dialect, str]]:
    return [
        (found.feature.engine, found.shown)
        for script in scripts
        for statement in script.statements
        for found in features_of(statement.text)
    ]


def _is_all_of_it(script: Script) -> bool:
    """Whether no statement is one that the other engine understands."""
    own = [each.text for each in script.statements if not FRAME.match(each.text)]
    return all(any(features_of(text)) for text in own)


def _taken(script: Script, engine: Dialect) -> Script:
    statements = tuple(_statement(each, engine) for each in script.statements)
    return replace(script, dialect=engine, statements=statements, deduced="by its SQL")


def _statement(statement: Statement, engine: Dialect) -> Statement:
    return replace(statement, dialect=engine)
