"""Which columns of a row people need to see: its key, what it refers to, then what it is called and worth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database.schema import Column, Table
from integrity.diagnosis.rows.looking import Orphans

MOST_SHOWN = 8
MOST_BESIDE = 80

_NUMBERS = re.compile(
    r"^(small|big|tiny|medium)?int|^integer|^(numeric|decimal|real|double|float|money|number)",
    re.IGNORECASE,
)
_BYTES = re.compile(r"^(bytea|blob|binary|varbinary|image)", re.IGNORECASE)
_DATES = re.compile(r"^(date|time)", re.IGNORECASE)
_TEXTS = re.compile(r"^(char|varchar|nvarchar|text|citext|name|clob)", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_BY_NAME: Sequence[tuple[int, frozenset[str]]] = (
    (90, frozenset({"name", "title", "label", "subject", "caption", "headline", "fullname", "username"})),
    (80, frozenset({"code", "number", "no", "nr", "sku", "slug", "symbol", "reference", "ref", "invoice"})),
    (75, frozenset({"email", "mail", "phone"})),
    (70, frozenset({"amount", "total", "price", "sum", "balance", "quantity", "qty", "cost", "value"})),
    (65, frozenset({"status", "state", "kind", "type", "role", "category", "level"})),
    (60, frozenset({"created", "date", "at", "on", "time", "timestamp", "day", "year", "due"})),
    (40, frozenset({"description", "note", "notes", "comment", "text", "message", "summary", "reason"})),
)  # fmt: skip
_LAST = frozenset({"password", "passwd", "secret", "token", "hash", "salt", "digest", "raw", "payload"})


@dataclass(frozen=True)
class ShownColumn:
    """A column of a page of rows: ``role`` is ``key``, ``reference`` or ``value``."""

    name: str
    role: str
    type: str = ""
    number: bool = False
    hidden: bool = False


def choose_columns(orphans: Orphans) -> tuple[tuple[ShownColumn, ...], tuple[ShownColumn, ...]]:
    """Returns the columns that are shown of an orphan at once, and the rest of those that may be read."""
    table = orphans.table
    key = table.primary_key.columns if table.primary_key else ()
    first = dict.fromkeys([*key, *orphans.reference.columns])
    rest = [each for each in table.columns if each.name not in first and each.name not in table.unreadable]
    ranked = sorted(rest, key=lambda each: -worth(each, bound=_bound(orphans, each)))
    several = max(0, MOST_SHOWN - len(first))
    shown = [each for each in ranked[:several] if worth(each) > 0]
    names = {each.name for each in shown}
    beside = [each for each in rest if each.name not in names][:MOST_BESIDE]
    own = [_column(orphans, table.column(name), "key" if name in key else "reference") for name in first]
    return (
        (*own, *(_column(orphans, each, "value") for each in shown)),
        tuple(_column(orphans, each, "value") for each in beside),
    )


def _column(orphans: Orphans, each: Column, role: str) -> ShownColumn:
    hidden = orphans.hidden(orphans.table, each.name)
    return ShownColumn(each.name, role, each.type, _NUMBERS.match(each.type) is not None, hidden)


def _bound(orphans: Orphans, each: Column) -> bool:
    """Whether a column refers to something else."""
    table = orphans.table.name
    return any(each.name in other.columns for other in orphans.references if other.table == table)


def worth(each: Column, *, bound: bool = False) -> int:
    """How much a column tells people about a row, by its name and type; nothing or less: hardly anything."""
    if _BYTES.match(each.type) or "json" in each.type.lower() or "[]" in each.type:
        return -10
    words = [word.lower() for word in _WORDS.findall(each.name)]
    if _LAST & set(words):
        return -20
    by_name = max((points for points, names in _BY_NAME if names & set(words)), default=0)
    by_type = 12 if _TEXTS.match(each.type) else 10 if _DATES.match(each.type) else 8
    return by_name + by_type + (20 if bound else 0)


def people_read(table: Table) -> list[Column]:
    """Returns the columns that say what a row is called, the best first: at most two."""
    texts = [each for each in table.columns if not each.type or _TEXTS.match(each.type)]
    called = [each for each in texts if worth(each) >= 75 and each.name not in table.unreadable]
    return sorted(called, key=lambda each: -worth(each))[:2]
