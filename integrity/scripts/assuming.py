"""For which engine scripts are that say nothing of it: for the one whose SQL they have, where that is one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from integrity.scripts.engine_features import features_of
from integrity.scripts.statement import Dialect, Script, Statement

_SHOWN = 3
_NAMES = {Dialect.POSTGRESQL: "PostgreSQL", Dialect.SQLITE: "SQLite"}


def assume_engine(scripts: Sequence[Script]) -> tuple[list[Script], str]:
    """Returns scripts, those of unknown purpose taken for the one engine that is met, and why.

    SQL of one engine in a file meant for both can only be told where both are met: in what files, folders
    or comments say, in the program around the SQL, or in the SQL itself. Where nothing speaks of the other
    engine, nothing says that the file is for it.
    """
    unknown = [
        each for each in scripts if each.dialect is Dialect.SHARED and not each.deduced and each.statements
    ]
    if not unknown or any(_is_said(each) for each in scripts):
        return list(scripts), ""
    met = _met(unknown)
    engines = {engine for engine, _ in met}
    if len(engines) != 1:
        return list(scripts), ""
    engine = engines.pop()
    shown = list(dict.fromkeys(name for _, name in met))
    more = ", …" if len(shown) > _SHOWN else ""
    why = (
        f"taken as {_NAMES[engine]}'s, for nothing in them is of another engine "
        f"({', '.join(shown[:_SHOWN])}{more}); say --dialect shared where they are meant for both"
    )
    return [_taken(each, engine) if each in unknown else each for each in scripts], why


def _is_said(script: Script) -> bool:
    """Whether something says that there is more than one engine, or which one a script is for."""
    if script.deduced or _names_both(script.text):
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


def _taken(script: Script, engine: Dialect) -> Script:
    statements = tuple(_statement(each, engine) for each in script.statements)
    return replace(script, dialect=engine, statements=statements, deduced="by its SQL")


def _statement(statement: Statement, engine: Dialect) -> Statement:
    return replace(statement, dialect=engine)
