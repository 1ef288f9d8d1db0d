"""Clauses that SQLite alone understands: PostgreSQL refuses each; from lang.html."""

from __future__ import annotations

from integrity.scripts.engine_feature import CREATED, PER_ENGINE, Feature, FeaturesOf
from integrity.scripts.statement import Dialect

_OF = FeaturesOf(Dialect.SQLITE)

FEATURES: tuple[Feature, ...] = (
    _OF.feature(
        r"\bON\s+CONFLICT\s+(?:ROLLBACK|ABORT|FAIL|IGNORE|REPLACE)\b",
        "Both have INSERT … ON CONFLICT, with the rows.",
        "ON CONFLICT in a definition",
        only=CREATED,
    ),
    _OF.feature(
        r"\AUPDATE\s+OR\s+(?P<shown>IGNORE|REPLACE)\b",
        "Say in WHERE which rows are not to be changed.",
        "UPDATE OR",
    ),
    _OF.feature(
        r"\b(?:INDEXED\s+BY\s+[\w\"]+|NOT\s+INDEXED\b)",
        "PostgreSQL chooses indexes by itself: leave it out.",
        "INDEXED BY",
    ),
    _OF.feature(r"(?<![\w'\"])\?\d+", "Write the parameter as the engine's driver does.", "?1"),
    _OF.feature(r"(?<=[\w)\"])\s+(?:NOT\s+)?REGEXP\s+'", "PostgreSQL has ~. " + PER_ENGINE, "REGEXP"),
    _OF.feature(
        r"(?<![\w.\"])(?P<shown>MAX|MIN)\s*\((?:[^(),]|\([^()]*\))+,",
        "PostgreSQL has greatest() and least(). Both have CASE.",
        "max(a, b)",
        "CASE WHEN … > … THEN … ELSE … END",
    ),
    _OF.feature(r"\bLIMIT\s+-\s*1\b", "Both take no LIMIT for every row.", "LIMIT -1"),
    _OF.feature(r"\AEXPLAIN\s+QUERY\s+PLAN\b", "Both have EXPLAIN.", "EXPLAIN QUERY PLAN", "EXPLAIN"),
    _OF.feature(r"\AVACUUM\s+(?:\w+\s+)?INTO\b", "PostgreSQL has pg_dump.", "VACUUM INTO"),
    _OF.function(r"total|unistr|sqlite_version", "PostgreSQL has no such function. " + PER_ENGINE),
)
