"""What goes with the rows that a batch deletes: claimed level by level, each row once.

Deletion spreads through every known CASCADE, enforced or not. What forbids it is looked at when
nothing more spreads, because a row that goes itself forbids nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError
from integrity.plans.consequences import Consequences
from integrity.plans.following import ancestors
from integrity.plans.plan import Change
from integrity.references.orphans import joined, refers
from integrity.references.reference import Reference

_DEEPEST = 500


class Disagreement(ReferentialIntegrityError):
    """What was selected, journaled and changed do not agree: the batch is given up."""


class TooManyFollow(ReferentialIntegrityError):
    """More rows follow than one transaction should hold: these must go first."""

    def __init__(self, reference: Reference, leaf: Table, condition: Predicate) -> None:
        super().__init__(f"more rows of {leaf.name} follow than fit one batch")
        self.reference = reference
        self.leaf = leaf
        self.condition = condition


@dataclass(frozen=True)
class Level:
    """Rows of one table that go, ``depth`` references away from the orphans."""

    leaf: Table
    reference: Reference
    locators: tuple[Locator, ...]
    depth: int = 0


@dataclass
class Closure:
    """All rows that go in one batch. ``most`` is how many may be, None where there is no limit.

    ``where`` says which rows of the step's own tables are orphans to be deleted.
    """

    session: Session
    schema: Schema
    references: Sequence[Reference]
    step: Reference
    where: Predicate
    most: int | None
    levels: list[Level] = field(default_factory=list)
    gone: dict[TableName, set[Locator]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many rows go."""
        return sum(len(locators) for locators in self.gone.values())

    @cached_property
    def _consequences(self) -> Consequences:
        return Consequences(self.session, self.schema, self.references)

    def spread(self, reference: Reference, rows: Sequence[tuple[Table, Sequence[Locator]]]) -> None:
        """Adds rows, which are locked already, and everything that goes with them.

        Raises:
            Disagreement: something that stays forbids it.
            TooManyFollow: some of it must go first.
        """
        first = [self._added(Level(leaf, reference, tuple(locators))) for leaf, locators in rows]
        for level in first:
            self._through(level)
        while more := self._blockers():
            self._through(self._added(more))

    def referring(self, change: Change | None, leaf: Table) -> Iterator[tuple[Reference, Table]]:
        """The references to rows of ``leaf`` that ``change`` belongs to, and who holds their rows."""
        names = {leaf.name, *ancestors(self.schema, leaf)}
        for reference in self._consequences.followed:
            if reference.referenced_table not in names:
                continue
            if change is None or change is self._consequences.of(reference):
                for child in self.schema.leaves(reference.table):
                    yield reference, child

    def claimed(
        self, leaf: Table, where: Predicate, most: int, also: Predicate | None = None
    ) -> list[Locator]:
        """Locks up to ``most`` rows that are not going already, and looks at them once more:
        some may have changed while their locks were waited for."""
        engine, gone = self.session.engine, self.gone.get(leaf.name, set())
        found = engine.claim(self.session, leaf, where if also is None else where & also, most + len(gone))
        found = [each for each in found if each not in gone]
        if not found:
            return []
        still = engine.located(leaf, found) & where
        sql = f"SELECT {engine.locator(leaf)} FROM {engine.source(leaf)} AS c WHERE {still.sql}"
        return [row[0] for row in self.session.rows(sql, still.params)][:most]

    # -- spreading -------------------------------------------------------------------------

    def _added(self, level: Level) -> Level:
        self.levels.append(level)
        self.gone.setdefault(level.leaf.name, set()).update(level.locators)
        return level

    def _through(self, first: Level) -> None:
        queue = deque([first])
        while queue:
            level = queue.popleft()
            for reference, leaf in self.referring(Change.DELETE, level.leaf):
                where = referring(self.session, self.schema, reference, level.leaf, level.locators)
                room = 10_000_000 if self.most is None else self.most - self.size + 1
                found = self.claimed(leaf, where, room)
                if self.most is not None and found and (len(found) >= room or level.depth >= _DEEPEST):
                    raise TooManyFollow(reference, leaf, where)
                if found:
                    queue.append(self._added(Level(leaf, reference, tuple(found), level.depth + 1)))

    def _blockers(self) -> Level | None:
        """Orphans of the step itself that refer to going rows by RESTRICT: they go with them.

        Raises:
            Disagreement: any other row does.
        """
        mine = {leaf.name for leaf in self.schema.leaves(self.step.table)}
        for leaf, locators in self._by_leaf():
            for reference, child in self.referring(Change.RESTRICT, leaf):
                where = referring(self.session, self.schema, reference, leaf, locators)
                found = self.claimed(child, where, 1_000)
                if not found:
                    continue
                orphans = self.claimed(child, where, 1_000, self.where) if child.name in mine else []
                if len(orphans) < len(found):
                    raise self._forbidden(reference, child, len(found) - len(orphans))
                return Level(child, self.step, tuple(orphans))
        return None

    def _by_leaf(self) -> list[tuple[Table, tuple[Locator, ...]]]:
        leaves = {level.leaf.name: level.leaf for level in self.levels}
        return [(leaf, tuple(self.gone[name])) for name, leaf in leaves.items()]

    def _forbidden(self, reference: Reference, leaf: Table, rows: int) -> Disagreement:
        noun = "row" if rows == 1 else "rows"
        why = self._consequences.why(reference)
        return Disagreement(f"{rows:,} {noun} of {leaf.name} refer to it ({why})")


def referring(
    session: Session, schema: Schema, reference: Reference, parent: Table, locators: Sequence[Locator]
) -> Predicate:
    """The condition that a row ``c`` refers to one of these rows of ``parent``."""
    located = session.engine.located(parent, locators, "p")
    sql = (
        f"{refers(reference)} AND EXISTS (SELECT 1 FROM {session.engine.source(parent)} p "
        f"WHERE {located.sql} AND {joined(session.engine, schema, reference)})"
    )
    return Predicate(sql, located.params)
