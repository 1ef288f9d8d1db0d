"""Values of one type read as another, on any engine: what can be told apart from the types alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

from integrity.database import clauses
from integrity.database.identifiers import TableName


class Family(StrEnum):
    """Types whose values are written alike."""

    TEXT = "text"
    WHOLE = "whole numbers"
    UUID = "UUIDs"


@dataclass(frozen=True)
class Conversion(ABC):
    """How the column ``name`` is read as ``to``; ``written`` is the type that it has.

    The SQL that it gives speaks of one row, and is for statements without parameters.
    """

    name: str
    written: str
    to: str

    @property
    @abstractmethod
    def families(self) -> tuple[Family | None, Family | None]:
        """What its two types are, None for one of which nothing is known."""

    @property
    def known(self) -> bool:
        """Whether values of the one type can be read as the other at all."""
        here, there = self.families
        return None not in (here, there) and here is not there and Family.TEXT in (here, there)

    @property
    def injective(self) -> bool:
        """Whether different values stay different."""
        return self.families[0] is Family.WHOLE

    @abstractmethod
    def possible(self) -> str:
        """SQL that holds where the value can be read as the other type; not for NULL."""

    @abstractmethod
    def value(self) -> str:
        """SQL for the value in the other type."""

    @abstractmethod
    def respelled(self) -> str:
        """SQL that holds where the way back would not give this value again."""

    @property
    def column(self) -> str:
        """The column as SQL."""
        return clauses.name(self.name)

    def impossible(self) -> str:
        """SQL that holds where there is a value that cannot be read."""
        return f"{self.column} IS NOT NULL AND NOT {self.possible()}"

    def impossible_rows(self, table: TableName, besides: str = "") -> str:
        """The query that lists the values that cannot be read, and in how many rows they stand."""
        return (
            f"SELECT {self.column}, count(*) AS count FROM {clauses.table(table)} "
            f"WHERE {self.impossible()}{f' AND NOT {besides}' if besides else ''} "
            "GROUP BY 1 ORDER BY 2 DESC"
        )


def many(listing: str) -> str:
    """How many values and rows a listing has, with parameters: percent signs double."""
    return f"SELECT count(*), coalesce(sum(count), 0) FROM ({listing.replace('%', '%%')}) unreadable"
