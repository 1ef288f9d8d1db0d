"""Which uniques stand in the way of a rollback: rows cannot come back as duplicates under one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrity.database.identifiers import TableName
from integrity.database.schema import Key, Schema
from integrity.database.session import Session
from integrity.plans.duplicate_steps import rule_from
from integrity.references.reference import written
from integrity.references.uniques import UniqueRule, standing_key
from integrity.repairs.journal import BEFORE, IMAGE, REASON, Images, RunRecord
from integrity.repairs.standing import MadeBy


@dataclass(frozen=True)
class UniqueInTheWay:
    """A unique under which ``rows`` would be duplicates again; no database lets old rows break one."""

    key: Key
    rule: UniqueRule
    rows: int
    migration: str = ""

    @property
    def table(self) -> TableName:
        """Whose unique it is."""
        return self.rule.table

    def __str__(self) -> str:
        origin = f" (migration {self.migration})" if self.migration else ""
        noun = "row" if self.rows == 1 else "rows"
        name = self.key.name or "its primary key"
        return (
            f"{self.rule.label} is enforced by {name}{origin}; {self.rows:,} {noun} would be duplicates again"
        )


def uniques_in_the_way(
    session: Session,
    schema: Schema,
    record: RunRecord,
    images: Sequence[Images],
    made_by: MadeBy,
    chosen: Mapping[Images, str],
) -> list[UniqueInTheWay]:
    """Returns the uniques that forbid what would come back.

    Args:
        session: an open connection.
        schema: the structure now.
        record: the run to take back.
        images: its tables in the journal.
        made_by: which migration made which unique.
        chosen: for each table the condition (on ``c``) of what shall come back.
    """
    by_table = {each.table: each for each in images}
    found = []
    for step in record.plan.get("steps", ()):
        rule = rule_from(step["rule"]) if step.get("kind") == "duplicates" else None
        if rule is None or rule.table not in by_table:
            continue
        key = _standing(session, schema, rule)
        rows = _shared_again(session, by_table[rule.table], rule, chosen) if key else 0
        if key and rows:
            migration = made_by.get((written(rule.table), key.name), "")
            found.append(UniqueInTheWay(key, rule, rows, migration))
    return found


def _standing(session: Session, schema: Schema, rule: UniqueRule) -> Key | None:
    """What forbids the duplicates: recognised by what it says, else by the name that it should have."""
    key = standing_key(schema, rule, session)
    named = (each for each in schema.table(rule.table).keys if rule.name and each.name == rule.name)
    return key or next(named, None)


def _shared_again(session: Session, here: Images, rule: UniqueRule, chosen: Mapping[Images, str]) -> int:
    sql = (
        f"SELECT count(*) FROM {here.sql} c WHERE {chosen[here]} "
        f"AND c.{IMAGE} = '{BEFORE}' AND c.{REASON} = %s"
    )
    return int(session.value(sql, [rule.label]))
