"""How a query reaches its tables, and how much work that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """One table that a query reads: by an index, or row after row where ``index`` is empty."""

    table: str
    index: str = ""

    def __str__(self) -> str:
        return f"index {self.index}" if self.index else "scan"


@dataclass(frozen=True)
class Work:
    """What running a query once amounted to, apart from the time: the same on a busy machine.

    ``cost`` is the planner's estimate (PostgreSQL), ``pages`` the buffers that were touched, cached
    or not (PostgreSQL), ``steps`` the instructions of SQLite's virtual machine; None where an
    engine has no such number. ``plan`` is the plan's shape, one line a node, without any value.
    """

    rows: int
    accesses: tuple[Access, ...]
    plan: tuple[str, ...]
    cost: float | None = None
    pages: int | None = None
    steps: int | None = None
