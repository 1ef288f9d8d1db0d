"""Foreign keys taken off columns while their types change, and put back as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database import clauses
from integrity.database.identifiers import TableName, literal
from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session

_DEFINITION = """
SELECT pg_get_constraintdef(k.oid), coalesce(obj_description(k.oid, 'pg_constraint'), '')
FROM pg_constraint k WHERE k.conrelid = %s::oid AND k.conname = %s AND k.contype = 'f'
"""


@dataclass(frozen=True)
class BoundKey:
    """A foreign key: how it is taken off, and all that puts it back as it was."""

    drop: str
    make: tuple[str, ...]


def bound_keys(session: Session, schema: Schema, keys: Sequence[ForeignKey]) -> list[BoundKey]:
    """Returns how keys are taken off and put back: validated ones are checked anew, for the server knows
    no other way to call a key validated."""
    return [_bound(session, schema.table(key.table).oid, key) for key in keys]


def _bound(session: Session, oid: int, key: ForeignKey) -> BoundKey:
    definition, comment = session.row(_DEFINITION, [oid, key.name])
    on, name = clauses.table(key.table), clauses.name(key.name)
    make = [f"ALTER TABLE {on} ADD CONSTRAINT {name} {definition}"]
    make += [f"COMMENT ON CONSTRAINT {name} ON {on} IS {literal(comment)}"] if comment else []
    return BoundKey(f"ALTER TABLE {on} DROP CONSTRAINT {name}", tuple(make))


def lock(tables: Sequence[TableName]) -> str:
    """Keeps everybody away from tables until the transaction ends."""
    return f"LOCK TABLE {', '.join(map(clauses.table, sorted(tables)))} IN ACCESS EXCLUSIVE MODE"
