"""Is a JSON column what the table says? The SQL that answers it row by row, for every engine alike.

The answer is set-based (:meth:`MirrorSql.states`): the repeated rows are counted once, elements of lists
are joined to them, and neither needs an index. For single rows, as a view asks for them, the same is said
by correlated subqueries (:meth:`MirrorSql.current`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import column
from integrity.database.json_forms import JsonForms
from integrity.database.schema import Schema, Table, TableKind
from integrity.exceptions import NotCheckable
from integrity.references.mirror import Mirror
from integrity.references.mirror_entry import ListOf, Shape
from integrity.references.orphans import joined, refuse_uncheckable
from integrity.references.rights import refuse_unseen


class MirrorState(StrEnum):
    """What a row of a mirror is."""

    EQUAL = "equal"
    STALE = "stale"
    ONLY_IN_JSON = "only_in_json"
    ONLY_IN_TABLE = "only_in_table"
    COUNT_MISSING = "count_missing"
    NULL = "null"
    INVALID = "invalid"


NULL_WITH_ROWS = "s.state = 'null' AND s.n > 0"
DRIFTED = f"(s.state NOT IN ('equal', 'null') OR {NULL_WITH_ROWS})"
"""Holds where a row ``s`` of :meth:`MirrorSql.states` says something else than the table."""

HELD = "(s.state = 'invalid' OR (s.state <> 'equal' AND s.lost > 0))"
"""Holds where a row ``s`` has what the table does not have, or what cannot be read."""

_ROWS = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)


@dataclass(frozen=True)
class MirrorSql:
    """The statements about one mirror; the row of its table has the alias ``c``."""

    engine: Engine
    schema: Schema
    mirror: Mirror

    @cached_property
    def table(self) -> Table:
        """The table of the column."""
        return self.schema.table(self.mirror.table)

    @cached_property
    def repeated(self) -> Table:
        """The table whose rows are repeated."""
        return self.schema.table(self.mirror.repeated)

    @cached_property
    def forms(self) -> JsonForms:
        """How its JSON is read."""
        return self.engine.json_forms(self.table.column(self.mirror.column))

    @property
    def value(self) -> str:
        """The JSON of the row ``c``."""
        return column(self.mirror.column, "c")

    def refuse_unreadable(self) -> None:
        """Raises NotCheckable where no honest answer can be given."""
        where = str(self.mirror)
        if self.table.kind not in _ROWS:
            raise NotCheckable(f"{self.table.name} is a {self.table.kind}", where=where)
        if why := self.forms.unsupported():
            raise NotCheckable(
                f"{self.mirror.label} {why}",
                where=where,
                hint="Change its type first: ALTER TABLE … ALTER COLUMN … TYPE jsonb USING …::jsonb.",
            )
        if not self.mirror.identity:
            raise NotCheckable(
                f"Nothing tells the rows of {self.mirror.repeated} apart: it has no primary key",
                where=where,
                hint='Name the column in the [[mirror]]: elements = ["…"].',
            )
        refuse_uncheckable(self.schema, self.mirror.reference)
        names = [*self.mirror.reference.columns, *(name for _, name in self.mirror.elements)]
        refuse_unseen(self.schema, self.mirror.repeated, names, where)
        refuse_unseen(self.schema, self.mirror.table, [self.mirror.column], where)

    # -- all rows --------------------------------------------------------------------------

    def states(self, keys: Sequence[str] = (), where: Predicate | None = None) -> Predicate:
        """A SELECT of every row: its ``keys`` as ``k0`` …, ``value``, ``n`` (rows in the table), ``j``
        (number in JSON), ``lost`` (how many only JSON has), ``kind`` and ``state``."""
        only = where or Predicate("1 = 1")
        ids = self._row_ids("c")
        numbered = [f"{sql} AS w{place}" for place, sql in enumerate(ids)]
        named = [f"{column(name, 'c')} AS k{place}" for place, name in enumerate(keys)]
        here = " AND ".join(f"l.w{place} = {sql}" for place, sql in enumerate(ids))
        rows = (
            f"SELECT {', '.join([*numbered, *named])}, {self.value} AS value, "
            f"{self.forms.kind(self.value)} AS kind, {self.forms.number(self.value, self.mirror.count)} "
            "AS num, coalesce(t.n, 0) AS n, coalesce(l.nj, 0) AS nj, coalesce(l.ndj, 0) AS ndj, "
            "coalesce(l.mi, 0) AS mi, coalesce(l.mf, 0) AS mf "
            f"FROM {self.engine.source(self.table)} AS c "
            f"LEFT JOIN ({self._counts()}) AS t ON {self._refers('t')} "
            f"LEFT JOIN ({self._matches(only.sql)}) AS l ON {here} WHERE {only.sql}"
        )
        columns = [f"k{place}" for place in range(len(keys))]
        listed = "".join(f"r.{name}, " for name in columns)
        return Predicate(
            f"SELECT {listed}r.value, r.n, r.kind, {_IN_JSON} AS j, {_LOST} AS lost, {_STATE} AS state "
            f"FROM ({rows}) AS r",
            (*only.params, *only.params),
        )

    def _row_ids(self, alias: str) -> list[str]:
        if self.engine.vendor == "postgresql":
            return [f"{alias}.tableoid", f"{alias}.ctid"]
        if self.table.rowid:
            return [f"{alias}.{self.table.rowid}"]
        key = self.table.primary_key
        return [column(name, alias) for name in (key.columns if key else ())]

    def _references(self) -> str:
        """The referencing values, from which SQLite can make an index on the way where they need no
        other affinity."""
        return ", ".join(
            f"{self._as_referenced(name, key)} AS r{place}" for place, (name, key) in enumerate(self._pairs)
        )

    def _as_referenced(self, name: str, key: str) -> str:
        """A sign takes the affinity off a referencing value, as a foreign key of SQLite does."""
        here, there = self.repeated.column(name), self.table.column(key)
        alike = self.engine.vendor != "sqlite" or _family(here.type) == _family(there.type)
        return column(name, "o") if alike else f"+{column(name, 'o')}"

    def _refers(self, alias: str) -> str:
        """A row of a result with ``r0`` … refers to the row ``c``."""
        conditions = []
        for place, (name, key) in enumerate(self.mirror.reference.pairs):
            here, there = self.table.column(key), self.repeated.column(name)
            own, other = column(key, "c"), f"{alias}.r{place}"
            plain = self.engine.vendor == "sqlite"
            conditions.append(f"{own} = {other}" if plain else self.engine.equal(here, own, there, other))
        return " AND ".join(conditions)

    def _given(self) -> str:
        names = self.mirror.reference.columns
        return " AND ".join(f"{column(name, 'o')} IS NOT NULL" for name in names)

    def _counts(self) -> str:
        names = ", ".join(f"r{place}" for place in range(len(self.mirror.reference.columns)))
        return (
            f"SELECT {names}, count(*) AS n FROM (SELECT {self._references()} "
            f"FROM {self.engine.source(self.repeated)} AS o WHERE {self._given()}) AS g GROUP BY {names}"
        )

    def _matches(self, only: str) -> str:
        """For each row with a list: its elements, and how many of them stand in the table."""
        ids = ", ".join(f"c.w{place}" for place in range(len(self._row_ids("c"))))
        others = self.mirror.others
        full = " AND ".join(self.forms.same(f"o.f{place}", f"c.f{place}") for place in range(len(others)))
        whole = f" AND (c.scalar = 1 OR ({full}))" if others else ""
        rows = (
            f"(SELECT {self._references()}, {self._identity_written('o')} AS i{self._others_written()} "
            f"FROM {self.engine.source(self.repeated)} AS o WHERE {self._given()} {self.forms.fence}) AS o"
        )
        return (
            f"SELECT {ids}, count(DISTINCT c.place) AS nj, count(DISTINCT c.i) AS ndj, "
            "count(DISTINCT CASE WHEN o.i IS NOT NULL THEN c.i END) AS mi, "
            f"count(DISTINCT CASE WHEN o.i IS NOT NULL{whole} THEN c.i END) AS mf "
            f"FROM ({self._elements(only)}) AS c LEFT JOIN {rows} ON {self._element_refers()} AND o.i = c.i "
            f"GROUP BY {ids}"
        )

    def _elements(self, only: str) -> str:
        """Every element of every list, beside what its row is referred to by."""
        numbered = [f"{sql} AS w{place}" for place, sql in enumerate(self._row_ids("c"))]
        keys = [column(key, "c") + f" AS p{place}" for place, (_, key) in enumerate(self._pairs)]
        others = [
            f"{self.forms.field('e', key, self.repeated.column(name))} AS f{place}"
            for place, (key, name) in enumerate(self.mirror.others)
        ]
        parts = [*numbered, *keys, f"{self.forms.place('e')} AS place", f"{self._identity()} AS i", *others]
        scalar = f"CASE WHEN {self.forms.is_object('e')} THEN 0 ELSE 1 END AS scalar"
        return (
            f"SELECT {', '.join([*parts, scalar])} FROM {self.engine.source(self.table)} AS c "
            f"CROSS JOIN {self.forms.elements(self.value, 'e')} WHERE {only} "
            f"{self.forms.fence}"
        )

    @property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        return self.mirror.reference.pairs

    def _element_refers(self) -> str:
        conditions = []
        for place, (name, key) in enumerate(self._pairs):
            here, there = self.table.column(key), self.repeated.column(name)
            own, other = f"c.p{place}", f"o.r{place}"
            plain = self.engine.vendor == "sqlite"
            conditions.append(f"{own} = {other}" if plain else self.engine.equal(here, own, there, other))
        return " AND ".join(conditions)

    def _identity(self) -> str:
        """What tells an element apart; one that does not say it is like no row."""
        texts = [self.forms.field("e", key, self.repeated.column(name)) for key, name in self.mirror.identity]
        return f"coalesce({self._one(texts)}, '?')"

    def _identity_written(self, alias: str) -> str:
        texts = [
            self.forms.written(column(name, alias), self.repeated.column(name))
            for _, name in self.mirror.identity
        ]
        return self._one(texts)

    def _others_written(self) -> str:
        return "".join(
            f", {self.forms.written(column(name, 'o'), self.repeated.column(name))} AS f{place}"
            for place, (_, name) in enumerate(self.mirror.others)
        )

    def _one(self, texts: Sequence[str]) -> str:
        return self.forms.bytewise(texts[0] if len(texts) == 1 else self.forms.together(texts))

    # -- one row ---------------------------------------------------------------------------

    def number(self, row: str = "c") -> str:
        """SQL for how many rows refer to the row ``c``."""
        return f"(SELECT count(*) FROM {self._repeating()})"

    def _repeating(self) -> str:
        refers = joined(self.engine, self.schema, self.mirror.reference, child="o", parent="c")
        if self.engine.vendor == "sqlite":  # so that an index on the referencing column is used
            pairs = ((name, key, self._as_referenced(name, key)) for name, key in self._pairs)
            refers = " AND ".join(f"{column(key, 'c')} = {value}" for _, key, value in pairs)
        return f"{self.engine.source(self.repeated)} AS o WHERE {refers}"

    def current(self, old: str, *, verbatim: bool = True) -> str:
        """SQL for what the column of the row ``c`` holds by the table, in the shape of ``old``.

        Args:
            old: what it holds or held.
            verbatim: whether ``old`` itself stands where it says what the table says.
        """
        made = (
            f"CASE {self.forms.kind(old)} WHEN 'list' THEN {self._list(old)} "
            f"WHEN 'object' THEN {self.forms.counted(old, self.mirror.count, self.number())} "
            f"ELSE {self.fresh()} END"
        )
        return f"CASE WHEN {self._unchanged(old)} THEN {old} ELSE {made} END" if verbatim else made

    def fresh(self) -> str:
        """SQL for what the column of a row holds by the table, in the shape of rows that say none."""
        if self.mirror.shape is Shape.COUNT:
            return self.forms.count_only(self.mirror.count, self.number())
        return self._listed(objects=self.mirror.list_of is ListOf.OBJECTS)

    def _list(self, old: str) -> str:
        objects, ids = self._listed(objects=True), self._listed(objects=False)
        if len(self.mirror.identity) > 1:
            return objects
        empty = objects if self.mirror.list_of is ListOf.OBJECTS else ids
        first = self.forms.lists_objects(old)
        return f"CASE WHEN {first} THEN {objects} WHEN NOT ({first}) THEN {ids} ELSE {empty} END"

    def _listed(self, *, objects: bool) -> str:
        ordered = [*self.mirror.identity, *self.mirror.others]
        parts = [(key, column(name, "o")) for key, name in (self.mirror.elements if objects else ordered)]
        order = ", ".join(column(name, "o") for _, name in self.mirror.identity)
        return self.forms.listed(self._repeating(), parts, order, objects=objects)

    def _unchanged(self, old: str) -> str:
        number = self.number()
        counted = self.forms.number(old, self.mirror.count)
        return (
            f"CASE {self.forms.kind(old)} WHEN 'null' THEN {number} = 0 "
            f"WHEN 'object' THEN coalesce(({counted}) = {number}, 1 = 0) "
            f"WHEN 'list' THEN {self._same_list(old, number)} ELSE 1 = 0 END"
        )

    def _same_list(self, old: str, number: str) -> str:
        elements = self.forms.elements(old, "e")
        full = "".join(
            f" AND ({self.forms.is_object('e')} IS NOT TRUE OR {self._same_field(key, name)})"
            for key, name in self.mirror.others
        ).replace("IS NOT TRUE", "= 0" if self.engine.vendor == "sqlite" else "IS NOT TRUE")
        found = (
            f"(SELECT count(DISTINCT {self._identity()}) FROM {elements} WHERE EXISTS (SELECT 1 FROM "
            f"{self._repeating()} AND {self._identity_written('o')} = {self._identity()}{full}))"
        )
        return f"(SELECT count(*) FROM {elements}) = {number} AND {found} = {number}"

    def _same_field(self, key: str, name: str) -> str:
        column_ = self.repeated.column(name)
        return self.forms.same(
            self.forms.written(column(name, "o"), column_), self.forms.field("e", key, column_)
        )


def _family(kind: str) -> str:
    """The affinity of a declared type, as far as it changes comparisons (SQLite manual, "Datatypes" 3.1)."""
    name = kind.upper()
    if "INT" in name:
        return "numeric"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return "none" if not name or "BLOB" in name else "numeric"


_IN_JSON = "CASE r.kind WHEN 'object' THEN r.num WHEN 'list' THEN r.nj END"
_LOST = (
    "CASE r.kind WHEN 'list' THEN r.ndj - r.mi "
    "WHEN 'object' THEN CASE WHEN r.n = 0 AND r.num > 0 THEN r.num ELSE 0 END ELSE 0 END"
)
_STATE = """CASE r.kind
  WHEN 'null' THEN 'null'
  WHEN 'invalid' THEN 'invalid'
  WHEN 'object' THEN CASE WHEN r.num IS NULL THEN 'count_missing' WHEN r.num = r.n THEN 'equal'
    WHEN r.n = 0 AND r.num > 0 THEN 'only_in_json' WHEN r.num = 0 THEN 'only_in_table' ELSE 'stale' END
  ELSE CASE WHEN r.nj = r.n AND r.ndj = r.n AND r.mf = r.n THEN 'equal' WHEN r.n = 0 THEN 'only_in_json'
    WHEN r.nj = 0 THEN 'only_in_table' ELSE 'stale' END END"""
