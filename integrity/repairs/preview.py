"""What a rollback would do, and what of it would be refused: a short look, before anybody decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import DatabaseError

from integrity.database.identifiers import TableName
from integrity.database.session import Session, Target
from integrity.exceptions import NotCheckable, RollbackRefused, TimedOut, UnknownRun
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference
from integrity.repairs.conflicts import Conflict, Conflicts
from integrity.repairs.journal import Journal, RunRecord
from integrity.repairs.lost_parents import Family, Parentless
from integrity.repairs.obstacles import Obstacles
from integrity.repairs.quarantine import nothing_masked
from integrity.repairs.restoring import Restorer
from integrity.repairs.rollback import TAKEN_BACK, usable_references
from integrity.repairs.selection import Chosen, Selection
from integrity.repairs.standing import InTheWay, MadeBy
from integrity.repairs.standing_uniques import UniqueInTheWay
from integrity.repairs.values import IsMasked

Found = TypeVar("Found")

SECONDS = 5.0
STATEMENT_TIMEOUT_MS = 2_000
CONNECT_TIMEOUT_S = 3
CONFLICTS_SHOWN = 25
CONFLICTS_COUNTED = 10_000


@dataclass
class Coming:
    """What would come back of one table: rows that were deleted, values that were changed, and how many of
    either would be refused; None where it could not be looked at in time."""

    table: TableName
    deleted: int | None = None
    changed: int | None = None
    refused: int | None = None


@dataclass
class RollbackPreview:
    """What is known before a rollback.

    ``impossible`` is what refuses all of it, ``in_the_way`` are the foreign keys and uniques under which rows
    would be orphans or duplicates again, ``unanswered`` is what could not be looked at in time.
    """

    run: RunRecord
    selection: Selection
    coming: list[Coming] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    in_the_way: list[InTheWay | UniqueInTheWay] = field(default_factory=list)
    parentless: list[Parentless] = field(default_factory=list)
    relatives: list[tuple[Reference, int]] = field(default_factory=list)
    impossible: RollbackRefused | None = None
    unanswered: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows would be touched, as far as they could be counted."""
        return sum((each.deleted or 0) + (each.changed or 0) for each in self.coming)

    @property
    def refused(self) -> int:
        """How many of these would be refused, as far as they could be counted."""
        return sum(each.refused or 0 for each in self.coming)


def preview_rollback(
    target: Target,
    number: int,
    *,
    catalog: Catalog,
    selection: Selection | None = None,
    made_by: MadeBy | None = None,
    others: Sequence[Reference] = (),
    is_masked: IsMasked = nothing_masked,
    with_relatives: bool = False,
) -> RollbackPreview:
    """Looks at what a rollback of a run, or of a selection of its rows, would meet.

    Args:
        target: the repaired target.
        number: the run.
        catalog: what should hold in the target.
        selection: only some rows; all when None or empty.
        made_by: which migration made which foreign key or unique.
        others: references from elsewhere (the site's models).
        is_masked: whose values are not shown.
        with_relatives: choose also what refers to the chosen rows in the quarantine, and what they refer to.

    Raises:
        UnknownRun: no such run, or nothing of it can be taken back.
        TargetUnreachable: when the target cannot be read.
    """
    with target.reading(
        statement_timeout_ms=STATEMENT_TIMEOUT_MS, connect_timeout_s=CONNECT_TIMEOUT_S
    ) as session:
        journal = Journal(session)
        record = journal.run(number)
        if record.kind == "rollback" or record.state not in TAKEN_BACK:
            raise UnknownRun(
                f"Run {number} is a {record.kind} that is {record.state}: there is nothing to take back",
                where=target.alias,
            )
        look = _Look(session, journal, record, catalog, tuple(others), is_masked, made_by or {})
        return look.preview(selection or Selection(), with_relatives=with_relatives)


def rows_left(target: Target, number: int, selection: Selection) -> int:
    """Returns how many chosen rows of a run are still to be taken back.

    Raises:
        UnknownRun: no such run.
        TargetUnreachable, TimedOut: when it cannot be read, or not in time.
    """
    with target.reading(
        statement_timeout_ms=STATEMENT_TIMEOUT_MS, connect_timeout_s=CONNECT_TIMEOUT_S
    ) as session:
        journal = Journal(session)
        journal.run(number)
        chosen = Chosen(session, session.schema(), selection)
        return sum(chosen.count(each) for each in journal.tables(number) if selection.wants(each.table))


@dataclass
class _Look:
    session: Session
    journal: Journal
    record: RunRecord
    catalog: Catalog
    others: tuple[Reference, ...]
    is_masked: IsMasked
    made_by: MadeBy
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def preview(self, selection: Selection, *, with_relatives: bool) -> RollbackPreview:
        schema = self.session.schema()
        engine, listed = self.session.engine, self.journal.tables(self.record.number)
        everything = [each for each in listed if engine.has_table(self.session, each.name)]
        known = usable_references(schema, self.catalog, self.others)
        standing = {each.table: each for each in everything if each.table in schema.tables}
        chosen = Chosen(self.session, schema, selection)
        family = Family(self.session, schema, known, standing, chosen)
        result = RollbackPreview(self.record, selection)
        result.unanswered = [str(each.table) for each in listed if each not in everything]
        if with_relatives and selection.rows:
            result.selection = self._tried(result, "relatives", family.with_relatives) or selection
            chosen = Chosen(self.session, schema, result.selection)
            family = Family(self.session, schema, known, standing, chosen)
        images = [each for each in everything if result.selection.wants(each.table)]
        if not self._possible(
            result, Obstacles(self.session, schema, self.record, images, chosen, self.session.look)
        ):
            return result
        for each in images:
            self._table(result, Restorer(self.session, self.journal, schema, known, each, everything), chosen)
        result.parentless = self._tried(result, "parents", lambda: list(family.parentless())) or []
        if selection.rows:
            result.relatives = self._tried(result, "relatives", lambda: list(family.children())) or []
        return result

    def _possible(self, result: RollbackPreview, obstacles: Obstacles) -> bool:
        try:
            obstacles.refuse_other_columns()
            keys = self._tried(result, "foreign keys", lambda: obstacles.standing(self.made_by))
            uniques = self._tried(result, "uniques", lambda: obstacles.standing_uniques(self.made_by))
            result.in_the_way = [*(uniques or ()), *(keys or ())]
            self._tried(result, "conversions", obstacles.refuse_converted)
        except RollbackRefused as refused:
            result.impossible = refused
            return False
        return True

    def _table(self, result: RollbackPreview, restorer: Restorer, chosen: Chosen) -> None:
        images, name = restorer.images, str(restorer.images.table)
        found = Conflicts(restorer, chosen, self.is_masked)
        coming = Coming(images.table)
        coming.deleted = self._tried(result, name, lambda: chosen.count(images, "delete"))
        coming.changed = self._tried(result, name, lambda: chosen.count(images, "update"))
        if not (coming.deleted or coming.changed) and coming.deleted is not None:
            return
        result.coming.append(coming)
        taken = self._tried(result, name, lambda: found.how_many_taken(CONFLICTS_COUNTED))
        changed = self._tried(result, name, lambda: found.how_many_changed(CONFLICTS_COUNTED))
        coming.refused = None if taken is None or changed is None else taken + changed
        left = CONFLICTS_SHOWN - len(result.conflicts)
        if taken and left > 0:
            result.conflicts += self._tried(result, name, lambda: found.taken(left)) or []
        left = CONFLICTS_SHOWN - len(result.conflicts)
        if changed and left > 0:
            result.conflicts += self._tried(result, name, lambda: found.changed(left)) or []

    def _tried(self, result: RollbackPreview, what: str, look: Callable[[], Found]) -> Found | None:
        """What a look finds, None where there is no more time for it, or where things cannot be compared (a
        column has another type by now, a journal's table is gone)."""
        if time.monotonic() < self.until:
            try:
                with self.session.look():
                    return look()
            except NotCheckable:
                return None
            except (TimedOut, DatabaseError):
                pass
        if what not in result.unanswered:
            result.unanswered.append(what)
        return None
