"""One statement that counts orphans and sorts their missing keys by what is known of each.

The anti-join is made once; all else works on its groups. ``k`` has a row for each missing key, ``q`` says
what class of key it is; the classes are what :mod:`rules` turns into causes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import column, quote_columns
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.references.causes.created import DAY, Span
from integrity.references.causes.lookups import Lookups, Part, nothing
from integrity.references.causes.parents import Parents
from integrity.references.orphans import refers
from integrity.references.reference import Reference

MANY = 3
"""From so many rows on, over some time, a missing key was in use."""


@dataclass(frozen=True)
class Group:
    """Missing keys of one class whose first rows were created in one bucket of time (None: unknown)."""

    name: str
    bucket: int | None
    rows: int
    keys: int
    first: float | None
    last: float | None

    @property
    def kind(self) -> str:
        """The class, without what stands behind its colon."""
        return self.name.partition(":")[0]

    @property
    def detail(self) -> str:
        """What stands behind the colon."""
        return self.name.partition(":")[2]


@dataclass(frozen=True)
class TopKey:
    """One of the commonest missing keys."""

    name: str
    key: tuple[Any, ...]
    rows: int

    @property
    def kind(self) -> str:
        """The class, without what stands behind its colon."""
        return self.name.partition(":")[0]


@dataclass
class Survey:
    """What the statement found."""

    groups: list[Group] = field(default_factory=list)
    top: list[TopKey] = field(default_factory=list)
    days: list[tuple[int, int]] = field(default_factory=list)
    examples: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All orphans."""
        return sum(group.rows for group in self.groups)

    @property
    def missing_keys(self) -> int:
        """All missing keys."""
        return sum(group.keys for group in self.groups)

    def without(self, groups: Sequence[Group]) -> Survey:
        """The rest, once some groups are explained."""
        kept = [group for group in self.groups if group not in groups]
        return replace(self, groups=kept)


@dataclass(frozen=True)
class Surveyor:
    """Builds and runs the statement for one reference."""

    session: Session
    schema: Schema
    reference: Reference
    where: Predicate
    parents: Parents
    span: Span | None
    explains: bool = True

    @property
    def engine(self) -> Engine:
        """What speaks the dialect."""
        return self.session.engine

    @property
    def _lookups(self) -> Lookups:
        return Lookups(self.session, self.schema, self.reference, self.parents, self.explains)

    def survey(self, samples: int) -> Survey:
        """Runs it.

        Args:
            samples: how many of the commonest missing keys are named.
        """
        part = self.statement(samples)
        result = Survey()
        width = len(self.reference.columns)
        for what, name, *rest in self.session.rows(part.sql, part.params):
            key, (rows, keys, bucket, first, last, here, there) = rest[:width], rest[width:]
            if what == "key":
                result.top.append(TopKey(name, tuple(key), int(rows)))
            elif what == "day" and bucket is not None:
                result.days.append((int(bucket), int(rows)))
            elif what == "class":
                place = None if bucket is None else int(bucket)
                result.groups.append(Group(name, place, int(rows), int(keys), first, last))
                if here is not None and there is not None:
                    result.examples.setdefault(name, (here, there))
        result.top.sort(key=lambda each: -each.rows)
        return result

    def oldest(self) -> dict[int, int]:
        """Rows that refer to something in the oldest tenth of the table's time, by bucket: one scan."""
        if self.span is None:
            return {}
        created = self.engine.epoch(column(self.span.column, "c"))
        source = self.engine.source(self.schema.table(self.reference.table))
        sql = (
            f"SELECT {self._bucket_of(created)}, count(*) FROM {source} c "
            f"WHERE {refers(self.reference)} AND {created} <= %s GROUP BY 1"
        )
        return {int(bucket): int(rows) for bucket, rows in self.session.rows(sql, [self.span.early])}

    def statement(self, samples: int) -> Part:
        """Returns it, without running it."""
        width = len(self.reference.columns)
        names = ", ".join(f"key{at}" for at in range(width))
        nulls = ", ".join(["NULL"] * width)
        by_key, classes = self._by_key(names), self._classes()
        size = self._bucket_of("t0")
        sql = (
            f"{by_key.sql}, q AS MATERIALIZED (SELECT {classes.sql} AS name, {names}, n, t0, t1, "
            f"{self._lookups.example()} FROM k {self._lookups.joins()}) "
            f"SELECT * FROM (SELECT 'key' AS what, name, {names}, n, 1 AS keys, 0 AS bucket, t0, t1, "
            f"here, there FROM q ORDER BY n DESC, {names} LIMIT %s) AS top "
            f"UNION ALL SELECT 'class', name, {nulls}, sum(n), count(*), {size}, min(t0), max(t1), "
            f"min(here), min(there) FROM q GROUP BY name, {size}"
        )
        params = (*by_key.params, *classes.params, samples)
        if self.span:
            sql += (
                f" UNION ALL SELECT 'day', NULL, {nulls}, sum(n), 0, day, NULL, NULL, NULL, NULL "
                "FROM o GROUP BY day"
            )
        return Part(sql, params)

    def _by_key(self, names: str) -> Part:
        """``o``: orphans by missing key and bucket of time; ``k``: by missing key alone."""
        source = self.engine.source(self.schema.table(self.reference.table))
        keys = quote_columns(self.reference.columns, "c")
        if self.span is None:
            counted = f"SELECT {keys}, count(*) FROM {source} c WHERE {self.where.sql} GROUP BY {keys}"
            never = nothing(self.session.vendor, "double precision")
            by_key = f"SELECT {names}, n, {never} AS t0, {never} AS t1 FROM o"
            sql = f"WITH o({names}, n) AS ({counted}), k AS ({by_key})"
            return Part(sql, self.where.params)
        created = column(self.span.column, "c")
        day = self._bucket_of(self.engine.epoch(created))
        counted = (
            f"SELECT {keys}, {day}, count(*), min({created}), max({created}) "
            f"FROM {source} c WHERE {self.where.sql} GROUP BY {keys}, {day}"
        )
        first, last = self.engine.epoch("min(t0)"), self.engine.epoch("max(t1)")
        sql = (
            f"WITH o({names}, day, n, t0, t1) AS MATERIALIZED ({counted}), "
            f"k AS MATERIALIZED (SELECT {names}, sum(n) AS n, {first} AS t0, {last} AS t1 "
            f"FROM o GROUP BY {names})"
        )
        return Part(sql, self.where.params)

    def _bucket_of(self, seconds: str) -> str:
        width = self.span.bucket if self.span else DAY
        floor = (
            f"floor(({seconds}) / {width})"
            if self.session.vendor == "postgresql"
            else f"({seconds}) / {width}"
        )
        return f"CAST({floor} AS bigint)"

    def _classes(self) -> Part:
        """The first that fits: another spelling, a sentinel, kept elsewhere, by number, by use."""
        cases = [*self._lookups.known(), *self._by_number(), *self._by_use()] if self.explains else []
        if not cases:
            return Part("'scattered'")
        sql = " ".join(f"WHEN {case.sql} THEN {name}" for case, name in cases)
        params = tuple(value for case, _ in cases for value in case.params)
        return Part(f"CASE {sql} ELSE 'scattered' END", params)

    def _by_number(self) -> Iterator[tuple[Part, str]]:
        first, last = self.parents.first, self.parents.last
        if first is None or last is None:
            return
        yield Part("k.key0 BETWEEN %s AND %s", (first, last)), "'inside'"
        yield Part(self._together("TRUE" if self.session.vendor == "postgresql" else "1")), "'beyond'"

    def _by_use(self) -> Iterator[tuple[Part, str]]:
        """Keys that were in use over some time, and those of few rows; ``:early`` when in old rows only."""
        if self.span is None:
            return
        early = f" || CASE WHEN t1 <= {self.span.early} THEN ':early' ELSE '' END"
        spread = min(DAY, self.span.length / 50)
        if self.parents.first is None:
            yield Part(f"n >= {MANY} AND t1 - t0 >= {spread}"), f"'many'{early}"
        yield Part(self._together(f"n <= {MANY}")), f"'few'{early}"
        yield Part(f"t1 <= {self.span.early}"), "'scattered:early'"

    def _together(self, condition: str) -> str:
        if self.span is None:
            return condition
        return f"{condition} AND t1 - t0 <= {DAY}"
