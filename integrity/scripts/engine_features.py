"""What a statement has that only one of the engines understands.

SQLite 3.35 and later are meant, which has RETURNING, upserts and ALTER TABLE … DROP COLUMN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from integrity.scripts import postgresql_clauses, postgresql_features, sqlite_clauses, sqlite_features
from integrity.scripts.engine_feature import TYPE, Feature
from integrity.scripts.sql_code import code_of

FEATURES = (
    *postgresql_features.FEATURES, *postgresql_clauses.FEATURES,
    *sqlite_features.FEATURES, *sqlite_clauses.FEATURES,
)  # fmt: skip


_WORD = re.compile(r"\s*([A-Za-z]+)")
_FIRST_OF_COLUMN = re.compile(r"(?:COLUMN|ADD|EXISTS|BY|ON|RENAME|TO|SET|AS|KEY)\s*\Z", re.IGNORECASE)
_TABLE_BEFORE = re.compile(
    r"\b(?:TABLE|INTO|EXISTS|REFERENCES|WITH|RECURSIVE|CREATE\b.*\bINDEX\b.*\bON)\s*\Z",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Found:
    """A feature in a statement: from where to where, as it is called there, and what is written instead."""

    feature: Feature
    start: int
    end: int
    shown: str
    portable: str


@lru_cache(maxsize=20_000)
def features_of(text: str) -> tuple[Found, ...]:
    """Returns what a statement has of one engine only, each thing once."""
    return tuple(_features(text))


def _features(text: str) -> Iterator[Found]:
    code = code_of(text)
    first = _WORD.match(code)
    word = first.group(1).upper() if first else ""
    lead = len(code) - len(code.lstrip())
    seen: set[str] = set()
    for feature in FEATURES:
        if feature.only and word not in feature.only:
            continue
        for match in feature.pattern.finditer(code.lstrip().rstrip(";\n\t ")):
            found = _found(feature, match, lead)
            if found.shown not in seen and not _is_name(feature, match):
                seen.add(found.shown)
                yield found


def _is_name(feature: Feature, match: re.Match[str]) -> bool:
    """Whether what looks like a type is a column's name (``ADD COLUMN serial TEXT``), a call a table's."""
    if feature.function:
        return _TABLE_BEFORE.search(match.string, 0, match.start("shown")) is not None
    if not feature.pattern.pattern.startswith(TYPE):
        return False
    return _FIRST_OF_COLUMN.search(match.string, 0, match.start("shown")) is not None


def _found(feature: Feature, match: re.Match[str], lead: int) -> Found:
    named = match.groupdict()
    written = " ".join((named.get("shown") or match.group().strip()).split())
    shown = feature.shown or (f"{written.lower()}()" if feature.function else written)
    start = match.start("shown") if named.get("shown") else match.start()
    start += len(match.group()) - len(match.group().lstrip()) if start == match.start() else 0
    end = match.end("shown") if named.get("shown") else match.end()
    return Found(
        feature,
        start + lead,
        end + lead,
        shown,
        feature.portable.format(**named) if named else feature.portable,
    )
