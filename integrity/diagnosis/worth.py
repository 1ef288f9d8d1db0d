"""Which columns tell whether rows are worth keeping: when they were made, and what they amount to."""

from __future__ import annotations

import re

from integrity.database.schema import Column, Table

_MADE = re.compile(
    r"(^|_)(created?|creation|inserted|added|registered|joined|ordered|placed|submitted|received|opened)(_|$)"
    r"|^(date|timestamp|ts)$|^date_"
)
_LATER = re.compile(r"updated|modified|deleted|expire|due|birth|ended|closed|until|last|valid|archived|seen")
_AMOUNT = re.compile(
    r"(^|_)(amount|total|subtotal|price|cost|fees?|balance|paid|revenue|tax|net|gross|value|sum|quantity|qty"
    r"|profit|pnl|budget|salary|usd|eur|cents)(_|$)"
)
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision", "money")
_AFFINITIES = ("INT", "REAL", "FLOA", "DOUB", "NUM", "DEC")


def made_columns(vendor: str, table: Table) -> tuple[Column, ...]:
    """Returns the columns that say when a row was made; without such a name, the first date or time that does
    not say something later."""
    dated = [each for each in table.columns if _is_time(vendor, each) and not _LATER.search(_plain(each))]
    named = [each for each in table.columns if _MADE.search(_plain(each)) and _may_be_time(vendor, each)]
    named = [each for each in named if not _LATER.search(_plain(each))]
    return tuple(named or dated[:1])


def amount_columns(vendor: str, table: Table) -> tuple[Column, ...]:
    """Returns the columns whose sum says what rows are worth."""
    keys = {name for key in table.keys for name in key.columns}
    keys |= {name for key in table.foreign_keys for name in key.columns}
    return tuple(
        each
        for each in table.columns
        if _AMOUNT.search(_plain(each)) and each.name not in keys and _is_number(vendor, each)
    )


def _plain(column: Column) -> str:
    """createdAt is created_at."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.name).lower()


def _is_time(vendor: str, column: Column) -> bool:
    if vendor == "sqlite":
        return bool(re.search("DATE|TIME", column.type.upper()))
    return column.type == "date" or column.type.startswith("timestamp")


def _may_be_time(vendor: str, column: Column) -> bool:
    """SQLite keeps times in any column, most often as text."""
    return vendor == "sqlite" or _is_time(vendor, column)


def _is_number(vendor: str, column: Column) -> bool:
    if vendor == "sqlite":
        return not column.type or any(word in column.type.upper() for word in _AFFINITIES)
    return column.type.split("(")[0] in _NUMBERS
