"""What an error says by itself, before anything is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ErrorKind(StrEnum):
    """What went wrong, in words that a program can act on.

    ``missing_parent``: a row refers to a row that does not exist. ``still_referenced``: a row cannot go or
    change its key, because others refer to it. ``foreign_key``: one of the two; the database did not say
    which. ``duplicate``: a value that must be unique is there already. ``unusable_key``: a foreign key of
    SQLite whose referenced columns are not unique, so that every write fails. ``unknown``: another rule.
    """

    MISSING_PARENT = "missing_parent"
    STILL_REFERENCED = "still_referenced"
    FOREIGN_KEY = "foreign_key"
    DUPLICATE = "duplicate"
    UNUSABLE_KEY = "unusable_key"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reported:
    """What was read from an error; empty where it does not say.

    ``table`` is the referencing table (of a duplicate: the table), ``keys`` and ``values`` are the columns
    and values between the parentheses as the server wrote them, ``columns`` a list where it gave one.
    ``vendor`` is that of the only databases that speak so. ``key`` is the primary key of the row.
    """

    kind: ErrorKind
    vendor: str = ""
    message: str = ""
    constraint: str = ""
    schema: str = ""
    table: str = ""
    referenced_table: str = ""
    keys: str = ""
    values: str = ""
    columns: tuple[str, ...] = ()
    key: str = ""
    referenced_columns: tuple[str, ...] = ()
