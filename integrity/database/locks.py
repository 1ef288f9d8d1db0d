"""How strongly a change of structure holds a table, and who would keep it waiting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from integrity.database.identifiers import TableName


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


class Waiting(StrEnum):
    """Who waits while a statement holds its lock."""

    NOBODY = "nobody"
    WRITERS = "writers"
    EVERYBODY = "everybody"


class Doing(StrEnum):
    """What a statement does while it holds its lock, by which it takes a moment or hours."""

    MOMENT = "moment"
    READS = "reads"
    BUILDS = "builds"
    REWRITES = "rewrites"
    CHANGES = "changes"


@dataclass(frozen=True)
class StatementLock:
    """One statement of a change: what it locks, how, who waits, and what it does meanwhile.

    ``mode`` is in the engine's own words, empty where nothing is locked that anybody would notice.
    ``tables`` are those that it locks, the first of them the one that it reads or writes. ``together`` is
    how many statements its transaction has: a lock is held to the end of that, 1 where it stands alone.
    ``known`` is False for a statement whose lock cannot be told from its text.
    """

    sql: str
    mode: str = ""
    tables: tuple[TableName, ...] = ()
    waiting: Waiting = Waiting.NOBODY
    doing: Doing = Doing.MOMENT
    together: int = 1
    known: bool = True
