"""A part of a deduplication alone: no row comes back that refers to one which is still taken out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from integrity.database.identifiers import column
from integrity.exceptions import NotCheckable
from integrity.references.orphans import missing, refers
from integrity.references.reference import Reference, written
from integrity.repairs.closure import Disagreement
from integrity.repairs.journal import ACTION, BEFORE, IMAGE, ORDER, UNDONE, Images

if TYPE_CHECKING:
    from integrity.repairs.restoring import Restorer


def refuse_halves(restorer: Restorer, seqs: Sequence[int]) -> None:
    """Looks at rows that were just put back, those that a deduplication changed alone.

    Raises:
        Disagreement: one of them refers to a row of the same run that did not come back.
    """
    for reference, there in _taken_out(restorer):
        where = restorer.journal.seqs(seqs, "j")
        lost = _missing(restorer, reference)
        sql = (
            f"SELECT count(*) FROM {restorer.images.sql} AS j "
            f"JOIN {restorer.session.engine.source(restorer.table)} AS c ON {restorer.alike('c', 'j')} "
            f"WHERE {where.sql} AND j.{ORDER} < 0 AND {refers(reference)} AND {lost} "
            f"AND EXISTS (SELECT 1 FROM {there.sql} AS t WHERE t.{IMAGE} = '{BEFORE}' "
            f"AND t.{ACTION} = 'delete' AND t.{UNDONE} IS NULL AND {_same(restorer, reference, there)})"
        )
        rows = restorer.session.value(sql)
        if rows:
            raise Disagreement(
                f"it refers by {reference.label} to a row of {written(there.table)} that the repair took out "
                "and that is not back"
            )


def _taken_out(restorer: Restorer) -> Iterator[tuple[Reference, Images]]:
    """The references of a table to others, or itself, of which the run took rows out."""
    marked = f"SELECT EXISTS (SELECT 1 FROM {restorer.images.sql} WHERE {ORDER} < 0)"
    if not restorer.session.value(marked):
        return
    by_table = {images.table: images for images in restorer.run}
    for reference in restorer.references:
        there = by_table.get(reference.referenced_table)
        whole = there is not None and set(reference.referenced_columns) <= set(there.columns)
        if there is not None and whole and reference.table == restorer.table.name:
            yield reference, there


def _missing(restorer: Restorer, reference: Reference) -> str:
    try:
        return missing(restorer.session.engine, restorer.schema, reference)
    except NotCheckable:
        return "1 = 0"


def _same(restorer: Restorer, reference: Reference, there: Images) -> str:
    engine, schema = restorer.session.engine, restorer.schema
    child, parent = schema.table(reference.table), schema.table(reference.referenced_table)
    try:
        return " AND ".join(
            engine.equal(
                parent.column(key),
                engine.restored_as(parent.column(key), column(key, "t")),
                child.column(name),
                column(name, "c"),
            )
            for name, key in reference.pairs
        )
    except NotCheckable:
        return "1 = 0"
