"""What a run did, read from the target's journal: by table, reason and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from integrity.database.identifiers import quote_columns
from integrity.database.session import Session, Target
from integrity.detectors.orphaned_rows import plain
from integrity.repairs.journal import (
    ACTION,
    AT,
    BEFORE,
    IMAGE,
    REASON,
    SEQ,
    UNDONE,
    Images,
    Journal,
    RunRecord,
)


@dataclass(frozen=True)
class Changed:
    """Rows of one table that one run changed for one reason, with samples of their keys.

    ``taken_back`` of the ``rows`` were restored since; ``journal`` is where their images are.
    """

    table: str
    reason: str
    action: str
    rows: int
    taken_back: int
    first_at: str
    last_at: str
    journal: str
    keys: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Returns the facts as plain values."""
        return asdict(self)


def changes_of(target: Target, number: int, *, keys: int = 10) -> tuple[RunRecord, list[Changed]]:
    """Returns a run and what it changed.

    Args:
        target: the repaired target.
        number: the run.
        keys: how many keys of each group to name.

    Raises:
        UnknownRun: when the journal has no such run.
    """
    with target.changing() as session:
        journal = Journal(session)
        record = journal.run(number)
        schema = session.schema()
        found: list[Changed] = []
        for images in journal.tables(number):
            table = schema.tables.get(images.table)
            named = table.primary_key.columns if table is not None and table.primary_key else ()
            found += _groups(session, images, [name for name in named if name in images.columns], keys)
    return record, found


def _groups(session: Session, images: Images, named: Sequence[str], keys: int) -> list[Changed]:
    sql = (
        f"SELECT {REASON}, {ACTION}, count(*), count({UNDONE}), min({AT}), max({AT}) FROM {images.sql} "
        f"WHERE {IMAGE} = '{BEFORE}' OR {ACTION} = 'insert' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [
        Changed(
            table=str(images.table),
            reason=reason,
            action=action,
            rows=rows,
            taken_back=taken_back,
            first_at=first,
            last_at=last,
            journal=str(images.name),
            keys=_keys(session, images, named, reason, action, keys),
        )
        for reason, action, rows, taken_back, first, last in session.rows(sql)
    ]


def _keys(
    session: Session, images: Images, named: Sequence[str], reason: str, action: str, most: int
) -> list[dict[str, Any]]:
    if not named:
        return []
    sql = (
        f"SELECT {quote_columns(named)} FROM {images.sql} WHERE {REASON} = %s AND {ACTION} = %s "
        f"AND ({IMAGE} = '{BEFORE}' OR {ACTION} = 'insert') ORDER BY {SEQ} LIMIT %s"
    )
    rows = session.rows(sql, [reason, action, most])
    return [{name: plain(value) for name, value in zip(named, row, strict=True)} for row in rows]
