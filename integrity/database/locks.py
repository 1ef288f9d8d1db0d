"""How strongly a change of structure holds a table, and who would keep it waiting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Lock(StrEnum):
    """How strongly a change of structure holds a table, in PostgreSQL's words; ``CONCURRENTLY`` waits for
    old snapshots as well."""

    CONCURRENTLY = "CONCURRENTLY"
    SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
    SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
    ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"


@dataclass(frozen=True)
class Blocker:
    """A transaction that a lock would wait for; ``pid`` is 0 for a prepared one, ``seconds`` where a role
    may not see how long it is open. ``key`` tells it from the next one of its session."""

    pid: int
    user: str
    program: str
    state: str
    seconds: int
    key: str = ""

    def __str__(self) -> str:
        who = (f"process {self.pid}" if self.pid else "", self.user, self.program, self.state)
        age = f" open for {self.seconds:,} s" if self.seconds else ""
        return f"a transaction{age} ({', '.join(part for part in who if part)})"
