"""How much a database holds and what is used of it, by what it knows without reading its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrity.database.identifiers import TableName

COUNTED_ROWS = 1_000
"""Up to so many rows are counted where nothing is known of a table; beyond, they are estimated."""

MOST_LISTED = 5_000
"""Tables, indexes or references in a document; one that has more of them says that it is cut."""


@dataclass(frozen=True)
class TableStatistics:
    """A table's rows, estimated or counted, and its bytes with those of its indexes, None where unknown."""

    table: TableName
    rows: int | None
    estimated: bool
    bytes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        names = {"schema": self.table.schema, "table": self.table.name}
        return names | {"rows": self.rows, "estimated": self.estimated, "bytes": self.bytes}


@dataclass(frozen=True)
class IndexStatistics:
    """How often an index was used since the server counts, and its bytes."""

    table: TableName
    index: str
    scans: int
    unique: bool
    bytes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As plain values."""
        names = {"schema": self.table.schema, "table": self.table.name, "index": self.index}
        return names | {"scans": self.scans, "unique": self.unique, "bytes": self.bytes}


@dataclass(frozen=True)
class Statistics:
    """What a database says of itself. ``indexes`` is None where it counts no use; ``since`` is when it
    began to count, None where that is not known; ``bytes`` is the whole database's size. ``truncated`` says
    that not all tables or indexes are listed."""

    tables: Sequence[TableStatistics]
    indexes: Sequence[IndexStatistics] | None = None
    since: datetime | None = None
    bytes: int | None = None
    truncated: bool = False
