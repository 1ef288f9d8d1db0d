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
from integrity.database.spelling import Form
from integrity.references.causes.created import DAY, Span
from integrity.references.causes.parents import Parents, spelled_differently
from integrity.references.orphans import refers
from integrity.references.reference import Reference

MANY = 3
"""From so many rows on, over some time, a missing key was in use."""

SENTINELS = (
    "", "-", "--", "?", ".", "0", "-1", "null", "(null)", "<null>", "nil", "none", "undefined", "nan", "n/a",
    "na", "unknown", "unassigned", "default", "default-user", "default_user", "anonymous", "anon", "guest",
    "placeholder", "dummy", "tbd", "[object object]", "0" * 32, "f" * 32,
)  # fmt: skip
"""What programs write where they have no key, folded; the last two as UUIDs without hyphens."""


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
class _Part:
    """A piece of SQL with its parameters, in the order in which they stand."""

    sql: str
    params: tuple[Any, ...] = ()


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
    def _spelled(self) -> bool:
        if len(self.reference.columns) > 1 or not self.explains:
            return False
        ((name, key),) = self.reference.pairs
        child = self.schema.table(self.reference.table).column(name)
        parent = self.schema.table(self.reference.referenced_table).column(key)
        return spelled_differently(self.session.vendor, child, parent)

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

    def statement(self, samples: int) -> _Part:
        """Returns it, without running it."""
        width = len(self.reference.columns)
        names = ", ".join(f"key{at}" for at in range(width))
        nulls = ", ".join(["NULL"] * width)
        by_key, joins, classes = self._by_key(names), self._joins(), self._classes()
        size = self._bucket_of("t0")
        sql = (
            f"{by_key.sql}, q AS MATERIALIZED (SELECT {classes.sql} AS name, {names}, n, t0, t1, "
            f"{self._example()} FROM k {joins.sql}) "
            f"SELECT * FROM (SELECT 'key' AS what, name, {names}, n, 1 AS keys, 0 AS bucket, t0, t1, "
            f"here, there FROM q ORDER BY n DESC, {names} LIMIT %s) AS top "
            f"UNION ALL SELECT 'class', name, {nulls}, sum(n), count(*), {size}, min(t0), max(t1), "
            f"min(here), min(there) FROM q GROUP BY name, {size}"
        )
        params = (*by_key.params, *classes.params, *joins.params, samples)
        if self.span:
            sql += (
                f" UNION ALL SELECT 'day', NULL, {nulls}, sum(n), 0, day, NULL, NULL, NULL, NULL "
                "FROM o GROUP BY day"
            )
        return _Part(sql, params)

    def _by_key(self, names: str) -> _Part:
        """``o``: orphans by missing key and bucket of time; ``k``: by missing key alone."""
        source = self.engine.source(self.schema.table(self.reference.table))
        keys = quote_columns(self.reference.columns, "c")
        if self.span is None:
            counted = f"SELECT {keys}, count(*) FROM {source} c WHERE {self.where.sql} GROUP BY {keys}"
            never = _nothing(self.session.vendor, "double precision")
            by_key = f"SELECT {names}, n, {never} AS t0, {never} AS t1 FROM o"
            sql = f"WITH o({names}, n) AS ({counted}), k AS ({by_key})"
            return _Part(sql, self.where.params)
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
        return _Part(sql, self.where.params)

    def _bucket_of(self, seconds: str) -> str:
        width = self.span.bucket if self.span else DAY
        floor = (
            f"floor(({seconds}) / {width})"
            if self.session.vendor == "postgresql"
            else f"({seconds}) / {width}"
        )
        return f"CAST({floor} AS bigint)"

    # -- what is known of a key --------------------------------------------------------------

    def _joins(self) -> _Part:
        """The parents' normal forms, and the tables that keep parents which are gone."""
        parts = [self._kept(at) for at in range(len(self.parents.elsewhere))]
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
        return _Part(" ".join(parts))

    def _kept(self, at: int) -> str:
        table, child = self.parents.elsewhere[at], self.schema.table(self.reference.table)
        keys = quote_columns(self.reference.referenced_columns, "s")
        met = " AND ".join(
            self.engine.equal(table.column(key), column(key, f"a{at}"), child.column(name), f"k.key{place}")
            for place, (name, key) in enumerate(self.reference.pairs)
        )
        source = self.engine.parent_source(table)
        return f"LEFT JOIN (SELECT DISTINCT {keys}, 1 AS kept FROM {source} s) AS a{at} ON {met}"

    def _classes(self) -> _Part:
        """The first that fits: another spelling, a sentinel, kept elsewhere, by number, by use."""
        cases = [*self._known(), *self._by_number(), *self._by_use()] if self.explains else []
        if not cases:
            return _Part("'scattered'")
        sql = " ".join(f"WHEN {case.sql} THEN {name}" for case, name in cases)
        params = tuple(value for case, _ in cases for value in case.params)
        return _Part(f"CASE {sql} ELSE 'scattered' END", params)

    def _known(self) -> Iterator[tuple[_Part, str]]:
        if self._spelled:
            yield _Part("np.v IS NOT NULL"), f"'spelling:' || {self._difference()}"
        if len(self.reference.columns) == 1:
            yield from self._sentinels()
        for at in range(len(self.parents.elsewhere)):
            yield _Part(f"a{at}.kept = 1"), f"'elsewhere:{at}'"

    def _sentinels(self) -> Iterator[tuple[_Part, str]]:
        folded = self.engine.spelled("k.key0", Form.FOLDED)
        name = f"'sentinel:' || {folded}"
        listed = f"{folded} IN ({', '.join(['%s'] * len(SENTINELS))})"
        if self.parents.whole:
            for number in (0, -1):
                if self.parents.lowest is None or self.parents.lowest > number:
                    yield _Part(f"k.key0 = {number}"), f"'sentinel:{number}'"
            if self.session.vendor == "sqlite":
                yield _Part(f"typeof(k.key0) = 'text' AND {listed}", SENTINELS), name
            return
        if self._spelled:
            yield _Part(listed, SENTINELS), name
        yield _Part(f"replace({folded}, '-', '') IN (%s, %s)", SENTINELS[-2:]), name

    def _by_number(self) -> Iterator[tuple[_Part, str]]:
        first, last = self.parents.first, self.parents.last
        if first is None or last is None:
            return
        yield _Part("k.key0 BETWEEN %s AND %s", (first, last)), "'inside'"
        yield _Part(self._together("TRUE" if self.session.vendor == "postgresql" else "1")), "'beyond'"

    def _by_use(self) -> Iterator[tuple[_Part, str]]:
        """Keys that were in use over some time, and those of few rows; ``:early`` when in old rows only."""
        if self.span is None:
            return
        early = f" || CASE WHEN t1 <= {self.span.early} THEN ':early' ELSE '' END"
        spread = min(DAY, self.span.length / 50)
        if self.parents.first is None:
            yield _Part(f"n >= {MANY} AND t1 - t0 >= {spread}"), f"'many'{early}"
        yield _Part(self._together(f"n <= {MANY}")), f"'few'{early}"
        yield _Part(f"t1 <= {self.span.early}"), "'scattered:early'"

    def _together(self, condition: str) -> str:
        if self.span is None:
            return condition
        return f"{condition} AND t1 - t0 <= {DAY}"

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

    def _example(self) -> str:
        """A key and its parent, as both are written."""
        if not self._spelled:
            return f"{_nothing(self.session.vendor)} AS here, {_nothing(self.session.vendor)} AS there"
        postgresql = self.session.vendor == "postgresql"
        here = 'k.key0::text COLLATE "C"' if postgresql else "CAST(k.key0 AS TEXT)"
        return f"{here} AS here, np.there AS there"


def _nothing(vendor: str, kind: str = "text") -> str:
    """NULL; PostgreSQL wants a type even for what is never there."""
    return f"CAST(NULL AS {kind})" if vendor == "postgresql" else "NULL"
