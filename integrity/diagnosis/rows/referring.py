"""What refers to the rows of a page: through which references, and how many rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError

from integrity.database.identifiers import column
from integrity.diagnosis.rows.looking import Orphans
from integrity.diagnosis.rows.pages import ShownRow
from integrity.exceptions import NotAnswerable, ReferentialIntegrityError, TimedOut
from integrity.references.orphans import joined
from integrity.references.reference import Reference, written

MOST_REFERENCES = 6
MOST_SECONDS = 3
"""Nobody waits longer for what is beside the rows: references that are not reached by then are left out."""

TOO_LONG = "timed_out"


@dataclass(frozen=True)
class ReferringRows:
    """Rows that refer to the rows of a page by one reference: for each of those how many, None where
    counting took too long or could not be done, with the reason in ``gap``."""

    label: str
    table: str
    on_delete: str
    counts: tuple[int | None, ...] = ()
    gap: str = ""

    @property
    def rows(self) -> int | None:
        """All of them."""
        return None if self.gap else sum(each or 0 for each in self.counts)


def references_to(orphans: Orphans) -> list[Reference]:
    """Returns the references whose referenced table holds these orphans."""
    name = orphans.table.name
    return [each for each in orphans.references if each.referenced_table == name]


def referring_rows(orphans: Orphans, rows: Sequence[ShownRow]) -> list[ReferringRows]:
    """Returns how many rows refer to each row of a page, a statement a reference.

    Args:
        orphans: an open look.
        rows: the rows of the page.
    """
    found: list[ReferringRows] = []
    until = time.monotonic() + MOST_SECONDS
    for reference in references_to(orphans)[:MOST_REFERENCES]:
        if time.monotonic() > until:
            found.append(_described(reference, gap=TOO_LONG))
            continue
        try:
            with orphans.session.look():
                found.append(_counted(orphans, reference, rows))
        except TimedOut:
            found.append(_described(reference, gap=TOO_LONG))
        except (ReferentialIntegrityError, DatabaseError) as error:
            if not orphans.session.connection.is_usable():
                raise
            found.append(_described(reference, gap=str(error).strip().partition("\n")[0]))
    return found


def all_referring_rows(orphans: Orphans, label: str) -> int:
    """Returns how many rows refer to any orphan by one reference.

    Args:
        orphans: an open look.
        label: the reference, as commands name it.

    Raises:
        NotAnswerable: for a reference that does not refer to them.
        TimedOut: when counting takes too long.
    """
    named = [each for each in references_to(orphans) if each.label == label]
    if not named:
        raise NotAnswerable("Nothing refers to these rows by that name", where=label)
    reference, where = named[0], orphans.where
    condition = joined(orphans.engine, orphans.schema, reference, child="d", parent="c")
    sources = [
        orphans.engine.source(orphans.schema.table(name)) for name in (reference.table, orphans.table.name)
    ]
    sql = (
        f"SELECT count(*) FROM {sources[0]} d WHERE EXISTS "
        f"(SELECT 1 FROM {sources[1]} c WHERE {where.sql} AND {condition})"
    )
    return int(orphans.session.value(sql, where.params))


def _counted(orphans: Orphans, reference: Reference, rows: Sequence[ShownRow]) -> ReferringRows:
    engine, here = orphans.engine, orphans.table
    columns = [here.column(name) for name in reference.referenced_columns]
    given = [(number, [row.values.get(each.name) for each in columns]) for number, row in enumerate(rows)]
    child = orphans.schema.table(reference.table)
    condition = " AND ".join(
        engine.equal(there, f"g.v{place}", child.column(name), column(name, "d"))
        for place, (there, name) in enumerate(zip(columns, reference.columns, strict=True), start=1)
    )
    with engine.given_rows(orphans.session, columns, given) as (item, params):
        sql = f"SELECT g.n, count(*) FROM {item} JOIN {engine.source(child)} d ON {condition} GROUP BY g.n"
        counted = {int(number): int(count) for number, count in orphans.session.rows(sql, params)}
    return _described(reference, counts=tuple(counted.get(number, 0) for number in range(len(rows))))


def _described(reference: Reference, *, counts: tuple[int | None, ...] = (), gap: str = "") -> ReferringRows:
    return ReferringRows(reference.label, written(reference.table), str(reference.on_delete), counts, gap)
