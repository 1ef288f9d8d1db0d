"""How a query reaches a table, as its plan says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """One table that a query reads: by an index, or row after row where ``index`` is empty."""

    table: str
    index: str = ""

    def __str__(self) -> str:
        return f"index {self.index}" if self.index else "scan"
