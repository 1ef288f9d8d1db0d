"""Which engine names, comments and conditions speak of."""

from __future__ import annotations

import re
from pathlib import PurePath

from integrity.scripts.statement import Dialect

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_POSTGRESQL = re.compile(r"\b(?:postgre|postgres|postgresql|postgre sql|pg|psql|plpgsql|neon|supabase)\b")
_SQLITE = re.compile(r"\b(?:sqlite|sq lite|sqlite 3|libsql|lib sql|turso|sqlite3)\b")
_DECLARED = re.compile(
    r"^\W*(?:sql[- ]?)?(?:dialect|engine)\s*[:=]\s*['\"]?(?P<named>[a-z0-9 ]+)", re.IGNORECASE | re.MULTILINE
)
_BOTH = ("shared", "both", "universal", "any", "all", "portable", "generic", "ansi")
_DUMP = re.compile(r"^--\s*(?:PostgreSQL database dump|Dumped from database version)", re.MULTILINE)
_SQLITE_DUMP = re.compile(r"\A\s*PRAGMA foreign_keys\s*=\s*OFF;\s*BEGIN TRANSACTION;", re.IGNORECASE)
_HEAD = 4_000


def named_engine(words: str) -> Dialect | None:
    """Returns the engine that a name speaks of (``isSQLite``): SHARED for both, None for none."""
    spaced = " ".join(_WORDS.findall(words)).lower()
    found = [
        engine
        for engine, pattern in ((Dialect.POSTGRESQL, _POSTGRESQL), (Dialect.SQLITE, _SQLITE))
        if pattern.search(spaced)
    ]
    if len(found) == 2:
        return Dialect.SHARED
    return found[0] if found else None


def declared_engine(text: str) -> Dialect | None:
    """Returns what a comment at the head of a file declares: ``-- dialect: sqlite``."""
    for found in _DECLARED.finditer(text[:_HEAD]):
        line = text[text.rfind("\n", 0, found.start("named")) + 1 : found.start("named")]
        if not line.lstrip().startswith(("--", "#", "//", "/*", "*")):
            continue
        words = found["named"].lower()
        engine = named_engine(words)
        if engine or words.split()[0] in _BOTH:
            return engine or Dialect.SHARED
    return None


def dumped_by(text: str) -> Dialect | None:
    """Returns the engine whose tool wrote a dump."""
    if _DUMP.search(text[:_HEAD]):
        return Dialect.POSTGRESQL
    return Dialect.SQLITE if _SQLITE_DUMP.match(text[:_HEAD]) else None


def engine_of_path(path: PurePath) -> Dialect | None:
    """Returns the engine that a file's name speaks of, else the nearest folder's."""
    for part in reversed(path.parts):
        engine = named_engine(part)
        if engine:
            return engine
    return None


_NEGATED = re.compile(r"!==?|\bis\s+not\b|\bnot\b|^!|[^=!]!(?!=)|<>")


def condition_engine(condition: str) -> Dialect | None:
    """Returns the engine for which a condition holds: ``dbType === "sqlite"``, ``!isSQLite``; None where it
    says nothing of engines."""
    engine = named_engine(condition)
    if engine is None or engine is Dialect.SHARED:
        return None
    return engine.other if len(_NEGATED.findall(condition)) % 2 else engine
