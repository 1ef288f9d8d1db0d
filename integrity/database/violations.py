"""A constraint that was violated, as far as an error says which: never a value of the row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import IntegrityError


class ViolationKind(StrEnum):
    """Which kind of rule a row broke; ``other`` is what a trigger or an extension refused."""

    FOREIGN_KEY = "foreign_key"
    UNIQUE = "unique"
    NOT_NULL = "not_null"
    CHECK = "check"
    EXCLUSION = "exclusion"
    OTHER = "other"


@dataclass(frozen=True)
class Violation:
    """One violation. ``constraint`` is its name, or its columns where the database names no constraint;
    empty where it says neither. ``alias`` is the database in which it happened."""

    kind: ViolationKind
    table: str = ""
    constraint: str = ""
    alias: str = ""

    def __str__(self) -> str:
        what = str(self.kind).replace("_", " ")
        named = f" {self.constraint}" if self.constraint else ""
        return f"{what}{named}" + (f" on {self.table}" if self.table else "")


def violation_of(error: IntegrityError, alias: str = "") -> Violation:
    """Returns which constraint an error is about."""
    from integrity.database.postgresql import errors as postgresql  # noqa: PLC0415 - they import this module
    from integrity.database.sqlite import errors as sqlite  # noqa: PLC0415

    found = postgresql.violation(error) if postgresql.sqlstate(error) else sqlite.violation(str(error))
    return replace(found, alias=alias)
