"""A unique that should hold, and which rows stand in its way.

NULLs count as SQL says: distinct from each other (no duplicates) unless the rule says NULLS NOT
DISTINCT (SQL:2023 F292). Equality is the database's own: duplicates are what GROUP BY puts together,
by the same operators as the index would.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import DatabaseError

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import TableName, column
from integrity.database.schema import Index, Key, Schema, Table
from integrity.database.session import Session
from integrity.exceptions import NotCheckable
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
    found = table.column(name)
    kind = (found.stored_type or found.type).lower()
    if engine.vendor == "sqlite":  # affinity TEXT ("Datatypes in SQLite" 3.1)
        return "int" not in kind and re.search("char|clob|text", kind) is not None
    return re.fullmatch(r"(character varying|character|text|bpchar|name)(\(\d+\))?", kind) is not None


def bound(rule: UniqueRule, engine: Engine, table: Table, alias: str = "c") -> Predicate:
    """Returns the condition that the rule speaks of a row ``alias`` at all."""
    parts = [f"({rule.where.replace('%', '%%')})"] if rule.where else []
    if rule.nulls_distinct:
        parts += [f"{column(name, alias)} IS NOT NULL" for name in rule.columns]
    return Predicate(" AND ".join(parts) or "1 = 1")


def duplicated_values(engine: Engine, schema: Schema, rule: UniqueRule) -> Predicate:
    """Returns a SELECT of the values that more than one row has (``v1``, ``v2`` …), and how many: ``n``
    is the last column."""
    table = schema.table(rule.table)
    compared = terms(engine, table, rule)
    named = ", ".join(f"{sql} AS v{place}" for place, sql in enumerate(compared, start=1))
    condition = bound(rule, engine, table)
    return Predicate(
        f"SELECT {named}, count(*) AS n FROM {engine.source(table)} AS c WHERE {condition.sql} "
        f"GROUP BY {', '.join(compared)} HAVING count(*) > 1",
        condition.params,
    )


def standing_key(schema: Schema, rule: UniqueRule, session: Session | None = None) -> Key | None:
    """Returns the unique of the database that forbids what ``rule`` forbids, whatever its name.

    Args:
        schema: the target's structure.
        rule: what should not occur twice.
        session: an open session, to ask the database whether a condition or expression that is written
            otherwise means the same. Without one, only uniques on plain columns are recognised.
    """
    if not schema.knows(rule.table):
        return None
    table = schema.table(rule.table)
    found = [key for key in table.keys if _nulls_alike(table, key, rule)]
    plain = (key for key in found if rule.plain and _on_columns(table, key, rule))
    first = next(plain, None)
    if first is not None or session is None or rule.table not in schema.tables:
        return first
    return next((key for key in found if _means_the_same(session, table, key, rule)), None)


def cannot_repeat(schema: Schema, rule: UniqueRule) -> Key | None:
    """Returns a unique on some of the columns, by which values of ``rule`` cannot occur twice."""
    if not schema.knows(rule.table):
        return None
    table = schema.table(rule.table)
    for key in table.keys:
        narrower = bool(key.columns) and set(key.columns) <= set(rule.columns)
        whole = not (key.where or key.expressions or rule.ignores_case)
        if narrower and whole and _nulls_alike(table, key, rule) and _as_columns_compare(table, key):
            return key
    return None


def _nulls_alike(table: Table, key: Key, rule: UniqueRule) -> bool:
    if key.nulls_distinct == rule.nulls_distinct or key.primary:
        return True
    return table.has_columns(rule.columns) and not any(table.column(each).nullable for each in rule.columns)


def _on_columns(table: Table, key: Key, rule: UniqueRule) -> bool:
    same = set(key.columns) == set(rule.columns) and not (key.where or key.expressions)
    return same and _as_columns_compare(table, key)


def _as_columns_compare(table: Table, key: Key) -> bool:
    """Whether an index compares by the collation and operators of its columns themselves."""
    index = table.index(key.name)
    if index is None or key.expressions:
        return index is None
    own = tuple(table.column(name).equality for name in key.columns)
    return index.equalities == own and not any(index.operators)


def _means_the_same(session: Session, table: Table, key: Key, rule: UniqueRule) -> bool:
    """Whether a unique index compares the same terms of the same rows, in the database's own words."""
    index = table.index(key.name)
    if index is None or len(index.terms) != len(rule.columns) or any(index.operators):
        return False
    if bool(key.where) != bool(rule.where):
        return False
    wanted, found = _wanted_parts(session.engine, table, rule), _parts(session.engine, index, rule)
    conditions = [each for each in (rule.where, key.where) if each]
    asked = [sql for sql, _ in (*wanted, *found)] + [each.replace("%", "%%") for each in conditions]
    said = iter(_understood(session, table, asked, rule))
    ours = sorted((next(said), collation) for _, collation in wanted)
    theirs = sorted((next(said), collation) for _, collation in found)
    return ours == theirs and len(set(said)) <= 1


def _understood(session: Session, table: Table, asked: list[str], rule: UniqueRule) -> list[str]:
    try:
        return session.engine.understood(session, table, asked)
    except DatabaseError as error:
        line = next(iter(str(error).strip().splitlines()), "the database refused it")
        raise NotCheckable(
            f"The unique cannot be read: {line}",
            where=rule.label,
            hint="Correct `where` of this [[unique]] in the catalog.",
        ) from error


def _wanted_parts(engine: Engine, table: Table, rule: UniqueRule) -> list[tuple[str, str]]:
    """What a rule compares, each with its collation: a function of SQLite has none."""
    pairs = zip(terms(engine, table, rule), rule.columns, strict=True)
    plain = [column(name, "c") for name in rule.columns]
    return [
        (sql, "" if engine.vendor == "sqlite" and sql not in plain else table.column(name).equality)
        for sql, name in pairs
    ]


def _parts(engine: Engine, index: Index, rule: UniqueRule) -> list[tuple[str, str]]:
    """What an index compares, each with its collation. SQLite's NOCASE finds equal what ``lower()`` does
    ("Datatypes in SQLite" 7: the 26 letters of ASCII)."""
    folded = rule.ignores_case and engine.vendor == "sqlite"
    written = [
        (term.replace("%", "%%"), name) for term, name in zip(index.terms, index.equalities, strict=True)
    ]
    return [(f"lower({sql})", "") if folded and name == "NOCASE" else (sql, name) for sql, name in written]
