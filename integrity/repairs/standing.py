"""Which foreign keys stand in the way of a rollback: rows cannot come back as orphans under one.

PostgreSQL checks every row that is written, whether the key is validated or not; SQLite checks
where a connection asks for it. A key that a SQLite file declared before the repair, and that its
rows violated then, may be violated again; any other key is somebody's promise since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrity.database.identifiers import TableName, column
from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session
from integrity.exceptions import NotCheckable
from integrity.references.orphans import refers
from integrity.references.reference import Reference, written
from integrity.repairs.journal import (
    ACTION,
    BEFORE,
    IMAGE,
    REASON,
    UNDONE,
    WITNESS,
    Images,
    RunRecord,
    row_key,
)

MadeBy = Mapping[tuple[str, str], str]
"""(table as written, foreign key's name) → the migration that made it."""


@dataclass(frozen=True)
class InTheWay:
    """A foreign key under which ``rows`` would be orphans again."""

    key: ForeignKey
    rows: int
    migration: str = ""

    @property
    def table(self) -> TableName:
        """Whose foreign key it is."""
        return self.key.table

    def __str__(self) -> str:
        label = written(self.key.table, self.key.columns)
        origin = f" (migration {self.migration})" if self.migration else ""
        noun = "row" if self.rows == 1 else "rows"
        name = self.key.name or "a nameless foreign key"
        return f"{label} is enforced by {name}{origin}; {self.rows:,} {noun} would be orphans again"


def in_the_way(
    session: Session,
    schema: Schema,
    record: RunRecord,
    images: Sequence[Images],
    made_by: MadeBy,
    chosen: Mapping[Images, str],
    *,
    made: bool = True,
) -> list[InTheWay]:
    """Returns the foreign keys that forbid what would come back, or what would go again.

    Args:
        session: an open connection.
        schema: the structure now.
        record: the run to take back.
        images: its tables in the journal.
        made_by: which migration made which key.
        chosen: for each table the condition (on ``c``) of what shall come back.
        made: whether rows that the run made go again.
    """
    by_table = {each.table: each for each in images}
    found = []
    for here in images:
        for key in schema.table(here.table).foreign_keys:
            if key.enforced and not _declared_before(session, schema, record, key, made_by):
                there = by_table.get(key.referenced_table)
                rows = _orphans_again(session, schema, key, here, there, chosen)
                if made and there is not None:
                    rows += _orphans_left(session, schema, key, here, there)
                if rows:
                    found.append(InTheWay(key, rows, made_by.get((written(key.table), key.name), "")))
    return found


def _declared_before(
    session: Session, schema: Schema, record: RunRecord, key: ForeignKey, made_by: MadeBy
) -> bool:
    """Whether a SQLite file had this key before the repair, from nobody's migration."""
    if session.vendor != "sqlite" or (written(key.table), key.name) in made_by:
        return False
    return any(_sides(each) == _sides(_plain(key)) for each in _recorded(record, key))


def _recorded(record: RunRecord, key: ForeignKey) -> Iterator[dict[str, object]]:
    table = record.structure.get(str(key.table), {})
    yield from table.get("foreign_keys", ())


def _plain(key: ForeignKey) -> dict[str, object]:
    return {
        "columns": key.columns,
        "referenced_columns": key.referenced_columns,
        "referenced_table": vars(key.referenced_table),
    }


def _sides(key: dict[str, object]) -> tuple[object, ...]:
    parent = key["referenced_table"]
    assert isinstance(parent, dict)
    columns, referenced = key["columns"], key["referenced_columns"]
    return parent["schema"], parent["name"], tuple(columns), tuple(referenced)  # type: ignore[arg-type]


def _orphans_again(
    session: Session,
    schema: Schema,
    key: ForeignKey,
    here: Images,
    there: Images | None,
    chosen: Mapping[Images, str],
) -> int:
    reference = Reference(key.table, key.columns, key.referenced_table, key.referenced_columns)
    if not set(key.columns) <= set(here.columns):
        return 0
    try:
        match = matches(session, schema, reference)
    except NotCheckable:
        return 0
    parents = session.engine.parent_source(schema.table(key.referenced_table))
    back = ""
    if there is not None and set(key.referenced_columns) <= set(there.columns):
        comes = f"p.{IMAGE} = '{BEFORE}' AND p.{ACTION} = 'delete' AND p.{UNDONE} IS NULL"
        same = matches(session, schema, reference, there)
        back = f" AND NOT EXISTS (SELECT 1 FROM {there.sql} p WHERE {comes} AND {same})"
    sql = (
        f"SELECT count(*) FROM {here.sql} c WHERE {chosen[here]} AND {refers(reference)} "
        f"AND NOT EXISTS (SELECT 1 FROM {parents} p WHERE {match}){back}"
    )
    return int(session.value(sql))


def _orphans_left(session: Session, schema: Schema, key: ForeignKey, here: Images, there: Images) -> int:
    """Rows that were orphans until the run made what they refer to, and would be again."""
    reference = Reference(key.table, key.columns, key.referenced_table, key.referenced_columns)
    child, engine = schema.table(key.table), session.engine
    if not set(key.columns) <= set(here.columns) or not set(key.referenced_columns) <= set(there.columns):
        return 0
    made = f"p.{ACTION} = 'insert' AND p.{UNDONE} IS NULL AND {matches(session, schema, reference, there)}"
    same = [
        engine.same_key(column(name, "l"), column(name, "c"), child.column(name)) for name in row_key(child)
    ]
    same += [engine.same(column(name, "l"), column(name, "c"), child.column(name)) for name in key.columns]
    sql = (
        f"SELECT count(*) FROM {here.sql} c WHERE c.{IMAGE} = '{WITNESS}' "
        f"AND c.{REASON} = %s AND {refers(reference)} "
        f"AND EXISTS (SELECT 1 FROM {there.sql} p WHERE {made}) "
        f"AND EXISTS (SELECT 1 FROM {engine.source(child)} l WHERE {' AND '.join(same)})"
    )
    return int(session.value(sql, [reference.label]))


def matches(session: Session, schema: Schema, reference: Reference, there: Images | None = None) -> str:
    """What an image ``c`` refers to is ``p``: a live row, or an image of ``there``. The journal keeps
    enums and domains as their base types, so they are cast back."""
    engine = session.engine
    child, parent = schema.table(reference.table), schema.table(reference.referenced_table)
    conditions = []
    for name, key in reference.pairs:
        left, right = column(key, "p"), engine.restored_as(child.column(name), column(name, "c"))
        if there is not None:
            left = engine.restored_as(parent.column(key), left)
        conditions.append(engine.equal(parent.column(key), left, child.column(name), right))
    return " AND ".join(conditions)
