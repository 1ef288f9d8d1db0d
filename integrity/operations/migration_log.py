"""What became of each migration of a target, kept in the target's own journal.

The site's database has the same for people; it may be out of reach where migrations are run, and other
sites and hosts migrate the same target.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from integrity.database.identifiers import TableName, quote_table
from integrity.database.session import Session, Target
from integrity.operations.executor import StepEvent, StepState

COLUMNS = (
    "migration", "direction", "state", "phase", "started_at", "finished_at", "seconds", "error", "operations",
    "actor",
)  # fmt: skip
MOST = 200
"""So many of the last entries are read."""


@dataclass(frozen=True)
class LoggedStep:
    """A migration that was applied (``forward``) or reversed: ``finished`` or ``failed``; ``operations`` are
    its own, as plain values."""

    migration: str
    direction: str
    state: str
    phase: int
    started_at: datetime
    finished_at: datetime
    seconds: float
    error: str = ""
    operations: tuple[dict[str, Any], ...] = ()
    actor: str = ""


def logged(step: StepEvent, *, actor: str = "") -> LoggedStep:
    """Returns the entry for a step that ended just now."""
    now = datetime.now(UTC)
    return LoggedStep(
        migration=step.name,
        direction="backward" if step.backwards else "forward",
        state="failed" if step.state is StepState.FAILED else "finished",
        phase=step.phase,
        started_at=now - timedelta(seconds=step.seconds),
        finished_at=now,
        seconds=round(step.seconds, 3),
        error=step.error,
        operations=tuple(each.as_json() for each in step.operations),
        actor=actor,
    )


def log_steps(target: Target, steps: Iterable[LoggedStep]) -> None:
    """Writes entries into the target's journal, on a connection of its own.

    Raises:
        ReferentialIntegrityError: where nothing can be written there.
    """
    with target.changing() as session, session.transaction():
        place = _place(session)
        if not session.engine.has_table(session, place):
            session.engine.create_journal(session)
            session.execute(_create(session, place))
        marks = ", ".join(["%s"] * len(COLUMNS))
        sql = f"INSERT INTO {quote_table(place)} ({', '.join(COLUMNS)}) VALUES ({marks})"
        for entry in steps:
            session.execute(sql, _values(entry))


def read_log(target: Target, migration: str = "") -> list[LoggedStep]:
    """Returns what the target's journal has, the newest first: of one migration, or of all.

    Raises:
        ReferentialIntegrityError: when it cannot be read.
    """
    with target.reading() as session, session.look():
        return entries(session, migration)


def entries(session: Session, migration: str = "") -> list[LoggedStep]:
    """Returns the same on a session that is open."""
    place = _place(session)
    if not session.engine.has_table(session, place):
        return []
    where, params = ("WHERE migration = %s", [migration]) if migration else ("", [])
    sql = f"SELECT {', '.join(COLUMNS)} FROM {quote_table(place)} {where} ORDER BY id DESC LIMIT {MOST}"
    return [_entry(row) for row in session.rows(sql, params)]


def _place(session: Session) -> TableName:
    return session.engine.journal_table("migrations")


def _create(session: Session, place: TableName) -> str:
    columns = ", ".join(f"{column} text" for column in COLUMNS)
    return f"CREATE TABLE {quote_table(place)} (id {session.engine.serial()} PRIMARY KEY, {columns})"


def _values(entry: LoggedStep) -> list[str]:
    facts = {name: getattr(entry, name) for name in COLUMNS}
    facts |= {name: facts[name].isoformat() for name in ("started_at", "finished_at")}
    facts["operations"] = json.dumps(facts["operations"])
    return [str(facts[name]) for name in COLUMNS]


def _entry(row: tuple[Any, ...]) -> LoggedStep:
    facts = dict(zip(COLUMNS, row, strict=True))
    return LoggedStep(
        **{
            **facts,
            "phase": int(facts["phase"]),
            "seconds": float(facts["seconds"]),
            "operations": tuple(json.loads(facts["operations"])),
            "started_at": datetime.fromisoformat(facts["started_at"]),
            "finished_at": datetime.fromisoformat(facts["finished_at"]),
        }
    )
