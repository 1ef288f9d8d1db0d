"""A unique that should hold, and which rows stand in its way.

NULLs count as SQL says: distinct from each other (no duplicates) unless the rule says NULLS NOT
DISTINCT (SQL:2023 F292). Equality is the database's own: duplicates are what GROUP BY puts together,
by the same operators as the index would.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import TableName, column
from integrity.database.schema import Key, Schema, Table
from integrity.references.reference import Source, written


class Duplicates(StrEnum):
    """What can be decided about rows that share the value of a unique."""

    KEEP = "keep"
    RENAME = "rename"
    MERGE = "merge"


@dataclass(frozen=True)
class UniqueRule:
    """Columns whose values should not occur twice, resolved against a real schema.

    ``where`` makes it partial (SQL as written), ``ignores_case`` compares text by ``lower()``.
    ``policy`` is what the catalog prescribes for duplicates, ``survivor`` which row of a group
    keeps its value (``oldest``, ``newest``, ``most_referenced`` or a column, ``priority desc``),
    ``rename`` the column that gets another value (empty: the last of text). ``declared`` is the
    unique that the database does have for it.
    """

    table: TableName
    columns: tuple[str, ...]
    name: str = ""
    where: str = ""
    nulls_distinct: bool = True
    ignores_case: bool = False
    source: Source = Source.CATALOG
    rationale: str = ""
    policy: Duplicates | None = None
    survivor: str = ""
    rename: str = ""
    declared: Key | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """``categories.store_id,slug``: how commands name it."""
        return written(self.table, self.columns)

    @property
    def plain(self) -> bool:
        """Whether a UNIQUE constraint says the same; otherwise only a unique index does."""
        return not (self.where or self.ignores_case)


def terms(engine: Engine, table: Table, rule: UniqueRule, alias: str = "c") -> list[str]:
    """Returns the SQL of what is compared, column by column, for the row ``alias``."""
    found = []
    for name in rule.columns:
        sql = column(name, alias)
        found.append(f"lower({sql})" if rule.ignores_case and is_text(engine, table, name) else sql)
    return found


def is_text(engine: Engine, table: Table, name: str) -> bool:
    """Whether a column holds text: case means nothing elsewhere."""
    kind = table.column(name).type.lower()
    if (
        engine.vendor == "sqlite"
    ):  # affinity TEXT, https://www.sqlite.org/datatype3.html#determination_of_column_affinity
        return "int" not in kind and re.search("char|clob|text", kind) is not None
    return re.match(r"(character|text|bpchar|name\b)", kind) is not None


def bound(rule: UniqueRule, engine: Engine, table: Table, alias: str = "c") -> Predicate:
    """Returns the condition that the rule speaks of a row ``alias`` at all."""
    parts = [f"({rule.where.replace('%', '%%')})"] if rule.where else []
    if rule.nulls_distinct:
        parts += [f"{column(name, alias)} IS NOT NULL" for name in rule.columns]
    return Predicate(" AND ".join(parts) or "1 = 1")


def duplicated_values(engine: Engine, schema: Schema, rule: UniqueRule) -> Predicate:
    """Returns a SELECT of the values that more than one row has, and how many: ``n`` is the last column."""
    table = schema.table(rule.table)
    compared = terms(engine, table, rule)
    listed = ", ".join(compared)
    condition = bound(rule, engine, table)
    return Predicate(
        f"SELECT {listed}, count(*) AS n FROM {engine.source(table)} AS c WHERE {condition.sql} "
        f"GROUP BY {listed} HAVING count(*) > 1",
        condition.params,
    )


def standing_key(schema: Schema, rule: UniqueRule) -> Key | None:
    """Returns the unique of the database that forbids what ``rule`` forbids, whatever its name."""
    if not rule.plain or not schema.knows(rule.table):
        return None
    for key in schema.table(rule.table).keys:
        same = set(key.columns) == set(rule.columns) and not (key.where or key.expressions)
        if same and (key.nulls_distinct == rule.nulls_distinct or key.primary):
            return key
    return None
