"""What can be looked up for a missing key: a parent of another spelling, of another owner, or kept elsewhere.

Each lookup is a join to the missing keys ``k`` and the classes that it tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import column, quote_columns
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.spelling import Form
from integrity.references.causes.parents import Parents, spelled_differently
from integrity.references.reference import Reference

SENTINELS = (
    "", "-", "--", "?", ".", "0", "-1", "null", "(null)", "<null>", "nil", "none", "undefined", "nan", "n/a",
    "na", "unknown", "unassigned", "default", "default-user", "default_user", "anonymous", "anon", "guest",
    "placeholder", "dummy", "tbd", "[object object]", "0" * 32, "f" * 32,
)  # fmt: skip
"""What programs write where they have no key, folded; the last two as UUIDs without hyphens."""


@dataclass(frozen=True)
class Part:
    """A piece of SQL with its parameters, in the order in which they stand."""

    sql: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Lookups:
    """The lookups that make sense for one reference."""

    session: Session
    schema: Schema
    reference: Reference
    parents: Parents
    explains: bool = True

    @property
    def engine(self) -> Engine:
        """What speaks the dialect."""
        return self.session.engine

    @property
    def _spelled(self) -> bool:
        if len(self.reference.columns) > 1 or not self.explains:
            return False
        ((name, key),) = self.reference.pairs
        child = self.schema.table(self.reference.table).column(name)
        parent = self.schema.table(self.reference.referenced_table).column(key)
        return spelled_differently(self.session.vendor, child, parent)

    def joins(self) -> str:
        """The parents' normal forms, those of another owner, and the tables that keep what is gone."""
        parts = [self._kept(at) for at in range(len(self.parents.elsewhere))]
        if self._owned:
            parts.append(self._own())
        if self._spelled:
            key = column(self.reference.referenced_columns[0], "p")
            parents = self.engine.parent_source(self.schema.table(self.reference.referenced_table))
            there = self.engine.spelled(key, Form.TRIMMED)
            normal = self.engine.spelled(key, Form.NORMAL)
            parts.append(
                f"LEFT JOIN (SELECT {normal} AS v, min({there}) AS there FROM {parents} p "
                f"WHERE {key} IS NOT NULL GROUP BY 1) AS np "
                f"ON np.v = {self.engine.spelled('k.key0', Form.NORMAL)}"
            )
        return " ".join(parts)

    def _kept(self, at: int) -> str:
        table = self.parents.elsewhere[at]
        keys = quote_columns(self.reference.referenced_columns, "s")
        met = self._met(table, f"a{at}", range(len(self.reference.columns)))
        source = self.engine.parent_source(table)
        return f"LEFT JOIN (SELECT DISTINCT {keys}, 1 AS kept FROM {source} s) AS a{at} ON {met}"

    @property
    def _owned(self) -> bool:
        return self.explains and bool(self.parents.alone)

    def _own(self) -> str:
        """Parents by the columns that know them alone."""
        table = self.schema.table(self.reference.referenced_table)
        keys = quote_columns([self.reference.referenced_columns[at] for at in self.parents.alone], "s")
        source = self.engine.parent_source(table)
        met = self._met(table, "b", self.parents.alone)
        return f"LEFT JOIN (SELECT DISTINCT {keys}, 1 AS owned FROM {source} s) AS b ON {met}"

    def _met(self, table: Table, alias: str, places: Iterable[int]) -> str:
        """That a missing key and a row of ``table`` agree in the columns at these places."""
        child = self.schema.table(self.reference.table)
        named = [(place, *self.reference.pairs[place]) for place in places]
        return " AND ".join(
            self.engine.equal(table.column(key), column(key, alias), child.column(name), f"k.key{place}")
            for place, name, key in named
        )

    def known(self) -> Iterator[tuple[Part, str]]:
        """Yields what holds where a lookup found something, and the class that it makes."""
        if self._spelled:
            yield Part("np.v IS NOT NULL"), f"'spelling:' || {self._difference()}"
        if len(self.reference.columns) == 1:
            yield from self._sentinels()
        if self._owned:
            yield Part("b.owned = 1"), "'owned'"
        for at in range(len(self.parents.elsewhere)):
            yield Part(f"a{at}.kept = 1"), f"'elsewhere:{at}'"

    def _sentinels(self) -> Iterator[tuple[Part, str]]:
        folded = self.engine.spelled("k.key0", Form.FOLDED)
        name = f"'sentinel:' || {folded}"
        listed = f"{folded} IN ({', '.join(['%s'] * len(SENTINELS))})"
        if self.parents.whole:
            for number in (0, -1):
                if self.parents.lowest is None or self.parents.lowest > number:
                    yield Part(f"k.key0 = {number}"), f"'sentinel:{number}'"
            if self.session.vendor == "sqlite":
                yield Part(f"typeof(k.key0) = 'text' AND {listed}", SENTINELS), name
            return
        if self._spelled:
            yield Part(listed, SENTINELS), name
        yield Part(f"replace({folded}, '-', '') IN (%s, %s)", SENTINELS[-2:]), name

    def _difference(self) -> str:
        """What takes a key to its parent's spelling: white space, case, or a notation."""
        here = self.engine.spelled("k.key0", Form.TRIMMED)
        folded = self.engine.spelled("k.key0", Form.FOLDED)
        return (
            f"CASE WHEN {here} = np.there THEN 'white space' WHEN {folded} = lower(np.there) THEN 'case' "
            "WHEN length(np.v) < 32 THEN 'notation of numbers' "
            f"WHEN replace({folded}, '{{', '') <> {folded} THEN 'braces' "
            f"ELSE 'hyphens' END"
        )

    def example(self) -> str:
        """A key and its parent, as both are written."""
        if not self._spelled:
            return f"{nothing(self.session.vendor)} AS here, {nothing(self.session.vendor)} AS there"
        postgresql = self.session.vendor == "postgresql"
        here = 'k.key0::text COLLATE "C"' if postgresql else "CAST(k.key0 AS TEXT)"
        return f"{here} AS here, np.there AS there"


def nothing(vendor: str, kind: str = "text") -> str:
    """Returns NULL; PostgreSQL wants a type even for what is never there."""
    return f"CAST(NULL AS {kind})" if vendor == "postgresql" else "NULL"
